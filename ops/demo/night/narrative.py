"""The account of the night: what happened to every unit and why, in words, from its own events."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ops.demo.night.scenario import fate

Event = Mapping[str, Any]


SAID: dict[str, str] = {
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
    "unit.late_result": "what {worker} said too late was refused",
}
"""What nobody needs to read is not here: heartbeats, and the end of a rest."""


def words(event: Event) -> str | None:
    """Say in words what *event* was; None for what nobody needs to read.

    >>> words({"kind": "unit.unblocked", "worker": None, "data": {"by": "a"}})
    'freed by a'
    """
    text = SAID.get(event["kind"])
    way = " → ".join(event["data"].get("path", ()))
    return None if text is None else text.format(**{**event["data"], "worker": event["worker"], "way": way})


def story(events: Iterable[Event]) -> str:
    """Tell the events of one unit in one line."""
    return " · ".join(said for event in events if (said := words(event)))


def complaints(key: str, state: str, kinds: set[str]) -> Iterator[str]:
    """Say what is missing from the account of one unit."""
    meant = fate(key)
    if state != meant.state:
        yield f"UNACCOUNTED FOR: {key} is {state}, it should be {meant.state}"
    if missing := sorted(meant.kinds - kinds):
        yield f"UNACCOUNTED FOR: {key} has no {', '.join(missing)}"
