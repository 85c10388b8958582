"""Decisions about what a worker reports of a unit that it holds, or held."""

import re
from datetime import UTC, datetime
from typing import Literal

from service.domain import events as e
from service.domain import ids
from service.domain.commands import (
    CompleteUnit,
    DecisionContext,
    FailAttempt,
    ParkClaim,
    RecordHeartbeat,
    ReleaseClaim,
    Report,
    ReportReply,
)
from service.domain.decide.consequences.dependency import in_rounds, unblock_dependents
from service.domain.decide.consequences.failed_attempt import FailedAttempt, fail
from service.domain.decide.consequences.park_time import DEFAULT_PARK, SHORT_PARK, usable_end
from service.domain.decide.consequences.unit_end import limit_claims, settle_campaign
from service.domain.decide.decision import Consequence, Decider, Deciders, Decision, of_unit
from service.domain.decide.quota import close_gate
from service.domain.decide.repeated_report import first_answer, report_digest, report_document
from service.domain.decide.worker import note_sign_of_life, signal_to
from service.domain.read_set import ReadSet
from service.domain.rejections import NotFound, StaleClaim
from service.domain.state import State
from service.domain.unit import Claim, Unit

KILLED = {"SIGTERM": 143, "SIGKILL": 137}
KILL_CODES = (143, 137, -15, -9)
"""Of a shell, and of a program that waited for the process itself."""
RATE_LIMITED = re.compile(r"rate.?limit|usage limit|too many requests|\b429\b|quota (exceeded|exhausted)", re.IGNORECASE)
UNCLAIMED: tuple[ids.UnitState, ...] = ("blocked", "ready", "delayed", "parked")
EMPTY = (b"null", b"{}", b"[]", b'""')


def current(state: State, command: Report, kind: str) -> Decision[tuple[Unit, Claim]]:
    """Return the claim that the token names, and its unit."""
    claim = yield from current_claim(state, command, kind)
    return state.units[claim.campaign, claim.unit], claim


def current_claim(state: State, command: Report, kind: str) -> Decision[Claim]:
    """Return the claim that the token names.

    Raises:
        StaleClaim: when the claim has ended; the report is kept in the log before.
        NotFound: when the token was never given.

    """
    claim = state.claims.get(command.token)
    if claim is not None:
        return claim
    past = past_claim(state, command)
    unit = state.units[past.campaign, past.unit]
    owner = unit.worker if unit.state == "running" else None
    yield of_unit(unit, e.LateResult(token=past.token, came=report_document(command, kind), owner=owner), past.worker)
    raise StaleClaim(
        f"the claim on unit {unit.key!r} is no longer current: the unit is {unit.state}",
        current=unit.state,
        signal="stop",
    )


def past_claim(state: State, command: Report) -> Claim:
    """Return the claim as the log remembers it.

    Raises:
        NotFound: when the token was never given.

    """
    claim = state.ended_claims.get(command.token)
    if claim is None:
        raise NotFound(
            "no claim of a unit ever had this token; that of an investigation takes its result alone, at its own path",
            field="token",
        )
    return claim


def record_heartbeat(state: State, command: RecordHeartbeat, context: DecisionContext) -> Decision[ReportReply]:
    """Renew the lease, which needs no unit; enough idle observations in a row fail the attempt."""
    claim = yield from current_claim(state, command, "heartbeat")
    body = e.UnitHeartbeat(
        token=command.token,
        progress=command.progress,
        note=command.note,
        session=command.session,
        idle=command.idle,
        alive=command.alive,
        output_at=command.output_at and command.output_at.astimezone(UTC),
        usage=command.usage,
        screen_id=command.screen_id,
    )
    yield e.Fact(body, claim.campaign, claim.unit, claim.worker)
    yield from note_sign_of_life(state, claim.worker)
    campaign = state.campaigns[claim.campaign]
    grace = campaign.policy.idle_grace_observations
    if command.idle and claim.idle_count >= grace:
        unit = state.units[claim.campaign, claim.unit]
        failure = FailedAttempt(reason="idle_no_output", error=f"idle in {grace} observations in a row")
        yield from fail(state, unit, claim, failure, context)
        return ReportReply(unit.state, signal="stop")
    stop = campaign.cancelled_at is not None
    return ReportReply("running", claim.lease_until, "stop" if stop else signal_to(state.workers[claim.worker]))


def complete(state: State, command: CompleteUnit, context: DecisionContext) -> Decision[ReportReply]:
    """Complete the unit, even when it is paused; the same report again gets the first answer."""
    digest = report_digest(command, "completed")
    again = first_answer(state, command.token, digest)
    return again if again is not None else (yield from finish(state, command, digest, context))


def finish(state: State, command: CompleteUnit, digest: str, context: DecisionContext) -> Decision[ReportReply]:
    """Complete the unit, also after an end that its worker did not report if nobody has claimed it since."""
    held = command.token in state.claims
    claim = state.claims[command.token] if held else past_claim(state, command)
    unit = state.units[claim.campaign, claim.unit]
    reported = command.token in state.endings
    # A completion in a log of an earlier version carries no digest: any other with its token is taken for the same.
    if unit.state == "done" and unit.token == command.token and not reported:
        return ReportReply("done")
    proven = not state.campaigns[unit.campaign].policy.require_evidence or bytes(command.evidence).strip() not in EMPTY
    if not held and (reported or not (proven and unit.token == command.token and unit.state in UNCLAIMED)):
        yield from current(state, command, "completed")
    if not proven:
        failure = FailedAttempt(
            reason="idle_no_output", error="completed without evidence", exit_code=command.exit_code, report_digest=digest
        )
        yield from fail(state, unit, claim, failure, context)
        yield from note_sign_of_life(state, claim.worker)
        return ReportReply(unit.state)
    yield from succeed(state, unit, claim, command, context, digest)
    return ReportReply("done")


def succeed(
    state: State, unit: Unit, claim: Claim, command: CompleteUnit, context: DecisionContext, digest: str | None = None
) -> Consequence:
    """Record the success and what follows: dependents, a manual re-arm of the breaker, the end of the campaign."""
    killed = killed_code(command.declared_result, command.signal, command.exit_code)
    body = e.UnitCompleted(
        token=command.token,
        attempt=claim.attempt,
        result=command.result,
        evidence=command.evidence,
        exit_code=command.exit_code if killed is None else 0,
        signal=command.signal,
        declared_result=command.declared_result,
        mapped_from=killed,
        usage=command.usage,
        duration=(context.at - claim.claimed_at).total_seconds(),
        was=unit.state,
        first_ready_at=unit.first_ready_at,
        in_rounds=in_rounds(state, unit),
        report_digest=digest,
    )
    yield of_unit(unit, body, claim.worker)
    if claim.worker in state.workers:
        yield from note_sign_of_life(state, claim.worker)
    yield from unblock_dependents(state, unit)
    campaign = state.campaigns[unit.campaign]
    if campaign.tripped is not None and claim.mode == "manual" and claim.fence > campaign.tripped:
        yield e.Fact(e.BreakerReset(cause="manual_success", by=context.actor, reason=None), campaign.name)
    yield from settle_campaign(campaign, context)


def killed_code(declared: str | None, signal: str | None, code: int | None) -> int | None:
    """Return the raw exit code of a kill after a declared success, None when it was none."""
    if declared != "success":
        return None
    if signal in KILLED:
        return code if code is not None else KILLED[signal]
    return code if code in KILL_CODES else None


def fail_attempt(state: State, command: FailAttempt, context: DecisionContext) -> Decision[ReportReply]:
    """Judge a failure: a kill after a declared success is a success, a rate limit is a park."""
    digest = report_digest(command, "failed")
    again = first_answer(state, command.token, digest)
    if again is not None:
        return again
    if killed_code(command.declared_result, command.signal, command.exit_code) is not None:
        success = CompleteUnit(
            token=command.token,
            worker=command.worker,
            exit_code=command.exit_code,
            signal=command.signal,
            declared_result=command.declared_result,
            usage=command.usage,
        )
        return (yield from finish(state, success, digest, context))
    unit, claim = yield from current(state, command, "failed")
    key = state.campaigns[unit.campaign].quota
    quota = state.quotas.get(key) if key is not None else None
    limited = command.rate_limited or RATE_LIMITED.search(command.error or "") is not None
    shut = quota is not None and quota.reason == "rate_limit"
    # An error text alone may speak of another limit than the quota's, so that it closes no gate.
    if command.rate_limited or (shut and limited):
        until = quota.resume_at if quota is not None and shut else None
        yield from park(state, unit, claim, "rate_limit", until, context, digest)
        yield from note_sign_of_life(state, claim.worker)
        return ReportReply(unit.state)
    failure = FailedAttempt(
        reason=command.reason,
        error=command.error,
        exit_code=command.exit_code,
        signal=command.signal,
        retryable=command.retryable,
        screen_id=command.screen_id,
        usage=command.usage,
        report_digest=digest,
    )
    yield from fail(state, unit, claim, failure, context)
    yield from note_sign_of_life(state, claim.worker)
    return ReportReply(unit.state)


def park_claim(state: State, command: ParkClaim, context: DecisionContext) -> Decision[ReportReply]:
    """Park the unit until its quota allows more; a rate limit closes the gate for every campaign on that quota."""
    digest = report_digest(command, "parked")
    again = first_answer(state, command.token, digest)
    if again is not None:
        return again
    unit, claim = yield from current(state, command, "parked")
    policy = state.campaigns[unit.campaign].policy
    until = usable_end(policy, command.resume_at, command.resume_after_s, context.at)
    yield from park(state, unit, claim, command.reason, until, context, digest)
    yield from note_sign_of_life(state, claim.worker)
    return ReportReply(unit.state)


def park(
    state: State, unit: Unit, claim: Claim, reason: str, until: datetime | None, context: DecisionContext, digest: str
) -> Consequence:
    """End the claim neutrally until a usable time, else until the quota's known reset, else for a quarter of an hour."""
    key = state.campaigns[unit.campaign].quota
    quota = state.quotas.get(key) if key is not None else None
    reset = quota.reset_after(context.at) if quota is not None else None
    until = until or reset or context.at + DEFAULT_PARK
    counted = until - context.at >= SHORT_PARK
    body = e.UnitParked(
        token=claim.token, reason=reason, quota=key, resume_at=until, was=unit.state, counted=counted, report_digest=digest
    )
    yield of_unit(unit, body, claim.worker)
    yield from limit_claims(state, unit)
    if reason == "rate_limit" and key is not None:
        yield from close_gate(state, key, "rate_limit", until, source=f"worker {claim.worker}")
    yield from settle_campaign(state.campaigns[unit.campaign], context)


def release(state: State, command: ReleaseClaim, context: DecisionContext) -> Decision[ReportReply]:
    """Take the unit back from a worker that hands it in: nothing failed."""
    digest = report_digest(command, "released")
    again = first_answer(state, command.token, digest)
    if again is not None:
        return again
    unit, claim = yield from current(state, command, "released")
    cause: Literal["stop", "drain", "worker"] = (
        "stop" if command.reason == "stop" else "drain" if command.reason == "drain" else "worker"
    )
    yield of_unit(unit, e.UnitReleased(token=claim.token, cause=cause, report_digest=digest), claim.worker)
    yield from limit_claims(state, unit)
    yield from note_sign_of_life(state, claim.worker)
    yield from settle_campaign(state.campaigns[unit.campaign], context)
    return ReportReply(unit.state)


def reads_heartbeat(command: RecordHeartbeat) -> ReadSet:
    """Return the claim alone, which most heartbeats renew; an idle one may fail the attempt."""
    return ReadSet(failing_claims=(command.token,)) if command.idle else ReadSet(claims=(command.token,))


def reads_complete(command: CompleteUnit) -> ReadSet:
    """Return the claim with what waits for its unit; where the policy asks for evidence, the attempt may fail."""
    return ReadSet(completing_claims=(command.token,))


def reads_attempt_end(command: Report) -> ReadSet:
    """Return the claim with all that may be skipped for its unit: a failure and the last neutral end may quarantine it."""
    return ReadSet(failing_claims=(command.token,))


DECIDERS: Deciders = {
    RecordHeartbeat: Decider(record_heartbeat, reads_heartbeat),
    CompleteUnit: Decider(complete, reads_complete),
    FailAttempt: Decider(fail_attempt, reads_attempt_end),
    ParkClaim: Decider(park_claim, reads_attempt_end),
    ReleaseClaim: Decider(release, reads_attempt_end),
}
