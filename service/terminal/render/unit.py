"""How units look: in lists, in quarantine, and one with its whole story."""

from collections.abc import Iterator

import msgspec

from service.client.api_types import ApiAttempt, ApiBlocker, ApiQuarantinedUnit, ApiUnit, ApiUnitPlace, ApiUnitRow
from service.terminal.formatting import NOTHING, at, line, lines, percent, short, since, span
from service.terminal.render.table import Column

SCREEN_LINES = 20
SHORT, NARROW_NAME, NARROW_FAILED, NARROW_KEY = 60, 16, 20, 26


def waits(unit: ApiUnitPlace) -> str:
    """Return until when it waits."""
    return at(unit.due_at if unit.state == "delayed" else unit.resume_at if unit.state == "parked" else None)


def why(unit: ApiUnitPlace) -> str:
    """Return the reason and the first words of the error."""
    return ": ".join(line(text) for text in (unit.reason, unit.error) if text)[:SHORT] or NOTHING


def holds(unit: ApiUnitPlace) -> str:
    """Return what says most of a unit in its state: who has it, until when it waits, what went wrong."""
    told = line(unit.worker) if unit.state == "running" and unit.worker else waits(unit)
    return " · ".join(text for text in (told, why(unit)) if text != NOTHING) or NOTHING


def took(attempt: ApiAttempt) -> str:
    """Return how long an attempt ran, or runs."""
    if attempt.ended_at is None:
        return since(attempt.started_at)
    return span((attempt.ended_at - attempt.started_at).total_seconds())


KEY = Column[ApiUnitRow]("unit", lambda unit: line(unit.key))
STATE = Column[ApiUnitRow]("state", lambda unit: unit.state)
ATTEMPTS = Column[ApiUnitRow]("tries", lambda unit: str(unit.attempts), right=True)
UPDATED = Column[ApiUnitRow]("for", lambda unit: since(unit.updated_at), right=True)

LIST = (
    KEY,
    STATE,
    Column[ApiUnitRow]("group", lambda unit: str(unit.group), right=True),
    ATTEMPTS,
    Column[ApiUnitRow]("parks", lambda unit: str(unit.parks), right=True),
    Column[ApiUnitRow]("worker", lambda unit: line(unit.worker)),
    Column[ApiUnitRow]("until", waits),
    UPDATED,
    Column[ApiUnitRow]("why", why),
)
LIVE = (KEY, STATE, ATTEMPTS, UPDATED, Column[ApiUnitRow]("worker · until · why", holds))
QUARANTINE = (
    Column[ApiQuarantinedUnit]("unit", lambda unit: line(unit.key)),
    Column[ApiQuarantinedUnit]("reason", lambda unit: unit.reason),
    Column[ApiQuarantinedUnit]("tries", lambda unit: str(unit.attempts), right=True),
    Column[ApiQuarantinedUnit]("since", lambda unit: since(unit.quarantined_at), right=True),
    Column[ApiQuarantinedUnit]("campaign", lambda unit: line(unit.campaign)),
    Column[ApiQuarantinedUnit]("error", lambda unit: line(unit.error)[:SHORT]),
)
NARROW_QUARANTINE = (
    Column[ApiQuarantinedUnit]("unit", lambda unit: short(line(unit.key), NARROW_FAILED)),
    *QUARANTINE[1:4],
    Column[ApiQuarantinedUnit]("campaign", lambda unit: short(line(unit.campaign), NARROW_NAME)),
    QUARANTINE[-1],
)
NARROW = (Column[ApiUnitRow]("unit", lambda unit: short(line(unit.key), NARROW_KEY)), *LIVE[1:])
ATTEMPT = (
    Column[ApiAttempt]("#", lambda attempt: str(attempt.attempt), right=True),
    Column[ApiAttempt]("started", lambda attempt: at(attempt.started_at)),
    Column[ApiAttempt]("took", took, right=True),
    Column[ApiAttempt]("outcome", lambda attempt: attempt.outcome or NOTHING),
    Column[ApiAttempt]("worker", lambda attempt: line(attempt.worker)),
    Column[ApiAttempt]("exit", lambda attempt: NOTHING if attempt.exit_code is None else str(attempt.exit_code), right=True),
    Column[ApiAttempt](
        "why", lambda attempt: ": ".join(line(text) for text in (attempt.reason, attempt.error) if text) or NOTHING
    ),
)
BLOCKER = (
    Column[ApiBlocker]("reason", lambda blocker: blocker.reason),
    Column[ApiBlocker]("entity", lambda blocker: line(blocker.entity)),
    Column[ApiBlocker]("clears", lambda blocker: at(blocker.clears_at)),
    Column[ApiBlocker]("detail", lambda blocker: line(blocker.detail)),
)


def sheet(unit: ApiUnit) -> Iterator[tuple[str, str]]:
    """Yield what there is to know of a unit, but its attempts and its screen."""
    yield "unit", line(unit.key)
    yield "campaign", line(unit.campaign)
    yield "state", unit.state
    yield "since", f"{at(unit.updated_at)} ({since(unit.updated_at)})"
    yield "until", waits(unit)
    yield "why", line(unit.reason)
    yield "error", line(unit.error)
    yield "because of", line(unit.because_of)
    yield "worker", line(unit.worker)
    yield "lease until", at(unit.lease_until)
    yield "progress", percent(unit.progress)
    yield "note", line(unit.note)
    yield "group", f"{unit.group}, priority {unit.priority}"
    yield "attempts", f"{unit.attempt_count}, parked {unit.parks} times"
    yield "depends on", ", ".join(line(key) for key in unit.depends_on)
    yield "fix of", line(unit.fix_of)
    yield "payload", "" if unit.payload is None else line(msgspec.json.encode(unit.payload).decode())


def screen(text: str | None, height: int = SCREEN_LINES) -> list[str]:
    """Return the last lines of a screen."""
    return lines(text or "")[-height:]
