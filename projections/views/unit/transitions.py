"""The state transition of each event of a unit."""

from collections.abc import Callable
from typing import Any

from service.domain import events as e
from service.domain import ids

Transition = tuple[ids.UnitState, ids.UnitState]
TransitionOf = Callable[[Any], Transition]


def always(old: ids.UnitState, new: ids.UnitState) -> TransitionOf:
    """Return the transition of an event that always has the same."""
    return lambda _body: (old, new)


TRANSITIONS: dict[type[e.Event], TransitionOf] = {
    e.UnitClaimed: always("ready", "running"),
    e.UnitCompleted: lambda body: (body.was, "done"),
    e.RetryScheduled: always("running", "delayed"),
    e.RetryDue: always("delayed", "ready"),
    e.UnitQuarantined: lambda body: (body.was, "quarantined"),
    e.QuarantineCleared: lambda body: ("quarantined", body.to),
    e.UnitParked: lambda body: (body.was, "parked"),
    e.UnitUnparked: always("parked", "ready"),
    e.UnitReleased: always("running", "ready"),
    e.UnitUnblocked: always("blocked", "ready"),
    e.UnitSkipped: lambda body: (body.was, "skipped"),
    e.UnitUnskipped: lambda body: ("skipped", body.to),
    e.UnitCancelled: lambda body: (body.was, "cancelled"),
}
