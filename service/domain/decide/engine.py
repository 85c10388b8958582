"""Decisions about the engine, and what the service notes of itself."""

from service.domain import events as e
from service.domain.commands import DecisionContext, ElectLeader, NoteSwap, PauseEngine, ResizePool, ResumeEngine
from service.domain.decide.decision import Decider, Deciders, Decision
from service.domain.events import Fact
from service.domain.read_set import engine_alone
from service.domain.state import State


def pause(state: State, command: PauseEngine, context: DecisionContext) -> Decision[None]:
    """Stop every claim; pausing twice is one pause."""
    if state.engine.paused_at is None:
        yield Fact(e.EnginePaused(reason=command.reason, by=context.actor))


def resume(state: State, command: ResumeEngine, context: DecisionContext) -> Decision[None]:
    """Allow claims again."""
    if state.engine.paused_at is not None:
        yield Fact(e.EngineResumed(reason=command.reason, by=context.actor))


def resize(state: State, command: ResizePool, _moment: DecisionContext) -> Decision[None]:
    """Set the number of slots; what runs above it goes on."""
    if state.engine.pool_size != command.pool_size:
        yield Fact(e.EngineResized(pool_size=command.pool_size))


def elect(_state: State, command: ElectLeader, _moment: DecisionContext) -> Decision[None]:
    """Note which replica leads."""
    yield Fact(e.LeaderElected(replica=command.replica))


def swap(_state: State, command: NoteSwap, _moment: DecisionContext) -> Decision[None]:
    """Note which series start again at lower values after a rebuild."""
    yield Fact(e.ProjectionSwapped(generation=command.generation, families=command.families, mended=command.mended))


DECIDERS: Deciders = {
    PauseEngine: Decider(pause, engine_alone),
    ResumeEngine: Decider(resume, engine_alone),
    ResizePool: Decider(resize, engine_alone),
    ElectLeader: Decider(elect, engine_alone),
    NoteSwap: Decider(swap, engine_alone),
}
