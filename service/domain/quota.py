"""A quota: a key whose gate opens and closes for every campaign that names it."""

from datetime import datetime, timedelta

from msgspec import Struct

from service.domain import ids
from service.domain.events import QuotaPolicy


class Quota(Struct, kw_only=True):
    """One quota; only `evolve` writes it. *ramped* counts the claims since the gate opened at *opened_at*."""

    key: ids.QuotaKey
    reason: ids.GateReason | None = None
    closed_at: datetime | None = None
    resume_at: datetime | None = None
    opened_at: datetime | None = None
    ramped: int = 0
    utilization: float | None = None
    resets_at: datetime | None = None
    read_at: datetime | None = None
    consecutive_failures: int = 0
    failing_since: datetime | None = None
    last_failure_kind: ids.ReadingFailure | None = None
    next_poll_s: float = 30
    policy: QuotaPolicy = QuotaPolicy()

    @property
    def open(self) -> bool:
        """Whether claims pass."""
        return self.closed_at is None

    @property
    def exhausted(self) -> bool:
        """Whether the last reading, by the policy, lets nothing pass; `always` ignores readings."""
        if self.policy.fire == "always":
            return False
        if self.utilization is None:
            return self.policy.fire == "when_available"
        return self.utilization >= self.policy.threshold

    def reset_after(self, at: datetime) -> datetime | None:
        """Return when work may go on after the next known reset, None when no coming reset is known."""
        if self.resets_at is None or self.resets_at <= at:
            return None
        return self.resets_at + timedelta(seconds=self.policy.offset_s if self.policy.fire == "on_reset" else 0)
