"""The bodies of reports, and the command that each of them becomes."""

import signal
from typing import Annotated, Literal, Protocol

from msgspec import Meta, Raw, field

from service.domain import ids
from service.domain.commands import (
    BeatWorker,
    Command,
    CompleteUnit,
    FailAttempt,
    ParkClaim,
    RecordHeartbeat,
    ReleaseClaim,
)
from service.domain.content.json_limits import require_fit
from service.domain.content.redact import error_text, note_text, redact
from service.domain.instant import Instant
from service.http.request.fields import (
    Int32,
    Labels,
    Line,
    ParkSeconds,
    RequestBody,
    Share,
    Token,
    Usage,
    Word,
    instant,
    null,
)
from service.http.request.screens import Screens

Reason = Literal[
    "crash", "timeout", "max_duration", "idle_no_output", "idle_output", "launch_failed", "spawn", "error", "rate_limit"
]
Signal = Word | Annotated[int, Meta(ge=1, le=64)] | None
SIGNALS = {str(int(one)): one.name for one in signal.Signals}


def signal_name(value: str | int | None) -> str | None:
    """Return the name of a signal that a worker gave as a number or as a name; a name that is unknown here stays as it is.

    >>> signal_name(15), signal_name("15"), signal_name("term"), signal_name("SIGKILL")
    ('SIGTERM', 'SIGTERM', 'SIGTERM', 'SIGKILL')
    """
    if value is None:
        return None
    text = str(value)
    name = f"SIG{text.upper().removeprefix('SIG')}"
    return SIGNALS.get(text, name if name in signal.Signals.__members__ else text)


class ReportBody(Protocol):
    """A report about a claim, sent alone or in a list."""

    def command(self, token: ids.Token, worker: ids.WorkerId | None, screens: Screens, /) -> Command:
        """Return the command that records this report."""


class HeartbeatBody(RequestBody, frozen=True):
    """The worker lives and holds the unit; *output_at* is the time of its last output, *screen* its last lines."""

    progress: Share | None = None
    note: str | None = None
    session: Word | None = None
    idle: bool | None = None
    alive: bool | None = None
    output_at: Instant | None = None
    usage: Usage | None = None
    screen: str | None = None

    def __post_init__(self) -> None:
        """Check what the types cannot express."""
        instant("output_at", self.output_at)

    def command(self, token: ids.Token, worker: ids.WorkerId | None, screens: Screens) -> Command:
        """Return the command that records this report."""
        return RecordHeartbeat(
            token=token,
            worker=worker,
            progress=self.progress,
            note=note_text(self.note),
            session=self.session,
            idle=self.idle,
            alive=self.alive,
            output_at=self.output_at,
            usage=self.usage,
            screen_id=screens.keep(self.screen),
        )


class CompletionBody(RequestBody, frozen=True):
    """The work is done; a kill after `declared_result: success` is a success."""

    result: Raw = field(default_factory=null)
    evidence: Raw = field(default_factory=null)
    exit_code: Int32 | None = None
    signal: Signal = None
    declared_result: Word | None = None
    usage: Usage | None = None

    def __post_init__(self) -> None:
        """Check what the types cannot express."""
        require_fit("result", self.result)
        require_fit("evidence", self.evidence)

    def command(self, token: ids.Token, worker: ids.WorkerId | None, _screens: Screens) -> Command:
        """Return the command that records this report."""
        return CompleteUnit(
            token=token,
            worker=worker,
            result=self.result,
            evidence=self.evidence,
            exit_code=self.exit_code,
            signal=signal_name(self.signal),
            declared_result=self.declared_result,
            usage=self.usage,
        )


class FailureBody(RequestBody, frozen=True):
    """The execution failed; *error* is kept up to 4,000 characters, *retryable* false ends the retries.

    Reason `rate_limit` is a park, and closes the gate of the quota.
    """

    reason: Reason
    error: str | None = None
    exit_code: Int32 | None = None
    signal: Signal = None
    declared_result: Word | None = None
    retryable: bool | None = None
    screen: str | None = None
    usage: Usage | None = None

    def command(self, token: ids.Token, worker: ids.WorkerId | None, screens: Screens) -> Command:
        """Return the command that records this report."""
        return FailAttempt(
            token=token,
            worker=worker,
            reason="error" if self.reason == "rate_limit" else self.reason,
            rate_limited=self.reason == "rate_limit",
            error=error_text(self.error),
            exit_code=self.exit_code,
            signal=signal_name(self.signal),
            declared_result=self.declared_result,
            retryable=self.retryable,
            screen_id=screens.keep(self.screen),
            usage=self.usage,
        )


class ParkBody(RequestBody, frozen=True):
    """The worker cannot go on before *resume_at*, or for *resume_after_s*, which goes first: a quota, never a failure.

    A time that is not at least the campaign's back-off ahead counts as none: the quota's known reset, else 15 minutes.
    """

    reason: Word
    resume_at: Instant | None = None
    resume_after_s: ParkSeconds | None = None

    def __post_init__(self) -> None:
        """Check what the types cannot express."""
        instant("resume_at", self.resume_at)

    def command(self, token: ids.Token, worker: ids.WorkerId | None, _screens: Screens) -> Command:
        """Return the command that records this report."""
        return ParkClaim(
            token=token, worker=worker, reason=self.reason, resume_at=self.resume_at, resume_after_s=self.resume_after_s
        )


class ReleaseBody(RequestBody, frozen=True):
    """The worker hands the unit back; nothing is counted."""

    reason: Line | None = None

    def command(self, token: ids.Token, worker: ids.WorkerId | None, _screens: Screens) -> Command:
        """Return the command that records this report."""
        return ReleaseClaim(token=token, worker=worker, reason=self.reason)


class WorkerItem(RequestBody, frozen=True, kw_only=True, tag_field="type", tag="worker"):
    """The worker itself lives (or, with *alive* false, ends), and who it is."""

    alive: bool = True
    capacity: Annotated[int, Meta(ge=0, le=1_000_000)] | None = None
    labels: Labels | None = None
    version: Word | None = None

    def command(self, worker: ids.WorkerId) -> Command:
        """Return the command that records this report of *worker*."""
        labels = redact(self.labels)
        return BeatWorker(worker=worker, alive=self.alive, capacity=self.capacity, labels=labels, version=self.version)


class HeartbeatItem(HeartbeatBody, frozen=True, kw_only=True, tag_field="type", tag="heartbeat"):
    """A heartbeat in a list of reports."""

    token: Token


class CompletionItem(CompletionBody, frozen=True, kw_only=True, tag_field="type", tag="completed"):
    """A completion in a list of reports."""

    token: Token


class FailureItem(FailureBody, frozen=True, kw_only=True, tag_field="type", tag="failed"):
    """A failure in a list of reports."""

    token: Token


class ParkItem(ParkBody, frozen=True, kw_only=True, tag_field="type", tag="parked"):
    """A park in a list of reports."""

    token: Token


class ReleaseItem(ReleaseBody, frozen=True, kw_only=True, tag_field="type", tag="released"):
    """A release in a list of reports."""

    token: Token


Item = HeartbeatItem | CompletionItem | FailureItem | ParkItem | ReleaseItem | WorkerItem


def item_command(item: Item, worker: ids.WorkerId, screens: Screens) -> Command:
    """Return the command that records one item of *worker*."""
    return item.command(worker) if isinstance(item, WorkerItem) else item.command(item.token, worker, screens)
