"""How units look: in lists, in quarantine, and one with its whole story."""

from collections.abc import Iterator

import msgspec

from service.terminal.api_types import Attempt, Blocker, Placed, Quarantined, Unit, UnitRow
from service.terminal.formatting import NOTHING, at, line, lines, percent, short, since, span
from service.terminal.render.table import Column

SCREEN_LINES = 20
SHORT, NARROW_NAME, NARROW_FAILED, NARROW_KEY = 60, 16, 20, 26


def waits(unit: Placed) -> str:
    """Return until when it waits."""
    return at(unit.due_at if unit.state == "delayed" else unit.resume_at if unit.state == "parked" else None)


def why(unit: Placed) -> str:
    """Return the reason and the first words of the error."""
    return ": ".join(line(text) for text in (unit.reason, unit.error) if text)[:SHORT] or NOTHING


def holds(unit: Placed) -> str:
    """Return what says most of a unit in its state: who has it, until when it waits, what went wrong."""
    told = line(unit.worker) if unit.state == "running" and unit.worker else waits(unit)
    return " · ".join(text for text in (told, why(unit)) if text != NOTHING) or NOTHING


def took(attempt: Attempt) -> str:
    """Return how long an attempt ran, or runs."""
    if attempt.ended_at is None:
        return since(attempt.started_at)
    return span((attempt.ended_at - attempt.started_at).total_seconds())


KEY = Column[UnitRow]("unit", lambda unit: line(unit.key))
STATE = Column[UnitRow]("state", lambda unit: unit.state)
ATTEMPTS = Column[UnitRow]("tries", lambda unit: str(unit.attempts), right=True)
UPDATED = Column[UnitRow]("for", lambda unit: since(unit.updated_at), right=True)

LIST = (
    KEY,
    STATE,
    Column[UnitRow]("group", lambda unit: str(unit.group), right=True),
    ATTEMPTS,
    Column[UnitRow]("parks", lambda unit: str(unit.parks), right=True),
    Column[UnitRow]("worker", lambda unit: line(unit.worker)),
    Column[UnitRow]("until", waits),
    UPDATED,
    Column[UnitRow]("why", why),
)
LIVE = (KEY, STATE, ATTEMPTS, UPDATED, Column[UnitRow]("worker · until · why", holds))
QUARANTINE = (
    Column[Quarantined]("unit", lambda unit: line(unit.key)),
    Column[Quarantined]("reason", lambda unit: unit.reason),
    Column[Quarantined]("tries", lambda unit: str(unit.attempts), right=True),
    Column[Quarantined]("since", lambda unit: since(unit.quarantined_at), right=True),
    Column[Quarantined]("campaign", lambda unit: line(unit.campaign)),
    Column[Quarantined]("error", lambda unit: line(unit.error)[:SHORT]),
)
NARROW_QUARANTINE = (
    Column[Quarantined]("unit", lambda unit: short(line(unit.key), NARROW_FAILED)),
    *QUARANTINE[1:4],
    Column[Quarantined]("campaign", lambda unit: short(line(unit.campaign), NARROW_NAME)),
    QUARANTINE[-1],
)
NARROW = (Column[UnitRow]("unit", lambda unit: short(line(unit.key), NARROW_KEY)), *LIVE[1:])
ATTEMPT = (
    Column[Attempt]("#", lambda attempt: str(attempt.attempt), right=True),
    Column[Attempt]("started", lambda attempt: at(attempt.started_at)),
    Column[Attempt]("took", took, right=True),
    Column[Attempt]("outcome", lambda attempt: attempt.outcome or NOTHING),
    Column[Attempt]("worker", lambda attempt: line(attempt.worker)),
    Column[Attempt]("exit", lambda attempt: NOTHING if attempt.exit_code is None else str(attempt.exit_code), right=True),
    Column[Attempt]("why", lambda attempt: ": ".join(line(text) for text in (attempt.reason, attempt.error) if text) or NOTHING),
)
BLOCKER = (
    Column[Blocker]("reason", lambda blocker: blocker.reason),
    Column[Blocker]("entity", lambda blocker: line(blocker.entity)),
    Column[Blocker]("clears", lambda blocker: at(blocker.clears_at)),
    Column[Blocker]("detail", lambda blocker: line(blocker.detail)),
)


def sheet(unit: Unit) -> Iterator[tuple[str, str]]:
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
