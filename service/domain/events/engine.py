"""Events of the engine: pause switch, pool, sweeps."""

from typing import Literal

from service.domain.events.event import Event, Wakes


class EnginePaused(Event, frozen=True):
    """No claim is handed out anywhere until the engine resumes."""

    kind = "engine.paused"
    wakes = Wakes.NOTHING
    reason: str | None
    by: str


class EngineResumed(Event, frozen=True):
    """Claims are handed out again."""

    kind = "engine.resumed"
    wakes = Wakes.CLAIMS
    reason: str | None
    by: str


class EngineResized(Event, frozen=True):
    """The pool has a new number of slots."""

    kind = "engine.resized"
    wakes = Wakes.CLAIMS
    pool_size: int


class EngineSwept(Event, frozen=True):
    """A person asked for a sweep now."""

    kind = "engine.swept"
    wakes = Wakes.CLAIMS | Wakes.SCHEDULER
    cause: Literal["force", "reset"]
    by: str
