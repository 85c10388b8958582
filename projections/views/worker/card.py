"""The worker's card: its registration, its last heartbeat, its claims, and the fold of events into it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct, field

from service.domain import events as e
from service.domain import ids
from service.domain.rules.heartbeat import lease_end


class Holding(Struct, kw_only=True):
    """A unit that a worker holds; *moved_at* is when its output last moved, *still* counts the heartbeats since."""

    campaign: ids.CampaignName
    key: ids.UnitKey
    attempt: int
    claimed_at: datetime
    lease_s: float
    lease_until: datetime
    progress: float | None = None
    note: str | None = None
    output_at: datetime | None = None
    moved_at: datetime | None = None
    still: int = 0


class WorkerCard(Struct, kw_only=True):
    """The card of a worker. *completed* and *failed* count attempts; *free_at* is when it last held no claim any more."""

    worker: ids.WorkerId
    last_heartbeat_at: datetime
    level_at: datetime
    state: ids.WorkerState = "active"
    registered: bool = False
    capacity: int | None = None
    labels: dict[str, str] = field(default_factory=dict)
    version: str | None = None
    level: ids.Level = "healthy"
    alive: bool = True
    claims: dict[ids.Token, Holding] = field(default_factory=dict)
    completed: int = 0
    failed: int = 0
    free_at: datetime | None = None
    gone_at: datetime | None = None

    def release(self, token: ids.Token | None, at: datetime) -> None:
        """It no longer holds the unit of *token*."""
        if token is not None and self.claims.pop(token, None) is not None and not self.claims:
            self.free_at = at

    @property
    def watched(self) -> bool:
        """Whether it has a heartbeat level: with a lease, or registered and not drained."""
        return bool(self.claims) or (self.registered and self.state == "active")


def first_card(event: e.Recorded) -> WorkerCard:
    """Return the card of a worker whose first event this is."""
    assert event.worker is not None, "the envelope of a worker's event names it"
    return WorkerCard(worker=event.worker, last_heartbeat_at=event.at, level_at=event.at, free_at=event.at)


def registered(card: WorkerCard, body: e.WorkerRegistered, event: e.Recorded) -> None:
    """The worker registers; one that was gone is active again."""
    if card.state == "gone":
        card.state, card.gone_at, card.free_at = "active", None, event.at
    card.registered, card.alive, card.last_heartbeat_at = True, True, event.at
    card.capacity, card.labels, card.version = body.capacity, body.labels, body.version


def deregistered(card: WorkerCard, _body: e.WorkerDeregistered, event: e.Recorded) -> None:
    """The worker is gone."""
    card.registered, card.state, card.level = False, "gone", "healthy"
    card.level_at = card.gone_at = event.at


def worker_heartbeat(card: WorkerCard, body: e.WorkerHeartbeat, event: e.Recorded) -> None:
    """The worker is alive, or announces that it stops."""
    card.last_heartbeat_at, card.alive = event.at, body.alive


def level_changed(card: WorkerCard, body: e.LevelChanged, event: e.Recorded) -> None:
    """The level changed, by the age of the last heartbeat; the event may know of a later one than the card."""
    card.level, card.level_at = body.to, event.at
    card.last_heartbeat_at = max(card.last_heartbeat_at, event.at - timedelta(seconds=body.age))


def draining(card: WorkerCard, _body: e.WorkerDraining, _event: e.Recorded) -> None:
    """No new claims."""
    card.state = "draining"


def fenced(card: WorkerCard, _body: e.WorkerFenced, _event: e.Recorded) -> None:
    """No claims at all."""
    card.state = "fenced"


def claimed(card: WorkerCard, body: e.UnitClaimed, event: e.Recorded) -> None:
    """It holds one more unit; a claim counts as a heartbeat."""
    assert event.campaign is not None, "the envelope of a claim names the campaign"
    assert event.unit is not None, "the envelope of a claim names the unit"
    card.last_heartbeat_at, card.alive = event.at, True
    if card.state == "gone":
        card.state, card.gone_at = "active", None
    card.claims[body.token] = Holding(
        campaign=event.campaign,
        key=event.unit,
        attempt=body.attempt,
        claimed_at=event.at,
        lease_s=body.lease_s,
        lease_until=body.lease_until,
    )


def unit_heartbeat(card: WorkerCard, body: e.UnitHeartbeat, event: e.Recorded) -> None:
    """The lease is renewed; fields that the heartbeat leaves out keep their values."""
    alive = body.alive is not False
    card.last_heartbeat_at, card.alive = event.at, alive
    holding = card.claims.get(body.token)
    if holding is None:
        return
    if alive:
        holding.lease_until = lease_end(event.at, holding.lease_s)
    holding.progress = holding.progress if body.progress is None else body.progress
    holding.note = holding.note if body.note is None else body.note
    if body.output_at is not None and body.output_at != holding.output_at:
        holding.output_at, holding.moved_at, holding.still = body.output_at, event.at, 0
    else:
        holding.still += 1


def completed(card: WorkerCard, body: e.UnitCompleted, event: e.Recorded) -> None:
    """It completed a unit."""
    card.completed += 1
    card.release(body.token, event.at)


def attempt_failed(card: WorkerCard, body: e.AttemptFailed, event: e.Recorded) -> None:
    """One of its attempts failed."""
    card.failed += 1
    card.release(body.token, event.at)


def claim_released(card: WorkerCard, body: e.UnitParked | e.UnitReleased, event: e.Recorded) -> None:
    """It no longer holds the unit, and nothing failed."""
    card.release(body.token, event.at)


Change = Callable[[WorkerCard, Any, e.Recorded], None]

FOLDS: dict[type[e.Event], Change] = {
    e.WorkerRegistered: registered,
    e.WorkerDeregistered: deregistered,
    e.WorkerHeartbeat: worker_heartbeat,
    e.LevelChanged: level_changed,
    e.WorkerDraining: draining,
    e.WorkerFenced: fenced,
    e.UnitClaimed: claimed,
    e.UnitHeartbeat: unit_heartbeat,
    e.UnitCompleted: completed,
    e.AttemptFailed: attempt_failed,
    e.UnitParked: claim_released,
    e.UnitReleased: claim_released,
}
