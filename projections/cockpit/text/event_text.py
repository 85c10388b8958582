"""Events as sentences."""

from collections.abc import Callable
from typing import Any

import msgspec

from projections.cockpit.text.formatting import count, span
from projections.http.reads.events import LogEvent

EventData = dict[str, Any]
MAX_CHARS = 300


def event_sentence(event: LogEvent) -> str:
    """Return *event* as a sentence."""
    data: EventData = msgspec.json.decode(event.data)
    sentence = SENTENCES.get(event.kind, fields)
    return sentence(data)


def fields(data: EventData) -> str:
    """Return the fields of an event of a kind without a sentence.

    >>> fields({"a": 1, "b": None, "c": {"d": 2}})
    'a 1 · c {"d":2}'
    """
    pairs = (
        f"{name} {value if isinstance(value, str) else msgspec.json.encode(value).decode()}"
        for name, value in data.items()
        if value not in (None, {}, [], "")
    )
    return " · ".join(pairs)[:MAX_CHARS]


def by(data: EventData) -> str:
    """Return who did it, and the reason if one was given."""
    return f"by {data['by']}" + because(data)


def because(data: EventData) -> str:
    """Return the reason, if one was given."""
    return f": {data['reason']}" if data.get("reason") else ""


def until(data: EventData, field: str = "resume_at") -> str:
    """Return until when, in UTC."""
    at = data.get(field)
    return f" until {at[:19].replace('T', ' ')} UTC" if at else ""


def units(data: EventData) -> str:
    """Return how many units the event has.

    >>> units({"units": [1]})
    '1 unit'
    """
    return f"{count(len(data['units']))} unit{'' if len(data['units']) == 1 else 's'}"


def edited(data: EventData) -> str:
    """Return which fields changed, from what to what."""
    parts = []
    for name, change in data["changes"].items():
        if isinstance(change["old"], dict) and isinstance(change["new"], dict):
            parts += [
                f"{name}.{field} {short(old)} → {short(new)}" for field, old, new in differences(change["old"], change["new"])
            ]
        else:
            parts.append(f"{name} {short(change['old'])} → {short(change['new'])}")
    return "edited: " + ", ".join(parts)


def differences(old: EventData, new: EventData) -> list[tuple[str, Any, Any]]:
    """Return the members in which two objects differ."""
    return [(name, old.get(name), new.get(name)) for name in {**old, **new} if old.get(name) != new.get(name)]


def short(value: object) -> str:
    """Return a value in a few characters."""
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= 60 else text[:60] + "…"  # noqa: PLR2004 - a line of a timeline


def failed(data: EventData) -> str:
    """Return how an attempt failed."""
    code = f", exit {data['exit_code']}" if data.get("exit_code") is not None else ""
    error = f": {data['error']}" if data.get("error") else ""
    return f"attempt {data['attempt']} failed, {data['reason']}{code}, after {span(data['duration'])}{error}"


def quarantined(data: EventData) -> str:
    """Return why a unit failed for good."""
    error = f": {data['error']}" if data.get("error") else ""
    return f"quarantined, {data['reason']}, after {data['attempts']} attempts{error}"


def swapped(data: EventData) -> str:
    """Return what a rebuild has corrected."""
    resets = [f"reset {', '.join(sorted(data['families']))}"] if data["families"] else []
    corrections = [f"corrected {data['mended']}"] if data.get("mended") else []
    return f"a rebuild {' and '.join(resets + corrections)}"


SENTENCES: dict[str, Callable[[EventData], str]] = {
    "engine.paused": lambda data: f"engine paused {by(data)}",
    "engine.resumed": lambda data: f"engine resumed {by(data)}",
    "engine.resized": lambda data: f"pool resized to {data['pool_size']} slots",
    "projection.swapped": swapped,
    "quota.gate_closed": lambda data: f"gate closed, {data['reason']}{until(data)}",
    "quota.gate_opened": lambda data: f"gate opened, {data['cause']}",
    "campaign.created": lambda data: f"created as “{data['title']}”",
    "campaign.edited": edited,
    "campaign.paused": lambda data: f"paused {by(data)}",
    "campaign.resumed": lambda data: f"resumed {by(data)}",
    "campaign.breaker_tripped": lambda data: f"breaker tripped after {len(data['failures'])} failures in a row",
    "campaign.breaker_reset": lambda data: f"breaker reset ({data['cause'].replace('_', ' ')}) {by(data)}",
    "campaign.completed": lambda data: f"completed, {data['outcome']}, after {span(data['duration'])}",
    "campaign.reopened": lambda data: f"reopened: {data['cause'].replace('_', ' ')}",
    "campaign.cancelled": lambda data: f"cancelled {by(data)}",
    "units.added": lambda data: f"{units(data)} added",
    "units.updated": lambda data: f"{units(data)} updated",
    "unit.unblocked": lambda data: f"ready: {data['by']} was its last open dependency",
    "unit.claimed": lambda data: f"attempt {data['attempt']} claimed ({data['mode']}), after waiting {span(data['waited'])}",
    "unit.completed": lambda data: f"done: attempt {data['attempt']} took {span(data['duration'])}",
    "unit.attempt_failed": failed,
    "unit.lease_expired": lambda data: f"lease expired: {data['worker']} was silent for {span(data['age'])}",
    "unit.retry_scheduled": lambda data: f"retried in {span(data['delay_ms'] / 1000)}",
    "unit.retry_due": lambda _: "ready again for a retry",
    "unit.quarantined": quarantined,
    "unit.quarantine_cleared": lambda data: f"retried {by(data)}",
    "unit.parked": lambda data: f"parked, {data['reason']}{until(data)}",
    "unit.unparked": lambda data: f"unparked ({data['cause']}), ready again",
    "unit.released": lambda data: f"handed back ({data['cause']}), nothing counted",
    "unit.skipped": lambda data: f"skipped because of {data['because_of']}",
    "unit.unskipped": lambda data: f"waits again: {data['because_of']} is back at work",
    "unit.cancelled": lambda data: f"cancelled {by(data)}",
    "unit.late_result": lambda data: f"a late result was kept and changed nothing; held by {data.get('owner') or 'nobody'}",
    "unit.heartbeat": lambda data: fields({name: value for name, value in data.items() if name not in ("token", "screen_id")}),
    "worker.registered": lambda data: f"registered{', capacity ' + str(data['capacity']) if data.get('capacity') else ''}",
    "worker.deregistered": lambda data: f"gone ({data['reason']})",
    "worker.heartbeat": lambda data: "alive" if data.get("alive", True) else "is stopping",
    "worker.level_changed": lambda data: f"{data['from']} → {data['to']}, last heard {span(data['age'])} ago",
    "worker.draining": lambda data: f"draining {by(data)}",
    "worker.fenced": lambda data: f"fenced {by(data)}",
}
