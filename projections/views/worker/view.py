"""The worker as it is read: its card and the clock; and the heartbeat summary of a campaign."""

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

from projections.views.worker.card import Holding, WorkerCard
from service.domain import ids
from service.domain.instant import Instant
from service.domain.rules.heartbeat import age

STILL_BEATS, STILL_S = 3, 60.0
WAITING_S = 60.0


class Offer(Struct, frozen=True):
    """A campaign that would give work to anybody whose labels fit; its next unit is ready since *ready_at*."""

    campaign: ids.CampaignName
    labels: dict[str, str]
    ready_at: Instant


class ClaimView(Struct, kw_only=True):
    """A unit in the hands of a worker; *stalled* when it beats while its output stands still: alive is not progress."""

    campaign: ids.CampaignName
    key: ids.UnitKey
    attempt: int
    claimed_at: Instant
    lease_until: Instant
    progress: float | None
    note: str | None
    output_at: Instant | None
    stalled: bool


class WorkerView(Struct, kw_only=True):
    """A worker; *level* is absent for one that nobody expects to hear of: not registered, without a claim.

    *stalled* when one of its claims is; *idle_while_work_waits* when it beats and never claims though work that fits it waits.
    """

    worker: ids.WorkerId
    level: ids.Level | None
    last_heartbeat_at: Instant
    heartbeat_age_s: float
    state: ids.WorkerState
    claims: list[ClaimView]
    capacity: int | None
    labels: dict[str, str]
    version: str | None
    completed: int
    failed: int
    stalled: bool
    idle_while_work_waits: bool


class HeartbeatSummary(Struct, kw_only=True):
    """The workers that hold claims of a campaign, by level; *missing* are those that left without handing theirs back."""

    total: int
    healthy: int
    warn: int
    stale: int
    dead: int
    missing: int
    worst_age_s: float | None


def stalled(card: WorkerCard, held: Holding, at: datetime) -> bool:
    """Tell whether a worker that lives has said several times, for a while, that nothing new came out of a unit."""
    if held.moved_at is None or held.still < STILL_BEATS or card.level != "healthy":
        return False
    return age(held.moved_at, at) > STILL_S


def idle(card: WorkerCard, offers: Iterable[Offer], at: datetime) -> bool:
    """Tell whether a worker that lives holds nothing while work that fits it has waited for a while."""
    able = card.registered and card.state == "active" and card.level == "healthy" and card.alive and not card.claims
    if not able or card.free_at is None or age(card.free_at, at) <= WAITING_S:
        return False
    return any(age(offer.ready_at, at) > WAITING_S and fits(card.labels, offer.labels) for offer in offers)


def fits(mine: dict[str, str], theirs: dict[str, str]) -> bool:
    """Tell whether no label that both carry has different values."""
    return all(theirs.get(name, value) == value for name, value in mine.items())


def worker_view(card: WorkerCard, at: datetime, offers: Iterable[Offer] = ()) -> WorkerView:
    """Return *card* as it is shown at *at*, while *offers* wait."""
    claims = [
        ClaimView(
            campaign=held.campaign,
            key=held.key,
            attempt=held.attempt,
            claimed_at=held.claimed_at,
            lease_until=held.lease_until,
            progress=held.progress,
            note=held.note,
            output_at=held.output_at,
            stalled=stalled(card, held, at),
        )
        for held in card.claims.values()
    ]
    return WorkerView(
        worker=card.worker,
        level=card.level if card.watched else None,
        last_heartbeat_at=card.last_heartbeat_at,
        heartbeat_age_s=age(card.last_heartbeat_at, at),
        state=card.state,
        claims=claims,
        capacity=card.capacity,
        labels=card.labels,
        version=card.version,
        completed=card.completed,
        failed=card.failed,
        stalled=any(claim.stalled for claim in claims),
        idle_while_work_waits=idle(card, offers, at),
    )


def heartbeat_summary(workers: Iterable[WorkerView]) -> HeartbeatSummary:
    """Return how the workers of a campaign are heard."""
    found = list(workers)
    present = [worker for worker in found if worker.state != "gone"]
    levels = {level: sum(1 for worker in present if worker.level == level) for level in ("healthy", "warn", "stale", "dead")}
    return HeartbeatSummary(
        total=len(found),
        missing=len(found) - len(present),
        worst_age_s=max((worker.heartbeat_age_s for worker in found), default=None),
        **levels,
    )
