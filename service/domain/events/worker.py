"""Events of workers and their heartbeat levels."""

from typing import Literal

import msgspec

from service.domain import ids
from service.domain.events.event import Event, Wakes


class WorkerRegistered(Event, frozen=True):
    """A worker introduced itself, or changed; *capacity* is how many units it can hold."""

    kind = "worker.registered"
    wakes = Wakes.CLAIMS
    capacity: int | None
    labels: dict[str, str]
    version: str | None


class WorkerDeregistered(Event, frozen=True):
    """The worker is gone: by itself, drained, or silent for long."""

    kind = "worker.deregistered"
    wakes = Wakes.CLAIMS
    capacity: int | None
    labels: dict[str, str]
    version: str | None
    reason: Literal["clean", "dead", "retired"]


class WorkerHeartbeat(Event, frozen=True):
    """A heartbeat of the worker itself, not of one of its claims."""

    kind = "worker.heartbeat"
    wakes = Wakes.NOTHING
    alive: bool = True


class LevelChanged(Event, frozen=True):
    """The worker's heartbeat level changed; *age* is the time since it was last heard."""

    kind = "worker.level_changed"
    wakes = Wakes.NOTHING
    from_: ids.Level = msgspec.field(name="from")
    to: ids.Level
    age: float


class WorkerDraining(Event, frozen=True):
    """The worker gets no new claims, and finishes those that it holds."""

    kind = "worker.draining"
    wakes = Wakes.NOTHING
    by: str
    reason: str | None


class WorkerFenced(Event, frozen=True):
    """The worker loses its claims and gets none."""

    kind = "worker.fenced"
    wakes = Wakes.NOTHING
    by: str
    reason: str | None
