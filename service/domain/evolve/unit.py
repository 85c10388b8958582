"""How events of units change the state: the unit, its claim, the breaker of its campaign, the load of its worker."""

from collections.abc import Sequence
from datetime import datetime

from service.domain import events as e
from service.domain import ids
from service.domain.evolve.fanout import begin, give_up, settle, unsettle
from service.domain.evolve.folds import Folds
from service.domain.rules.heartbeat import lease_end
from service.domain.state import State
from service.domain.unit import Claim, ClaimEnding, Unit


def unit_of(state: State, event: e.Recorded) -> Unit:
    """Return the row of the unit that the envelope names."""
    assert event.campaign is not None, "the envelope of a unit's event names the campaign"
    assert event.unit is not None, "the envelope of a unit's event names the unit"
    return state.units[event.campaign, event.unit]


def claimed(state: State, body: e.UnitClaimed, event: e.Recorded) -> None:
    """Give the unit to a worker; the claim counts as its first heartbeat."""
    unit = unit_of(state, event)
    assert event.worker is not None, "the envelope of a claim names the worker"
    state.move(unit, "running", event.at)
    unit.token, unit.worker, unit.claimed_at = body.token, event.worker, event.at
    unit.attempts, unit.claims = body.attempt, unit.claims + 1
    campaign = state.campaigns[unit.campaign]
    campaign.started_at, campaign.last_claim = campaign.started_at or event.at, event.position
    state.claims[body.token] = claim_of(unit, body, event)
    state.touched.claimed.add(body.token)
    worker = state.worker(event.worker, event.at)
    worker.held, worker.beat_at, worker.alive = worker.held + 1, event.at, True
    worker.state = "active" if worker.state == "gone" else worker.state
    state.touched.engine = True
    state.engine.in_use += 1
    if campaign.quota is not None:
        state.quota(campaign.quota).ramped += 1


def claim_of(unit: Unit, body: e.UnitClaimed, event: e.Recorded) -> Claim:
    """Return the new claim's row."""
    assert event.worker is not None, "the envelope of a claim names the worker"
    return Claim(
        token=body.token,
        campaign=unit.campaign,
        unit=unit.key,
        worker=event.worker,
        fence=body.fence,
        attempt=body.attempt,
        mode=body.mode,
        claimed_at=event.at,
        lease_s=body.lease_s,
        lease_until=body.lease_until,
        beat_at=event.at,
    )


def unclaim(state: State, unit: Unit) -> None:
    """End the claim that holds *unit*, if one does; its session and its last screen stay with the unit."""
    claim = state.claims.pop(unit.token, None) if unit.token is not None else None
    if claim is None:
        return
    state.ended_claims[claim.token] = claim
    state.touched.unclaimed.add(claim.token)
    unit.session = claim.session or unit.session
    unit.screen_id = claim.screen_id or unit.screen_id
    worker = state.worker(claim.worker, claim.beat_at)
    worker.held -= 1
    state.touched.engine = True
    state.engine.in_use -= 1


def note_ending(state: State, token: ids.Token | None, digest: str | None, to: ids.UnitState, event: e.Recorded) -> None:
    """Remember the report that ended a claim, for the same report sent again; no row is made of it."""
    if token is not None and digest is not None:
        state.endings[token] = ClaimEnding(digest, event.position, to)


def heartbeat(state: State, body: e.UnitHeartbeat, event: e.Recorded) -> None:
    """Renew the lease; what the worker did not send stays unchanged."""
    claim = state.claims[body.token]
    state.touched.beaten.add(body.token)
    renew_lease(state, claim, event.at, alive=body.alive is not False)
    observe_progress(claim, body, event.at)
    if body.note is not None or body.session or body.screen_id:
        state.touched.details.add(body.token)
        keep_details(claim, body)


def renew_lease(state: State, claim: Claim, at: datetime, *, alive: bool) -> None:
    """Note the heartbeat of the worker; a program that no longer lives keeps its lease as it is, until that expires."""
    if alive:
        claim.beat_at, claim.lease_until = at, lease_end(at, claim.lease_s)
    worker = state.worker(claim.worker, at)
    worker.beat_at, worker.alive = at, alive


def observe_progress(claim: Claim, body: e.UnitHeartbeat, at: datetime) -> None:
    """Feed the idle watchdog: count idle observations in a row, and note when the output last moved."""
    output_at, progress = body.output_at, body.progress
    moved = output_at is not None and output_at != claim.output_at
    if body.idle:
        claim.idle_count += 1
    # Work that shows, or a worker that says "not idle", ends the run. A heartbeat without a word about it leaves the count.
    elif moved or body.idle is False or (progress is not None and progress != claim.progress):
        claim.idle_count = 0
    if moved:
        claim.output_at, claim.moved_at = output_at, at
    if progress is not None:
        claim.progress = progress


def keep_details(claim: Claim, body: e.UnitHeartbeat) -> None:
    """Keep the newest note, session and screen."""
    claim.note = claim.note if body.note is None else body.note
    claim.session = body.session or claim.session
    claim.screen_id = body.screen_id or claim.screen_id


def completed(state: State, body: e.UnitCompleted, event: e.Recorded) -> None:
    """Mark the unit as done, and end the run of failures of its campaign."""
    unit = unit_of(state, event)
    unclaim(state, unit)
    note_ending(state, body.token, body.report_digest, "done", event)
    state.move(unit, "done", event.at)
    unit.token, unit.attempts = body.token, max(unit.attempts, body.attempt)
    unit.reason = unit.error = unit.due_at = unit.resume_at = None
    campaign = state.campaigns[unit.campaign]
    if campaign.consecutive:
        campaign.consecutive, campaign.failures = 0, []
        state.touched.campaigns.add(campaign.name)
    settle(state, unit, event, in_rounds=body.in_rounds)


def attempt_failed(state: State, body: e.AttemptFailed, event: e.Recorded) -> None:
    """End the claim; the next event says how the unit continues."""
    unit = unit_of(state, event)
    unclaim(state, unit)
    note_ending(state, body.token, body.report_digest, "delayed", event)
    unit.screen_id = body.screen_id or unit.screen_id
    unit.reason, unit.error = body.reason, body.error
    state.move(unit, unit.state, event.at)
    if state.campaigns[unit.campaign].policy.breaker.counts == "attempts":
        count_failure(state, unit, event.position)


def count_failure(state: State, unit: Unit, position: int) -> None:
    """Count one more failure in a row; only as many positions are kept as a trip can name."""
    campaign = state.campaigns[unit.campaign]
    state.touched.campaigns.add(campaign.name)
    campaign.consecutive += 1
    campaign.failures = [*campaign.failures, position][-campaign.policy.breaker.threshold :]


def retry_scheduled(state: State, body: e.RetryScheduled, event: e.Recorded) -> None:
    """Delay the unit until its retry is due."""
    unit = unit_of(state, event)
    state.move(unit, "delayed", event.at)
    unit.due_at = body.due_at


def ready(state: State, unit: Unit, event: e.Recorded) -> None:
    """Make *unit* ready for a worker."""
    state.move(unit, "ready", event.at)
    unit.ready_at, unit.due_at, unit.resume_at = event.at, None, None
    unit.first_ready_at = unit.first_ready_at or event.at


def retry_due(state: State, _body: e.RetryDue, event: e.Recorded) -> None:
    """Make the unit ready for its retry."""
    ready(state, unit_of(state, event), event)


def quarantined(state: State, body: e.UnitQuarantined, event: e.Recorded) -> None:
    """Set the unit aside until a person retries it."""
    unit = unit_of(state, event)
    ending = state.endings.get(unit.token) if unit.token is not None else None
    if ending is not None and ending.position == event.position - 1:
        ending.state = "quarantined"
    state.move(unit, "quarantined", event.at)
    unit.reason, unit.error, unit.due_at, unit.resume_at = body.reason, body.error, None, None
    policy = state.campaigns[unit.campaign].policy
    if policy.breaker.counts == "units" and body.reason != "manual":
        count_failure(state, unit, event.position)
    give_up(state, unit, event, in_rounds=body.in_rounds)


def quarantine_cleared(state: State, body: e.QuarantineCleared, event: e.Recorded) -> None:
    """Reset attempts and error of the unit; its history stays in the log."""
    unit = unit_of(state, event)
    unit.attempts = unit.claims = 0
    unit.reason = unit.error = unit.screen_id = None
    wait_again(state, unit, body, event)


def wait_again(
    state: State,
    unit: Unit,
    body: e.QuarantineCleared | e.UnitUnskipped,
    event: e.Recorded,
    path: Sequence[ids.UnitKey] = (),
) -> None:
    """Bring *unit* back to ready or blocked. Its dependents wait for it again, unless they already run without it."""
    unit.because_of = None
    if not body.in_rounds:
        unsettle(state, unit)
    elif not unit.settled:
        begin(state, unit, event, path, counted=False)
    if body.to == "blocked":
        state.move(unit, "blocked", event.at)
    else:
        ready(state, unit, event)


def parked(state: State, body: e.UnitParked, event: e.Recorded) -> None:
    """Park the unit; the execution that it ends is not counted."""
    unit = unit_of(state, event)
    uncount(unit)
    unit.claims -= not body.counted
    unclaim(state, unit)
    note_ending(state, body.token, body.report_digest, "parked", event)
    state.move(unit, "parked", event.at)
    unit.parks, unit.reason, unit.resume_at, unit.due_at = unit.parks + 1, body.reason, body.resume_at, None


def uncount(unit: Unit) -> None:
    """Take back the attempt of a running execution that ends neutrally."""
    if unit.state == "running":
        unit.attempts -= 1


def unparked(state: State, _body: e.UnitUnparked, event: e.Recorded) -> None:
    """End the park: the unit is ready."""
    unit = unit_of(state, event)
    unit.reason = None
    ready(state, unit, event)


def released(state: State, body: e.UnitReleased, event: e.Recorded) -> None:
    """End the claim neutrally: the unit is ready, and the attempt is not counted."""
    unit = unit_of(state, event)
    uncount(unit)
    unclaim(state, unit)
    note_ending(state, body.token, body.report_digest, "ready", event)
    ready(state, unit, event)


def unblocked(state: State, _body: e.UnitUnblocked, event: e.Recorded) -> None:
    """Make the unit ready: its last open dependency is settled."""
    ready(state, unit_of(state, event), event)


def skipped(state: State, body: e.UnitSkipped, event: e.Recorded) -> None:
    """Skip the unit, because a dependency failed for good."""
    unit = unit_of(state, event)
    state.move(unit, "skipped", event.at)
    unit.because_of = body.because_of
    give_up(state, unit, event, body.path, in_rounds=body.in_rounds)


def unskipped(state: State, body: e.UnitUnskipped, event: e.Recorded) -> None:
    """Bring the skipped unit back: the dependency is to be done again."""
    wait_again(state, unit_of(state, event), body, event, body.path)


def cancelled(state: State, body: e.UnitCancelled, event: e.Recorded) -> None:
    """Cancel the unit."""
    unit = unit_of(state, event)
    state.move(unit, "cancelled", event.at)
    unit.reason, unit.due_at, unit.resume_at = body.reason, None, None
    give_up(state, unit, event, in_rounds=body.in_rounds)


def unchanged(_state: State, _body: e.LeaseExpired | e.LateResult, _event: e.Recorded) -> None:
    """Change nothing: a late result is only kept, and the failed attempt that follows an expired lease changes the state."""


FOLDS: Folds = {
    e.UnitClaimed: claimed,
    e.UnitHeartbeat: heartbeat,
    e.UnitCompleted: completed,
    e.AttemptFailed: attempt_failed,
    e.LeaseExpired: unchanged,
    e.RetryScheduled: retry_scheduled,
    e.RetryDue: retry_due,
    e.UnitQuarantined: quarantined,
    e.QuarantineCleared: quarantine_cleared,
    e.UnitParked: parked,
    e.UnitUnparked: unparked,
    e.UnitReleased: released,
    e.UnitUnblocked: unblocked,
    e.UnitSkipped: skipped,
    e.UnitUnskipped: unskipped,
    e.UnitCancelled: cancelled,
    e.LateResult: unchanged,
}
