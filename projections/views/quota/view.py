"""The views of quotas and of the engine."""

from typing import Literal

from msgspec import Struct

from projections.views.pause import PauseView
from projections.views.quota.card import QuotaCard
from service.domain import ids
from service.domain.events import QuotaPolicy
from service.domain.instant import Instant


class QuotaView(Struct, kw_only=True):
    """A quota: its gate and its meter."""

    key: ids.QuotaKey
    gate: Literal["open", "closed"]
    reason: ids.GateReason | None
    resume_at: Instant | None
    utilization: float | None
    resets_at: Instant | None
    last_poll_ok: bool | None
    consecutive_failures: int
    last_failure_kind: ids.ReadingFailure | None
    next_poll_s: float
    policy: QuotaPolicy


class PoolView(Struct, kw_only=True):
    """The slots; *advice* is a start for I/O-bound work on this machine: twice the cores, then adjust to the load."""

    size: int
    in_use: int
    advice: int


class EngineView(Struct, kw_only=True):
    """The whole installation; *position* is the head of the log."""

    state: Literal["running", "paused"]
    pool: PoolView
    paused: PauseView | None
    quotas: list[QuotaView]
    leader: str | None
    position: int


def quota_view(card: QuotaCard) -> QuotaView:
    """Return the view of *card*."""
    return QuotaView(
        key=card.key,
        gate="open" if card.closed_at is None else "closed",
        reason=card.reason,
        resume_at=card.resume_at,
        utilization=card.utilization,
        resets_at=card.resets_at,
        last_poll_ok=card.last_poll_ok,
        consecutive_failures=card.consecutive_failures,
        last_failure_kind=card.last_failure_kind,
        next_poll_s=card.next_poll_s,
        policy=card.policy,
    )
