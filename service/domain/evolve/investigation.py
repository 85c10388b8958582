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
    state: State, row_id: ids.InvestigationId, event: e.Recorded, as_: ids.InvestigationState
) -> Investigation:
    """Return the row of an investigation that ends with *event*."""
    row = state.investigations[row_id]
    state.touched.investigations.add(row_id)
    row.state, row.ended_at = as_, event.at
    return row


def requested(state: State, body: e.InvestigationRequested, event: e.Recorded) -> None:
    """Open an investigation of the unit."""
    row = opened_investigation(state, event, "requested")
    row.reason, row.attempts = body.reason, body.attempts
    row.error, row.exit_code, row.screen_id = body.error, body.exit_code, body.screen_id


def claimed(state: State, body: e.InvestigationClaimed, event: e.Recorded) -> None:
    """Give the investigation to a worker: it counts on the ramp of the quota, and takes no slot of the campaign."""
    row = state.investigations[body.investigation]
    state.touched.investigations.add(row.id)
    row.state, row.token, row.worker = "claimed", body.token, event.worker
    row.claimed_at, row.until = event.at, body.until
    quota = state.campaigns[row.campaign].quota
    if quota is not None:
        state.quota(quota).ramped += 1


def produced(state: State, body: e.InvestigationProduced, event: e.Recorded) -> None:
    """End the investigation with the unit that fixes the other."""
    row = closed_investigation(state, body.investigation, event, "produced")
    row.fix_unit, row.root_cause = body.fix_unit, body.root_cause


def empty(state: State, body: e.InvestigationEmpty, event: e.Recorded) -> None:
    """End the investigation without a fix."""
    row = closed_investigation(state, body.investigation, event, "empty")
    row.root_cause, row.why = body.root_cause, body.why


def skipped(state: State, body: e.InvestigationSkipped, event: e.Recorded) -> None:
    """End the investigation, or store that none was requested."""
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
