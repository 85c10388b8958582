"""The table of all folds; the import fails for an event without one."""

from service.domain.events import EVENTS, Recorded
from service.domain.evolve import campaign, engine, fanout, investigation, quota, recovery, unit, worker
from service.domain.evolve.folds import Folds
from service.domain.state import State

FOLDS: Folds = {
    **engine.FOLDS,
    **quota.FOLDS,
    **campaign.FOLDS,
    **unit.FOLDS,
    **fanout.FOLDS,
    **worker.FOLDS,
    **investigation.FOLDS,
    **recovery.FOLDS,
}

if missing := [event.kind for event in EVENTS if event not in FOLDS]:
    raise TypeError(f"no fold for {missing}")


def evolve(state: State, event: Recorded) -> None:
    """Fold one event of the log into *state*."""
    body = event.body
    FOLDS[type(body)](state, body, event)
