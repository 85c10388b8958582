"""The quota's card: its gate and its meter, and the fold of events into it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from msgspec import Struct

from service.domain import events as e
from service.domain import ids


class QuotaCard(Struct, kw_only=True):
    """The card of a quota; *last_poll_ok* is None before the first reading."""

    key: ids.QuotaKey
    reason: ids.GateReason | None = None
    closed_at: datetime | None = None
    resume_at: datetime | None = None
    utilization: float | None = None
    resets_at: datetime | None = None
    last_poll_ok: bool | None = None
    consecutive_failures: int = 0
    last_failure_kind: ids.ReadingFailure | None = None
    next_poll_s: float = 30.0
    policy: e.QuotaPolicy = e.QuotaPolicy()


def read(card: QuotaCard, body: e.QuotaRead, _event: e.Recorded) -> None:
    """The meter answered, which ends a run of failures."""
    card.utilization, card.resets_at, card.last_poll_ok = body.utilization, body.resets_at, True
    card.consecutive_failures, card.last_failure_kind, card.next_poll_s = 0, None, 30.0


def read_failed(card: QuotaCard, body: e.QuotaReadFailed, _event: e.Recorded) -> None:
    """The meter failed. If its own requests were rate-limited, that says nothing about the quota: it counts as unused."""
    card.last_poll_ok, card.last_failure_kind = False, body.failure
    card.consecutive_failures, card.next_poll_s = body.consecutive, body.next_poll_s
    if body.failure == "meter_rate_limited":
        card.utilization = 0.0


def gate_closed(card: QuotaCard, body: e.QuotaGateClosed, event: e.Recorded) -> None:
    """No claim passes."""
    card.closed_at = card.closed_at or event.at
    card.reason, card.resume_at = body.reason, body.resume_at


def gate_opened(card: QuotaCard, _body: e.QuotaGateOpened, _event: e.Recorded) -> None:
    """Claims pass again."""
    card.closed_at = card.reason = card.resume_at = None


def policy_changed(card: QuotaCard, body: e.QuotaPolicyChanged, _event: e.Recorded) -> None:
    """The gate has a new policy."""
    card.policy = body.policy


FOLDS: dict[type[e.Event], Callable[[QuotaCard, Any, e.Recorded], None]] = {
    e.QuotaRead: read,
    e.QuotaReadFailed: read_failed,
    e.QuotaGateClosed: gate_closed,
    e.QuotaGateOpened: gate_opened,
    e.QuotaPolicyChanged: policy_changed,
}
