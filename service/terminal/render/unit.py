"""How units are shown: in lists, in quarantine, and one with all its attempts."""

from collections.abc import Iterator

import msgspec

from service.client.api_types import ApiAttempt, ApiBlocker, ApiQuarantinedUnit, ApiUnit, ApiUnitRow, ApiUnitSummary
from service.terminal.formatting import NOTHING, age, duration, one_line, percent, safe_lines, shortened, time_text
from service.terminal.render.table import Column

SCREEN_LINES = 20
SHORT, NARROW_NAME, NARROW_FAILED, NARROW_KEY = 60, 16, 20, 26


def waiting_until(unit: ApiUnitSummary) -> str:
    """Return until when a delayed or parked unit waits."""
    return time_text(unit.due_at if unit.state == "delayed" else unit.resume_at if unit.state == "parked" else None)


def reason_and_error(unit: ApiUnitSummary) -> str:
    """Return the reason and the start of the error."""
    return ": ".join(one_line(text) for text in (unit.reason, unit.error) if text)[:SHORT] or NOTHING


def current_detail(unit: ApiUnitSummary) -> str:
    """Return what matters most in the state of a unit: its worker, the end of its wait, or its error."""
    worker_or_time = one_line(unit.worker) if unit.state == "running" and unit.worker else waiting_until(unit)
    return " · ".join(text for text in (worker_or_time, reason_and_error(unit)) if text != NOTHING) or NOTHING


def attempt_duration(attempt: ApiAttempt) -> str:
    """Return how long an attempt ran, or has been running."""
    if attempt.ended_at is None:
        return age(attempt.started_at)
    return duration((attempt.ended_at - attempt.started_at).total_seconds())


KEY = Column[ApiUnitRow]("unit", lambda unit: one_line(unit.key))
STATE = Column[ApiUnitRow]("state", lambda unit: unit.state)
ATTEMPTS = Column[ApiUnitRow]("tries", lambda unit: str(unit.attempts), right=True)
UPDATED = Column[ApiUnitRow]("for", lambda unit: age(unit.updated_at), right=True)

LIST = (
    KEY,
    STATE,
    Column[ApiUnitRow]("group", lambda unit: str(unit.group), right=True),
    ATTEMPTS,
    Column[ApiUnitRow]("parks", lambda unit: str(unit.parks), right=True),
    Column[ApiUnitRow]("worker", lambda unit: one_line(unit.worker)),
    Column[ApiUnitRow]("until", waiting_until),
    UPDATED,
    Column[ApiUnitRow]("why", reason_and_error),
)
LIVE = (KEY, STATE, ATTEMPTS, UPDATED, Column[ApiUnitRow]("worker · until · why", current_detail))
QUARANTINE = (
    Column[ApiQuarantinedUnit]("unit", lambda unit: one_line(unit.key)),
    Column[ApiQuarantinedUnit]("reason", lambda unit: unit.reason),
    Column[ApiQuarantinedUnit]("tries", lambda unit: str(unit.attempts), right=True),
    Column[ApiQuarantinedUnit]("since", lambda unit: age(unit.quarantined_at), right=True),
    Column[ApiQuarantinedUnit]("campaign", lambda unit: one_line(unit.campaign)),
    Column[ApiQuarantinedUnit]("error", lambda unit: one_line(unit.error)[:SHORT]),
)
NARROW_QUARANTINE = (
    Column[ApiQuarantinedUnit]("unit", lambda unit: shortened(one_line(unit.key), NARROW_FAILED)),
    *QUARANTINE[1:4],
    Column[ApiQuarantinedUnit]("campaign", lambda unit: shortened(one_line(unit.campaign), NARROW_NAME)),
    QUARANTINE[-1],
)
NARROW = (Column[ApiUnitRow]("unit", lambda unit: shortened(one_line(unit.key), NARROW_KEY)), *LIVE[1:])
ATTEMPT = (
    Column[ApiAttempt]("#", lambda attempt: str(attempt.attempt), right=True),
    Column[ApiAttempt]("started", lambda attempt: time_text(attempt.started_at)),
    Column[ApiAttempt]("took", attempt_duration, right=True),
    Column[ApiAttempt]("outcome", lambda attempt: attempt.outcome or NOTHING),
    Column[ApiAttempt]("worker", lambda attempt: one_line(attempt.worker)),
    Column[ApiAttempt]("exit", lambda attempt: NOTHING if attempt.exit_code is None else str(attempt.exit_code), right=True),
    Column[ApiAttempt](
        "why", lambda attempt: ": ".join(one_line(text) for text in (attempt.reason, attempt.error) if text) or NOTHING
    ),
)
BLOCKER = (
    Column[ApiBlocker]("reason", lambda blocker: blocker.reason),
    Column[ApiBlocker]("entity", lambda blocker: one_line(blocker.entity)),
    Column[ApiBlocker]("clears", lambda blocker: time_text(blocker.clears_at)),
    Column[ApiBlocker]("detail", lambda blocker: one_line(blocker.detail)),
)


def details(unit: ApiUnit) -> Iterator[tuple[str, str]]:
    """Yield every detail of a unit except its attempts and its screen."""
    yield "unit", one_line(unit.key)
    yield "campaign", one_line(unit.campaign)
    yield "state", unit.state
    yield "since", f"{time_text(unit.updated_at)} ({age(unit.updated_at)})"
    yield "until", waiting_until(unit)
    yield "why", one_line(unit.reason)
    yield "error", one_line(unit.error)
    yield "because of", one_line(unit.because_of)
    yield "worker", one_line(unit.worker)
    yield "lease until", time_text(unit.lease_until)
    yield "progress", percent(unit.progress)
    yield "note", one_line(unit.note)
    yield "group", f"{unit.group}, priority {unit.priority}"
    yield "attempts", f"{unit.attempts}, parked {unit.parks} times"
    yield "depends on", ", ".join(one_line(key) for key in unit.depends_on)
    yield "fix of", one_line(unit.fix_of)
    yield "payload", "" if not unit.payload else one_line(msgspec.json.encode(unit.payload).decode())


def last_screen_lines(text: str | None, height: int = SCREEN_LINES) -> list[str]:
    """Return the last lines of a screen."""
    return safe_lines(text or "")[-height:]
