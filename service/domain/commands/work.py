"""What workers ask for and say."""

from datetime import datetime

from msgspec import Raw, field

from service.domain import ids
from service.domain.commands.command import Command


class ClaimWork(Command, frozen=True):
    """Give *worker* up to *max* units; no *campaigns* means any."""

    worker: ids.WorkerId
    max: int = 1
    campaigns: tuple[ids.CampaignName, ...] = ()
    labels: dict[str, str] = field(default_factory=dict)
    mode: ids.Mode = "auto"
    kind: ids.ClaimKind = "unit"


class Report(Command, frozen=True):
    """A word of the worker that holds *token*; *screen_id* names the text that the Writer stores beside it."""

    token: ids.Token
    worker: ids.WorkerId | None = None


class RecordHeartbeat(Report, frozen=True, kw_only=True):
    """The worker lives and holds the unit."""

    progress: float | None = None
    note: str | None = None
    session: str | None = None
    idle: bool | None = None
    alive: bool | None = None
    output_at: datetime | None = None
    usage: dict[str, float] | None = None
    screen_id: str | None = None


class CompleteUnit(Report, frozen=True, kw_only=True):
    """The work is done."""

    result: Raw = Raw(b"null")
    evidence: Raw = Raw(b"null")
    exit_code: int | None = None
    signal: str | None = None
    declared_result: str | None = None
    usage: dict[str, float] | None = None


class FailAttempt(Report, frozen=True, kw_only=True):
    """The execution failed."""

    reason: ids.FailureReason
    error: str | None = None
    exit_code: int | None = None
    signal: str | None = None
    declared_result: str | None = None
    retryable: bool | None = None
    rate_limited: bool = False
    screen_id: str | None = None
    usage: dict[str, float] | None = None


class ParkClaim(Report, frozen=True, kw_only=True):
    """The worker cannot go on before *resume_at*: a quota, not a failure."""

    reason: str
    resume_at: datetime | None = None


class ReleaseClaim(Report, frozen=True, kw_only=True):
    """The worker hands the unit back."""

    reason: str | None = None


class BeatWorker(Command, frozen=True):
    """A worker says that it lives (or, with *alive* false, that it ends) and who it is."""

    worker: ids.WorkerId
    alive: bool = True
    capacity: int | None = None
    labels: dict[str, str] | None = None
    version: str | None = None


class DrainWorker(Command, frozen=True):
    """No new claims for the worker; what it holds it finishes."""

    worker: ids.WorkerId
    reason: str | None = None


class FenceWorker(Command, frozen=True):
    """Take everything from the worker at once, neutrally."""

    worker: ids.WorkerId
    reason: str | None = None
