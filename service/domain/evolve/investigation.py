"""How events of investigations change the state."""

from service.domain import events as e
from service.domain import ids
from service.domain.evolve.folds import Folds
from service.domain.investigation import Investigation, investigation_id
from service.domain.state import State


def opened_investigation(state: State, event: e.Recorded, as_: ids.InvestigationState) -> Investigation:
    """Return the row of an investigation that begins with *event*."""
    assert event.campaign is not None, "the envelope of an investigation names the campaign"
    assert event.unit is not None, "the envelope of an investigation names the unit"
    row = Investigation(
        id=investigation_id(event.position),
        campaign=event.campaign,
        unit=event.unit,
        position=event.position,
        state=as_,
        requested_at=event.at,
    )
    state.investigations[row.id] = row
    state.touched.investigations.add(row.id)
    return row


def closed_investigation(
    state: State, known: ids.InvestigationId, event: e.Recorded, as_: ids.InvestigationState
) -> Investigation:
    """Return the row of an investigation that ends with *event*."""
    row = state.investigations[known]
    state.touched.investigations.add(known)
    row.state, row.ended_at = as_, event.at
    return row


def requested(state: State, body: e.InvestigationRequested, event: e.Recorded) -> None:
    """Somebody shall look into the unit."""
    row = opened_investigation(state, event, "requested")
    row.reason, row.attempts = body.reason, body.attempts
    row.error, row.exit_code, row.screen_id = body.error, body.exit_code, body.screen_id


def claimed(state: State, body: e.InvestigationClaimed, event: e.Recorded) -> None:
    """A worker looks into it; that uses the campaign's quota, and no slot."""
    row = state.investigations[body.investigation]
    state.touched.investigations.add(row.id)
    row.state, row.token, row.worker = "claimed", body.token, event.worker
    row.claimed_at, row.until = event.at, body.until
    quota = state.campaigns[row.campaign].quota
    if quota is not None:
        state.quota(quota).ramped += 1


def produced(state: State, body: e.InvestigationProduced, event: e.Recorded) -> None:
    """There is a unit that shall mend it."""
    row = closed_investigation(state, body.investigation, event, "produced")
    row.fix_unit, row.root_cause = body.fix_unit, body.root_cause


def empty(state: State, body: e.InvestigationEmpty, event: e.Recorded) -> None:
    """Nothing came of it."""
    row = closed_investigation(state, body.investigation, event, "empty")
    row.root_cause, row.why = body.root_cause, body.why


def skipped(state: State, body: e.InvestigationSkipped, event: e.Recorded) -> None:
    """Nobody looks into it."""
    if body.investigation is None:
        row = opened_investigation(state, event, "skipped")
        row.ended_at = event.at
    else:
        row = closed_investigation(state, body.investigation, event, "skipped")
    row.why = body.why


FOLDS: Folds = {
    e.InvestigationRequested: requested,
    e.InvestigationClaimed: claimed,
    e.InvestigationProduced: produced,
    e.InvestigationEmpty: empty,
    e.InvestigationSkipped: skipped,
}
