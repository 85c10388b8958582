"""What an event says, as a sentence."""

from collections.abc import Callable
from typing import Any

import msgspec

from projections.cockpit.text.formatting import count, span
from projections.http.reads.events import LogEvent

EventSentence = dict[str, Any]
LONGEST = 300


def event_sentence(event: LogEvent) -> str:
    """Return what *event* says, in words."""
    said: EventSentence = msgspec.json.decode(event.data)
    sentence = SENTENCES.get(event.kind, spelled)
    return sentence(said)


def spelled(said: EventSentence) -> str:
    """Return the fields of an event that nobody has words for.

    >>> spelled({"a": 1, "b": None, "c": {"d": 2}})
    'a 1 · c {"d":2}'
    """
    shown = (
        f"{name} {value if isinstance(value, str) else msgspec.json.encode(value).decode()}"
        for name, value in said.items()
        if value not in (None, {}, [], "")
    )
    return " · ".join(shown)[:LONGEST]


def by(said: EventSentence) -> str:
    """Return who did it, and why if it was said."""
    return f"by {said['by']}" + because(said)


def because(said: EventSentence) -> str:
    """Return the reason if it was said."""
    return f": {said['reason']}" if said.get("reason") else ""


def until(said: EventSentence, field: str = "resume_at") -> str:
    """Return until when, in UTC."""
    at = said.get(field)
    return f" until {at[:19].replace('T', ' ')} UTC" if at else ""


def units(said: EventSentence) -> str:
    """Return how many units came.

    >>> units({"units": [1]})
    '1 unit'
    """
    return f"{count(len(said['units']))} unit{'' if len(said['units']) == 1 else 's'}"


def edited(said: EventSentence) -> str:
    """Return which fields changed, from what to what."""
    parts = []
    for name, change in said["changes"].items():
        if isinstance(change["old"], dict) and isinstance(change["new"], dict):
            parts += [
                f"{name}.{field} {short(old)} → {short(new)}" for field, old, new in differences(change["old"], change["new"])
            ]
        else:
            parts.append(f"{name} {short(change['old'])} → {short(change['new'])}")
    return "edited: " + ", ".join(parts)


def differences(old: EventSentence, new: EventSentence) -> list[tuple[str, Any, Any]]:
    """Return the members in which two objects differ."""
    return [(name, old.get(name), new.get(name)) for name in {**old, **new} if old.get(name) != new.get(name)]


def short(value: object) -> str:
    """Return a value in a few characters."""
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= 60 else text[:60] + "…"  # noqa: PLR2004 - a line of a timeline


def failed(said: EventSentence) -> str:
    """Return how an attempt failed."""
    code = f", exit {said['exit_code']}" if said.get("exit_code") is not None else ""
    error = f": {said['error']}" if said.get("error") else ""
    return f"attempt {said['attempt']} failed, {said['reason']}{code}, after {span(said['duration'])}{error}"


def quarantined(said: EventSentence) -> str:
    """Return why a unit failed for good."""
    error = f": {said['error']}" if said.get("error") else ""
    return f"quarantined, {said['reason']}, after {said['attempts']} attempts{error}"


def swapped(said: EventSentence) -> str:
    """Say what a rebuild has taken back."""
    anew = [f"lets {', '.join(sorted(said['families']))} begin anew"] if said["families"] else []
    mended = [f"has mended {said['mended']}"] if said.get("mended") else []
    return f"a rebuild {' and '.join(anew + mended)}"


SENTENCES: dict[str, Callable[[EventSentence], str]] = {
    "engine.paused": lambda said: f"engine paused {by(said)}",
    "engine.resumed": lambda said: f"engine resumed {by(said)}",
    "engine.resized": lambda said: f"pool resized to {said['pool_size']} slots",
    "projection.swapped": swapped,
    "quota.gate_closed": lambda said: f"gate closed, {said['reason']}{until(said)}",
    "quota.gate_opened": lambda said: f"gate opened, {said['cause']}",
    "campaign.created": lambda said: f"created as “{said['title']}”",
    "campaign.edited": edited,
    "campaign.paused": lambda said: f"paused {by(said)}",
    "campaign.resumed": lambda said: f"resumed {by(said)}",
    "campaign.breaker_tripped": lambda said: f"breaker tripped after {len(said['failures'])} failures in a row",
    "campaign.breaker_reset": lambda said: f"breaker reset ({said['cause'].replace('_', ' ')}) {by(said)}",
    "campaign.completed": lambda said: f"completed, {said['outcome']}, after {span(said['duration'])}",
    "campaign.reopened": lambda said: f"reopened: {said['cause'].replace('_', ' ')}",
    "campaign.cancelled": lambda said: f"cancelled {by(said)}",
    "units.added": lambda said: f"{units(said)} added",
    "units.updated": lambda said: f"{units(said)} updated",
    "unit.unblocked": lambda said: f"ready: {said['by']} was the last that it waited for",
    "unit.claimed": lambda said: f"attempt {said['attempt']} claimed ({said['mode']}), after waiting {span(said['waited'])}",
    "unit.completed": lambda said: f"done: attempt {said['attempt']} took {span(said['duration'])}",
    "unit.attempt_failed": failed,
    "unit.lease_expired": lambda said: f"lease expired: {said['worker']} was silent for {span(said['age'])}",
    "unit.retry_scheduled": lambda said: f"rests {span(said['delay_ms'] / 1000)} before the next attempt",
    "unit.retry_due": lambda _: "rested, ready again",
    "unit.quarantined": quarantined,
    "unit.quarantine_cleared": lambda said: f"sent back to work {by(said)}",
    "unit.parked": lambda said: f"parked, {said['reason']}{until(said)}",
    "unit.unparked": lambda said: f"pause over ({said['cause']}), ready again",
    "unit.released": lambda said: f"handed back ({said['cause']}), nothing counted",
    "unit.skipped": lambda said: f"skipped because of {said['because_of']}",
    "unit.unskipped": lambda said: f"waits again: {said['because_of']} is back at work",
    "unit.cancelled": lambda said: f"cancelled {by(said)}",
    "unit.late_result": lambda said: f"a late result was kept and changed nothing; held by {said.get('owner') or 'nobody'}",
    "unit.heartbeat": lambda said: spelled({name: value for name, value in said.items() if name not in ("token", "screen_id")}),
    "worker.registered": lambda said: f"registered{', capacity ' + str(said['capacity']) if said.get('capacity') else ''}",
    "worker.deregistered": lambda said: f"gone ({said['reason']})",
    "worker.heartbeat": lambda said: "alive" if said.get("alive", True) else "says that it ends",
    "worker.level_changed": lambda said: f"{said['from']} → {said['to']}, last heard {span(said['age'])} ago",
    "worker.draining": lambda said: f"draining {by(said)}",
    "worker.fenced": lambda said: f"fenced {by(said)}",
}
