"""How events look."""

from typing import Any

from service.client.api_types import ApiEvent
from service.terminal.formatting import NOTHING, at, line, short, some
from service.terminal.render.table import Column

TELLING = (
    "reason",
    "error",
    "outcome",
    "cause",
    "attempt",
    "delay_ms",
    "resume_at",
    "from",
    "to",
    "because_of",
    "by",
    "progress",
    "note",
)
"""Members of an event's data that say most, in their order."""
SHORT, NARROW_NAME = 60, 22


def gist(event: ApiEvent) -> str:
    """Return what is in an event, in a few words."""
    chunk = event.data.get("units")
    said = [some(len(chunk), "unit")] if isinstance(chunk, list) else []
    said += [f"{name}={worded(event.data[name])}" for name in TELLING if event.data.get(name) is not None]
    return " ".join(said)


def worded(value: Any) -> str:  # noqa: ANN401 - any JSON
    """Return a value as a short word."""
    return line(str(value))[:SHORT]


def subject(event: ApiEvent) -> str:
    """Return what an event is about.

    >>> from datetime import UTC, datetime
    >>> subject(ApiEvent(position=1, kind="unit.claimed", campaign="c", unit="a", recorded_at=datetime.now(UTC)))
    'c/a'
    """
    return "/".join(line(name) for name in (event.campaign, event.unit) if name) or line(event.worker)


LIST = (
    Column[ApiEvent]("position", lambda event: str(event.position), right=True),
    Column[ApiEvent]("time", lambda event: at(event.recorded_at)),
    Column[ApiEvent]("kind", lambda event: event.kind),
    Column[ApiEvent]("about", subject),
    Column[ApiEvent]("what", lambda event: gist(event) or NOTHING),
)
LIVE = (
    LIST[1],
    LIST[2],
    Column[ApiEvent]("unit", lambda event: line(event.unit or event.worker)),
    Column[ApiEvent]("what", lambda event: gist(event) or NOTHING),
    Column[ApiEvent]("campaign", lambda event: line(event.campaign)),
)
NARROW = (
    LIST[1],
    LIST[2],
    Column[ApiEvent]("unit", lambda event: short(line(event.unit or event.worker), NARROW_NAME)),
    *LIVE[3:],
)


def event_line(event: ApiEvent) -> str:
    """Return an event as one line of a log that goes on."""
    return f"{event.position:>8} {at(event.recorded_at)} {event.kind:<24} {subject(event)} {gist(event)}".rstrip()
