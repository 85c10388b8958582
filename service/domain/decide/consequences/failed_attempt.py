"""The end of an attempt that failed: retry or quarantine, and all that follows."""

from datetime import timedelta

from msgspec import Struct

from service.domain import events as e
from service.domain import ids
from service.domain.commands import DecisionContext
from service.domain.decide.consequences.unit_end import quarantine, settle_campaign
from service.domain.decide.decision import Consequence, of_unit
from service.domain.policy import Policy
from service.domain.rules.retry import backoff, matched_pattern
from service.domain.state import State
from service.domain.unit import Claim, Unit


class FailedAttempt(Struct, frozen=True, kw_only=True):
    """How an execution failed; *retryable* is what the worker reports, None when it reports nothing.

    *report_digest* is that of the report of the failure, None when no worker reported it.
    """

    reason: ids.FailureReason
    error: str | None = None
    exit_code: int | None = None
    signal: str | None = None
    retryable: bool | None = None
    screen_id: str | None = None
    usage: dict[str, float] | None = None
    report_digest: str | None = None


DEAD: tuple[ids.FailureReason, ...] = ("lease_expired", "heartbeat_dead")


def fail(state: State, unit: Unit, claim: Claim, failure: FailedAttempt, context: DecisionContext) -> Consequence:
    """Count the attempt; rest and retry, or quarantine when none is left; then the breaker and the campaign."""
    campaign = state.campaigns[unit.campaign]
    pattern = matched_pattern(campaign.policy.retry, failure.error)
    retryable = failure.retryable is not False and (not campaign.policy.retry.retryable_errors or pattern is not None)
    body = e.AttemptFailed(
        token=claim.token,
        attempt=claim.attempt,
        reason=failure.reason,
        error=failure.error,
        exit_code=failure.exit_code,
        signal=failure.signal,
        retryable=retryable,
        matched_pattern=pattern,
        screen_id=failure.screen_id or claim.screen_id,
        usage=failure.usage,
        duration=(context.at - claim.claimed_at).total_seconds(),
        report_digest=failure.report_digest,
    )
    yield of_unit(unit, body, claim.worker)
    verdict = final_verdict(campaign.policy, unit, failure.reason, retryable=retryable)
    if verdict is not None:
        yield from quarantine(state, unit, verdict, failure.error, claim.worker, failure.exit_code)
    else:
        yield from rest(state, unit, context)
    yield from settle_campaign(campaign, context)


def final_verdict(policy: Policy, unit: Unit, reason: ids.FailureReason, *, retryable: bool) -> ids.QuarantineReason | None:
    """Return why *unit* is not tried again, None when it is."""
    if reason in DEAD:
        if policy.on_dead == "quarantine":
            return "heartbeat_dead"
    elif not retryable:
        return "not_retryable"
    if unit.attempts >= policy.max_attempts:
        return "max_attempts"
    return "max_claims" if unit.claims >= policy.max_claims else None


def rest(state: State, unit: Unit, context: DecisionContext) -> Consequence:
    """Schedule the next attempt after a drawn delay."""
    policy = state.campaigns[unit.campaign].policy
    base_ms, delay_ms = backoff(policy.retry, unit.attempts, context.chance())
    due_at = context.at + timedelta(milliseconds=delay_ms)
    body = e.RetryScheduled(after_attempt=unit.attempts, base_ms=base_ms, delay_ms=delay_ms, due_at=due_at)
    yield of_unit(unit, body)


def expire(state: State, unit: Unit, claim: Claim, reason: ids.FailureReason, context: DecisionContext) -> Consequence:
    """Take back a claim whose worker stayed silent."""
    age = (context.at - claim.beat_at).total_seconds()
    body = e.LeaseExpired(token=claim.token, worker=claim.worker, age=age, attempt=claim.attempt)
    yield of_unit(unit, body, claim.worker)
    error = f"nothing heard of worker {claim.worker} for {age:.0f} s"
    yield from fail(state, unit, claim, FailedAttempt(reason=reason, error=error), context)
