"""How events of the engine, and of the service itself, change the state."""

from service.domain import events as e
from service.domain.evolve.folds import Folds
from service.domain.state import State


def paused(state: State, body: e.EnginePaused, event: e.Recorded) -> None:
    """The switch is off."""
    state.touched.engine = True
    state.engine.paused_at, state.engine.paused_by, state.engine.paused_reason = event.at, body.by, body.reason


def resumed(state: State, _body: e.EngineResumed, _event: e.Recorded) -> None:
    """The switch is on."""
    state.touched.engine = True
    state.engine.paused_at = state.engine.paused_by = state.engine.paused_reason = None


def resized(state: State, body: e.EngineResized, _event: e.Recorded) -> None:
    """The pool has another size."""
    state.touched.engine = True
    state.engine.pool_size = body.pool_size


def nothing(_state: State, _body: e.Event, _event: e.Recorded) -> None:
    """No decision reads this."""


FOLDS: Folds = {
    e.EnginePaused: paused,
    e.EngineResumed: resumed,
    e.EngineResized: resized,
    e.EngineSwept: nothing,
    e.LeaderElected: nothing,
    e.LogTrimmed: nothing,
    e.ProjectionSwapped: nothing,
}
