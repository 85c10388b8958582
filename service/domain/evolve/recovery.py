"""How events of recoveries change the state."""

from service.domain import events as e
from service.domain import ids
from service.domain.evolve.folds import Folds
from service.domain.recovery import Recovery, recovery_id
from service.domain.state import State


def detected(state: State, body: e.RecoveryDetected, event: e.Recorded) -> None:
    """Open a plan."""
    assert event.campaign is not None, "the envelope of a recovery names the campaign"
    row = Recovery(
        id=recovery_id(event.position),
        campaign=event.campaign,
        resumable=list(body.resumable),
        preserved=body.preserved,
        last_position=body.last_position,
        state="open",
        detected_at=event.at,
    )
    state.recoveries[row.id] = row
    state.touched.recoveries.add(row.id)


def closed_plan(state: State, plan_id: ids.RecoveryId, event: e.Recorded, as_: ids.RecoveryState) -> Recovery:
    """Return the row of a plan that ends with *event*."""
    row = state.recoveries[plan_id]
    state.touched.recoveries.add(plan_id)
    row.state, row.ended_at = as_, event.at
    return row


def applied(state: State, body: e.RecoveryApplied, event: e.Recorded) -> None:
    """End the plan: the campaign resumes, and the releases that follow change its units."""
    closed_plan(state, body.recovery, event, "applied").by = body.by


def declined(state: State, body: e.RecoveryDeclined, event: e.Recorded) -> None:
    """End the plan; the cancellation of the campaign follows."""
    closed_plan(state, body.recovery, event, "declined").by = body.by


def closed(state: State, body: e.RecoveryClosed, event: e.Recorded) -> None:
    """End a plan that has nothing left to decide."""
    closed_plan(state, body.recovery, event, "closed")


FOLDS: Folds = {
    e.RecoveryDetected: detected,
    e.RecoveryApplied: applied,
    e.RecoveryDeclined: declined,
    e.RecoveryClosed: closed,
}
