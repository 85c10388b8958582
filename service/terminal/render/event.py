"""How events are shown."""

from typing import Any

from service.client.api_types import ApiEvent
from service.terminal.formatting import NOTHING, one_line, plural, shortened, time_text
from service.terminal.render.table import Column

SUMMARY_MEMBERS = (
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
"""The members of an event's data that its summary shows, most important first."""
SHORT, NARROW_NAME = 60, 22


def summary(event: ApiEvent) -> str:
    """Return the data of an event in a few words."""
    chunk = event.data.get("units")
    parts = [plural(len(chunk), "unit")] if isinstance(chunk, list) else []
    parts += [f"{name}={short_value(event.data[name])}" for name in SUMMARY_MEMBERS if event.data.get(name) is not None]
    return " ".join(parts)


def short_value(value: Any) -> str:  # noqa: ANN401 - any JSON
    """Return a value on one line, cut."""
    return one_line(str(value))[:SHORT]


def subject(event: ApiEvent) -> str:
    """Return the unit, campaign or worker that an event is about.

    >>> from datetime import UTC, datetime
    >>> subject(ApiEvent(position=1, kind="unit.claimed", campaign="c", unit="a", recorded_at=datetime.now(UTC)))
    'c/a'
    """
    return "/".join(one_line(name) for name in (event.campaign, event.unit) if name) or one_line(event.worker)


LIST = (
    Column[ApiEvent]("position", lambda event: str(event.position), right=True),
    Column[ApiEvent]("time", lambda event: time_text(event.recorded_at)),
    Column[ApiEvent]("kind", lambda event: event.kind),
    Column[ApiEvent]("about", subject),
    Column[ApiEvent]("what", lambda event: summary(event) or NOTHING),
)
LIVE = (
    LIST[1],
    LIST[2],
    Column[ApiEvent]("unit", lambda event: one_line(event.unit or event.worker)),
    Column[ApiEvent]("what", lambda event: summary(event) or NOTHING),
    Column[ApiEvent]("campaign", lambda event: one_line(event.campaign)),
)
NARROW = (
    LIST[1],
    LIST[2],
    Column[ApiEvent]("unit", lambda event: shortened(one_line(event.unit or event.worker), NARROW_NAME)),
    *LIVE[3:],
)


def event_line(event: ApiEvent) -> str:
    """Return an event as one line of `muster events --follow`."""
    return f"{event.position:>8} {time_text(event.recorded_at)} {event.kind:<24} {subject(event)} {summary(event)}".rstrip()
