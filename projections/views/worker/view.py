"""The view of a worker, and the heartbeat summary of a campaign."""

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

from projections.views.worker.card import Holding, WorkerCard
from service.domain import ids
from service.domain.instant import Instant
from service.domain.rules.heartbeat import age

STALLED_HEARTBEATS, STALLED_S = 3, 60.0
IDLE_S = 60.0


class Offer(Struct, frozen=True):
    """A campaign with a claimable unit for workers with fitting labels, ready since *ready_at*."""

    campaign: ids.CampaignName
    labels: dict[str, str]
    ready_at: Instant


class ClaimView(Struct, kw_only=True):
    """A unit that a worker holds; *stalled* if heartbeats arrive but its output does not move."""

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
    """A worker; *level* is absent for one from which no heartbeat is expected: not registered, and without a claim.

    *stalled* if one of its claims is; *idle_while_work_waits* if it sends heartbeats but claims nothing while fitting work waits.
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
    """The workers that hold claims of a campaign, by level; *missing* are those that left without releasing them."""

    total: int
    healthy: int
    warn: int
    stale: int
    dead: int
    missing: int
    worst_age_s: float | None


def stalled(card: WorkerCard, held: Holding, at: datetime) -> bool:
    """Tell whether a healthy worker has reported the same output of a unit several times, for a while."""
    if held.moved_at is None or held.still < STALLED_HEARTBEATS or card.level != "healthy":
        return False
    return age(held.moved_at, at) > STALLED_S


def idle(card: WorkerCard, offers: Iterable[Offer], at: datetime) -> bool:
    """Tell whether a healthy worker holds nothing while fitting work has waited for a while."""
    able = card.registered and card.state == "active" and card.level == "healthy" and card.alive and not card.claims
    if not able or card.free_at is None or age(card.free_at, at) <= IDLE_S:
        return False
    return any(age(offer.ready_at, at) > IDLE_S and fits(card.labels, offer.labels) for offer in offers)


def fits(worker_labels: dict[str, str], campaign_labels: dict[str, str]) -> bool:
    """Tell whether all labels that both have are equal."""
    return all(campaign_labels.get(name, value) == value for name, value in worker_labels.items())


def worker_view(card: WorkerCard, at: datetime, offers: Iterable[Offer] = ()) -> WorkerView:
    """Return the view of *card* at *at*, while *offers* wait."""
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
    """Return the heartbeat summary of the workers of a campaign."""
    holders = list(workers)
    present = [worker for worker in holders if worker.state != "gone"]
    levels = {level: sum(1 for worker in present if worker.level == level) for level in ("healthy", "warn", "stale", "dead")}
    return HeartbeatSummary(
        total=len(holders),
        missing=len(holders) - len(present),
        worst_age_s=max((worker.heartbeat_age_s for worker in holders), default=None),
        **levels,
    )
