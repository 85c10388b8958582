"""How events of the engine, and of the service itself, change the state."""

from service.domain import events as e
from service.domain.evolve.folds import Folds
from service.domain.state import State


def paused(state: State, body: e.EnginePaused, event: e.Recorded) -> None:
    """Stop every claim."""
    state.touched.engine = True
    state.engine.paused_at, state.engine.paused_by, state.engine.paused_reason = event.at, body.by, body.reason


def resumed(state: State, _body: e.EngineResumed, _event: e.Recorded) -> None:
    """Allow claims again."""
    state.touched.engine = True
    state.engine.paused_at = state.engine.paused_by = state.engine.paused_reason = None


def resized(state: State, body: e.EngineResized, _event: e.Recorded) -> None:
    """Store the new size of the pool."""
    state.touched.engine = True
    state.engine.pool_size = body.pool_size


def nothing(_state: State, _body: e.Event, _event: e.Recorded) -> None:
    """Change nothing: no decision reads this event."""


FOLDS: Folds = {
    e.EnginePaused: paused,
    e.EngineResumed: resumed,
    e.EngineResized: resized,
    e.EngineSwept: nothing,
    e.LeaderElected: nothing,
    e.LogTrimmed: nothing,
    e.ProjectionSwapped: nothing,
}
