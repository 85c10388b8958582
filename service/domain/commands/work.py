"""Requests and reports of workers."""

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
    """A report of the worker that holds *token*; *screen_id* names the screen that the Writer stores with it."""

    token: ids.Token
    worker: ids.WorkerId | None = None


class RecordHeartbeat(Report, frozen=True, kw_only=True):
    """The worker is alive and still holds the unit."""

    progress: float | None = None
    note: str | None = None
    session: str | None = None
    idle: bool | None = None
    alive: bool | None = None
    output_at: datetime | None = None
    usage: dict[str, float] | None = None
    screen_id: str | None = None


class CompleteUnit(Report, frozen=True, kw_only=True):
    """The execution succeeded."""

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
    """The worker cannot continue before *resume_at*, or for *resume_after_s*; this is not a failure."""

    reason: str
    resume_at: datetime | None = None
    resume_after_s: float | None = None


class ReleaseClaim(Report, frozen=True, kw_only=True):
    """The worker gives the unit back."""

    reason: str | None = None


class BeatWorker(Command, frozen=True):
    """A heartbeat or registration of a worker; with *alive* false, the worker signs off."""

    worker: ids.WorkerId
    alive: bool = True
    capacity: int | None = None
    labels: dict[str, str] | None = None
    version: str | None = None


class DrainWorker(Command, frozen=True):
    """Give the worker no new claims; it finishes those that it holds."""

    worker: ids.WorkerId
    reason: str | None = None


class FenceWorker(Command, frozen=True):
    """Take every claim from the worker at once, neutrally."""

    worker: ids.WorkerId
    reason: str | None = None
