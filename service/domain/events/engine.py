"""Events of the engine: pause switch, pool, sweeps."""

from typing import Literal

from service.domain.events.event import Event


class EnginePaused(Event, frozen=True):
    """No claim is handed out anywhere until the engine resumes."""

    kind = "engine.paused"
    reason: str | None
    by: str


class EngineResumed(Event, frozen=True):
    """Claims are handed out again."""

    kind = "engine.resumed"
    reason: str | None
    by: str


class EngineResized(Event, frozen=True):
    """The pool has a new number of slots."""

    kind = "engine.resized"
    pool_size: int


class EngineSwept(Event, frozen=True):
    """A person asked for a sweep now."""

    kind = "engine.swept"
    cause: Literal["force", "reset"]
    by: str
