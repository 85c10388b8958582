"""Decisions that the passing of time asks for: leases, watchdogs, rests, pauses."""

from datetime import datetime, timedelta

from service.domain import events as e
from service.domain import ids
from service.domain.commands import DecisionContext, ExpireLeases, ReleaseRetries, ResumeParked, RevokeClaims
from service.domain.decide.consequences.failed_attempt import FailedAttempt, expire, fail
from service.domain.decide.consequences.unit_end import quarantine, settle_campaign
from service.domain.decide.decision import Decider, Deciders, Decision, of_unit
from service.domain.decide.recovery import in_question
from service.domain.read_set import ReadSet
from service.domain.rules.retry import matched_pattern
from service.domain.state import State
from service.domain.unit import Claim, Unit


def lease_lapsed(claim: Claim, at: datetime, heard_since: datetime) -> bool:
    """Tell whether the lease is over, giving every worker one full lease since the service could hear."""
    return max(claim.lease_until, heard_since + timedelta(seconds=claim.lease_s)) <= at


def expire_leases(state: State, command: ExpireLeases, context: DecisionContext) -> Decision[None]:
    """Fail the attempts whose lease ended without a report, except those that a person is asked about."""
    for token in command.tokens:
        claim = state.claims.get(token)
        if claim is not None and lease_lapsed(claim, context.at, command.heard_since) and not in_question(state, claim):
            yield from expire(state, state.units[claim.campaign, claim.unit], claim, "lease_expired", context)


def revoke_claims(state: State, command: RevokeClaims, context: DecisionContext) -> Decision[None]:
    """Fail the attempts that ran too long, stand still, or whose worker stayed dead, except where a person is asked."""
    for token in command.tokens:
        claim = state.claims.get(token)
        if claim is None or claim_spared(state, claim, context.at, command.heard_since) or in_question(state, claim):
            continue
        unit = state.units[claim.campaign, claim.unit]
        reason = watchdog(state, claim, context.at, command.heard_since)
        if reason is not None:
            error = f"the service took the unit back: {reason}"
            yield from fail(state, unit, claim, FailedAttempt(reason=reason, error=error), context)
        elif stayed_dead(state, claim, context.at, command.tick_s):
            yield from expire(state, unit, claim, "heartbeat_dead", context)


def claim_spared(state: State, claim: Claim, at: datetime, heard_since: datetime) -> bool:
    """Tell whether the worker was not heard since the service could hear again, and is not dead by that silence alone."""
    unheard = state.workers[claim.worker].beat_at < heard_since
    dead_s = state.campaigns[claim.campaign].policy.heartbeat.dead_s
    return unheard and at < heard_since + timedelta(seconds=dead_s)


def watchdog(state: State, claim: Claim, at: datetime, heard_since: datetime) -> ids.FailureReason | None:
    """Return which watchdog fires: total time since the claim, or time since the worker's output last moved."""
    policy = state.campaigns[claim.campaign].policy
    if at - claim.claimed_at > timedelta(seconds=policy.max_duration_s):
        return "max_duration"
    if claim.moved_at is not None and at - max(claim.moved_at, heard_since) > timedelta(seconds=policy.idle_output_s):
        return "idle_output"
    return None


def stayed_dead(state: State, claim: Claim, at: datetime, tick_s: float) -> bool:
    """Tell whether the worker was dead in as many ticks in a row as the policy asks: any sign of life changes its level.

    The count of ticks is derived from the log, and so survives a restart: a worker that is spared at first is judged by it later.
    """
    worker = state.workers[claim.worker]
    policy = state.campaigns[claim.campaign].policy.heartbeat
    if worker.level != "dead":
        return False
    dead_at = max(worker.level_at, worker.beat_at + timedelta(seconds=policy.dead_s if worker.alive else 0))
    return at >= dead_at and round((at - dead_at).total_seconds() / tick_s) + 1 >= policy.dead_ticks


def release_retries(state: State, command: ReleaseRetries, context: DecisionContext) -> Decision[None]:
    """Make ready what has rested long enough, but quarantine what the policy of this moment gives no further attempt."""
    for key in command.keys:
        unit = state.units.get((command.campaign, key))
        if unit is not None and unit.state == "delayed" and unit.due_at is not None and unit.due_at <= context.at:
            verdict = due_verdict(state, unit)
            if verdict is None:
                yield of_unit(unit, e.RetryDue())
            else:
                yield from quarantine(state, unit, verdict, unit.error, unit.worker)
                yield from settle_campaign(state.campaigns[unit.campaign], context)


def due_verdict(state: State, unit: Unit) -> ids.QuarantineReason | None:
    """Return why a unit whose retry is due is not tried again, None when it is; the error of a silent worker matches nothing."""
    policy = state.campaigns[unit.campaign].policy
    silent = unit.reason in ids.SILENT_FAILURES
    if policy.retry.retryable_errors and not silent and matched_pattern(policy.retry, unit.error) is None:
        return "not_retryable"
    return "max_attempts" if unit.attempts >= policy.max_attempts else None


def resume_parked(state: State, command: ResumeParked, context: DecisionContext) -> Decision[None]:
    """Make ready what was parked until now, or for a rate limit whose gate is open again."""
    for key in command.keys:
        unit = state.units.get((command.campaign, key))
        cause = pause_over(state, unit, context.at) if unit is not None and unit.state == "parked" else None
        if unit is not None and cause is not None:
            yield of_unit(unit, e.UnitUnparked(cause=cause, parked=(context.at - unit.updated_at).total_seconds()))


def pause_over(state: State, unit: Unit, at: datetime) -> ids.UnparkCause | None:
    """Return why a parked unit may go on now, None when it has to wait."""
    if unit.resume_at is not None and unit.resume_at <= at:
        return "due"
    key = state.campaigns[unit.campaign].quota
    quota = state.quotas.get(key) if key is not None else None
    return "gate" if unit.reason == "rate_limit" and quota is not None and quota.open else None


def reads_failing_claims(command: ExpireLeases | RevokeClaims) -> ReadSet:
    """Return the claims that may end, with all that may be skipped for their units."""
    return ReadSet(failing_claims=command.tokens)


def reads_due_retries(command: ReleaseRetries) -> ReadSet:
    """Return the units whose rest may be over, with all that may be skipped for them."""
    return ReadSet(campaigns=(command.campaign,), ending_units=tuple((command.campaign, key) for key in command.keys))


def reads_due_units(command: ResumeParked) -> ReadSet:
    """Return the units whose wait may be over; nothing follows for others."""
    return ReadSet(campaigns=(command.campaign,), units=tuple((command.campaign, key) for key in command.keys))


DECIDERS: Deciders = {
    ExpireLeases: Decider(expire_leases, reads_failing_claims),
    RevokeClaims: Decider(revoke_claims, reads_failing_claims),
    ReleaseRetries: Decider(release_retries, reads_due_retries),
    ResumeParked: Decider(resume_parked, reads_due_units),
}
