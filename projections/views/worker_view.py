"""The worker as it is read: its card and the clock; and the heartbeat summary of a campaign."""

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

from projections.views.worker import WorkerCard
from service.domain import ids
from service.domain.heartbeat import age


class ClaimView(Struct, kw_only=True):
    """A unit in the hands of a worker."""

    campaign: ids.CampaignName
    key: ids.UnitKey
    attempt: int
    claimed_at: datetime
    lease_until: datetime
    progress: float | None
    note: str | None
    output_at: datetime | None


class WorkerView(Struct, kw_only=True):
    """A worker; *level* is absent for one that nobody expects to hear of: not registered, without a claim."""

    worker: ids.WorkerId
    level: ids.Level | None
    last_heartbeat_at: datetime
    heartbeat_age_s: float
    state: ids.WorkerState
    claims: list[ClaimView]
    capacity: int | None
    labels: dict[str, str]
    version: str | None
    completed: int
    failed: int


class HeartbeatSummary(Struct, kw_only=True):
    """The workers that hold claims of a campaign, by level; *missing* are those that left without handing theirs back."""

    total: int
    healthy: int
    warn: int
    stale: int
    dead: int
    missing: int
    worst_age_s: float | None


def view(card: WorkerCard, at: datetime) -> WorkerView:
    """Return *card* as it is shown at *at*."""
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
    )


def summary(workers: Iterable[WorkerView]) -> HeartbeatSummary:
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
