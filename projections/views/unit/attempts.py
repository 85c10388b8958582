"""The attempts of one unit, folded from its events on request."""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from msgspec import Raw, Struct, field

from service.domain import events as e
from service.domain import ids
from service.domain.instant import Instant

Outcome = Literal["running", "completed", "failed", "expired", "parked", "released"]


def no_document() -> Raw:
    """Return what stands for a result or an evidence that nobody gave."""
    return Raw(b"null")


class AttemptRecord(Struct, kw_only=True):
    """One attempt; it runs while *ended_at* is None. *attempt* is its number, which a neutral end does not use up.

    Events have no *session* and no text of a *screen*: a reader adds them from the heartbeats and by *screen_id*.
    """

    attempt: int
    started_at: Instant
    ended_at: Instant | None = None
    duration_s: float | None = None
    worker: ids.WorkerId | None
    mode: ids.Mode
    outcome: Outcome = "running"
    reason: str | None = None
    error: str | None = None
    exit_code: int | None = None
    signal: str | None = None
    mapped_from: int | None = None
    session: str | None = None
    usage: dict[str, float] | None = None
    result: Raw = field(default_factory=no_document)
    evidence: Raw = field(default_factory=no_document)
    screen_id: str | None = None
    screen: str | None = None
    position: int


def attempt_history(events: Iterable[e.Recorded]) -> list[AttemptRecord]:
    """Return every attempt in the *events* of one unit, in their order."""
    attempts: dict[ids.Token, AttemptRecord] = {}
    for event in events:
        body = event.body
        if isinstance(body, e.UnitClaimed):
            attempts[body.token] = started(body, event)
        elif isinstance(body, e.UnitCompleted | e.AttemptFailed | e.UnitParked | e.UnitReleased) and body.token is not None:
            attempt = attempts.get(body.token)
            if attempt is not None:
                end(attempt, body, event.at)
    return list(attempts.values())


def started(body: e.UnitClaimed, event: e.Recorded) -> AttemptRecord:
    """Return an attempt that runs."""
    return AttemptRecord(attempt=body.attempt, started_at=event.at, worker=event.worker, mode=body.mode, position=event.position)


def end(attempt: AttemptRecord, body: e.UnitCompleted | e.AttemptFailed | e.UnitParked | e.UnitReleased, at: datetime) -> None:
    """Note how *attempt* ended; a late completion replaces the end before it."""
    attempt.ended_at = at
    attempt.duration_s = (at - attempt.started_at).total_seconds()
    match body:
        case e.UnitCompleted():
            attempt.outcome, attempt.reason, attempt.error = "completed", None, None
            attempt.exit_code, attempt.signal, attempt.usage = body.exit_code, body.signal, body.usage
            attempt.mapped_from, attempt.result, attempt.evidence = body.mapped_from, body.result, body.evidence
        case e.AttemptFailed():
            attempt.outcome = "expired" if body.reason in ids.SILENT_FAILURES else "failed"
            attempt.reason, attempt.error, attempt.screen_id = body.reason, body.error, body.screen_id
            attempt.exit_code, attempt.signal, attempt.usage = body.exit_code, body.signal, body.usage
        case e.UnitParked():
            attempt.outcome, attempt.reason = "parked", body.reason
        case e.UnitReleased():
            attempt.outcome, attempt.reason = "released", body.cause
