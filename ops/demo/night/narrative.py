"""The history of every unit of the night as text, from its events."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ops.demo.night.scenario import expected_outcome

Event = Mapping[str, Any]


EVENT_TEXTS: dict[str, str] = {
    "unit.claimed": "{worker} took it",
    "unit.completed": "done in {duration:.1f} s",
    "unit.lease_expired": "nothing heard of {worker} for {age:.0f} s",
    "unit.attempt_failed": "attempt {attempt} failed: {reason}",
    "unit.retry_scheduled": "rested {delay_ms} ms",
    "unit.quarantined": "quarantined: {reason} after {attempts}",
    "unit.quarantine_cleared": "sent back by a person",
    "unit.parked": "parked: {reason} until {resume_at:.19}",
    "unit.unparked": "went on by itself ({cause})",
    "unit.released": "handed back ({cause})",
    "unit.skipped": "skipped because of {because_of}: {way}",
    "unit.unblocked": "freed by {by}",
    "unit.late_result": "the late report of {worker} was refused",
}
"""Heartbeats and the end of a retry delay are left out on purpose."""


def event_text(event: Event) -> str | None:
    """Return the text of *event*, None for a kind that is left out.

    >>> event_text({"kind": "unit.unblocked", "worker": None, "data": {"by": "a"}})
    'freed by a'
    """
    text = EVENT_TEXTS.get(event["kind"])
    way = " → ".join(event["data"].get("path", ()))
    return None if text is None else text.format(**{**event["data"], "worker": event["worker"], "way": way})


def story(events: Iterable[Event]) -> str:
    """Return the events of one unit in one line."""
    return " · ".join(said for event in events if (said := event_text(event)))


def complaints(key: str, state: str, kinds: set[str]) -> Iterator[str]:
    """Yield what differs from the expected outcome of one unit."""
    meant = expected_outcome(key)
    if state != meant.state:
        yield f"UNACCOUNTED FOR: {key} is {state}, it should be {meant.state}"
    if missing := sorted(meant.kinds - kinds):
        yield f"UNACCOUNTED FOR: {key} has no {', '.join(missing)}"
