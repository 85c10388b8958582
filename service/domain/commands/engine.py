"""Orders about the engine and the quotas."""

from datetime import datetime

from service.domain import ids
from service.domain.commands.command import Command
from service.domain.events import QuotaPolicy


class PauseEngine(Command, frozen=True):
    """Stop every claim."""

    reason: str | None = None


class ResumeEngine(Command, frozen=True):
    """Allow claims again."""

    reason: str | None = None


class ResizePool(Command, frozen=True):
    """Set the number of slots."""

    pool_size: int


class TickEngine(Command, frozen=True):
    """Open every gate, and record the sweep that somebody asked for."""

    force: bool = False


class RecordReading(Command, frozen=True):
    """A meter's answer about a quota, or its failure."""

    quota: ids.QuotaKey
    utilization: float | None = None
    resets_at: datetime | None = None
    failure: ids.ReadingFailure | None = None
    message: str | None = None


class EditQuota(Command, frozen=True):
    """Replace the policy of the gate."""

    quota: ids.QuotaKey
    policy: QuotaPolicy
