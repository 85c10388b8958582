"""The gates of quotas: readings, closings, openings."""

from datetime import datetime, timedelta
from typing import Literal

from service.domain import events as e
from service.domain import ids
from service.domain.commands import DecisionContext, EditQuota, OpenGates, RecordReading, TickEngine
from service.domain.decide.decision import Consequence, Decider, Deciders, Decision
from service.domain.events import Fact
from service.domain.quota import Quota
from service.domain.read_set import ReadSet
from service.domain.rejections import Unprocessable
from service.domain.state import State

FIRST_POLL_S, LAST_POLL_S = 30.0, 480.0
NETWORK_PATIENCE = timedelta(minutes=30)
MOST_UTILIZATION = 1.5
"""A meter may report more than the whole; a larger number is a percentage."""
PATIENCE: tuple[ids.ReadingFailure, ...] = ("transient", "config")


def close_gate(state: State, key: ids.QuotaKey, reason: ids.GateReason, until: datetime | None, source: str) -> Consequence:
    """Close the gate, or keep it closed for longer; a gate that only a person opens does not change."""
    quota = state.quotas.get(key)
    if quota is not None and not quota.open:
        forever = quota.resume_at is None
        if forever or (until is not None and quota.resume_at is not None and until <= quota.resume_at):
            return
    yield Fact(e.QuotaGateClosed(key=key, reason=reason, resume_at=until, source=source))


def record_reading(state: State, command: RecordReading, context: DecisionContext) -> Decision[None]:
    """Record a reading of the meter, which reopens a gate that it contradicts, or a failure, which may close the gate.

    A reading without a reset keeps the coming one that an earlier reading named.

    Raises:
        Unprocessable: the utilization is given in percent.

    """
    if command.utilization is not None and command.utilization > MOST_UTILIZATION:
        detail = f"utilization is a share, not percent: {command.utilization:g} is {command.utilization:.0%}; send 0.72 for 72 %"
        raise Unprocessable(detail, field="utilization", current=command.utilization, allowed=f"0 to {MOST_UTILIZATION}")
    if command.failure is not None:
        yield from failed_reading(state, command, context)
        return
    known = state.quotas.get(command.quota)
    coming = known.resets_at if known is not None and known.resets_at is not None and known.resets_at > context.at else None
    yield Fact(e.QuotaRead(key=command.quota, utilization=command.utilization, resets_at=command.resets_at or coming))
    quota = state.quotas[command.quota]
    spare = command.utilization is not None and command.utilization < quota.policy.threshold
    disproved = quota.reason in ("auth", "network") or (quota.reason == "rate_limit" and spare)
    yield from obey(quota, context, disproved=disproved)


def obey(quota: Quota, context: DecisionContext, *, disproved: bool = False) -> Consequence:
    """Close or open the gate as the policy wants after what was read or set; another reason stands unless *disproved*."""
    if quota.open and quota.exhausted:
        yield gate_exhausted(quota, context)
    elif disproved:
        yield gate_exhausted(quota, context) if quota.exhausted else gate_opened(quota, "reading")
    elif quota.reason == "utilization":
        if quota.policy.fire == "on_reset":
            yield from await_reset(quota, context)
        elif not quota.exhausted:
            yield gate_opened(quota, "reading")


def gate_exhausted(quota: Quota, context: DecisionContext) -> Fact:
    """Return the closing for want of quota: until after the next reset where the policy trusts it, else until a reading."""
    until = quota.reset_after(context.at) if quota.policy.fire == "on_reset" else None
    return Fact(e.QuotaGateClosed(key=quota.key, reason="utilization", resume_at=until, source="policy"))


def await_reset(quota: Quota, context: DecisionContext) -> Consequence:
    """Move the opening to the next reset that the meter names, until that reset has come."""
    until, offset = quota.reset_after(context.at), timedelta(seconds=quota.policy.offset_s)
    coming = quota.resume_at is None or quota.resume_at - offset > context.at
    if coming and until is not None and until != quota.resume_at:
        yield gate_exhausted(quota, context)


def failed_reading(state: State, command: RecordReading, context: DecisionContext) -> Consequence:
    """Count the meter's failure and back off; `auth` closes at once, half an hour of others closes as `network`."""
    failure = command.failure
    assert failure is not None
    known = state.quotas.get(command.quota) or Quota(key=command.quota)
    body = e.QuotaReadFailed(
        key=command.quota,
        failure=failure,
        message=command.message,
        consecutive=known.consecutive_failures + 1,
        next_poll_s=next_poll(known, failure),
    )
    yield Fact(body)
    quota = state.quotas[command.quota]
    if failure == "auth":
        if quota.reason != "auth":
            yield Fact(e.QuotaGateClosed(key=quota.key, reason="auth", resume_at=None, source="meter"))
    elif failure == "meter_rate_limited":
        yield from obey(quota, context)
    elif quota.open and failing_too_long(quota, context.at):
        yield Fact(e.QuotaGateClosed(key=quota.key, reason="network", resume_at=None, source="meter"))


def next_poll(known: Quota, failure: ids.ReadingFailure) -> float:
    """Return the seconds until the meter is asked again: doubling while it is away or set up wrongly, else as usual."""
    if failure not in PATIENCE or known.last_failure_kind not in PATIENCE:
        return FIRST_POLL_S
    return min(known.next_poll_s * 2, LAST_POLL_S)


def failing_too_long(quota: Quota, at: datetime) -> bool:
    """Tell whether the meter has failed for half an hour."""
    return quota.failing_since is not None and at - quota.failing_since >= NETWORK_PATIENCE


def gate_opened(quota: Quota, cause: Literal["due", "reading", "forced"]) -> Fact:
    """Return the opening of a gate, on its ramp."""
    return Fact(e.QuotaGateOpened(key=quota.key, cause=cause, ramp_per_s=quota.policy.ramp_per_s))


def open_gates(state: State, command: OpenGates, context: DecisionContext) -> Decision[None]:
    """Open the gates whose time has come; where only a reading tells what is left, wait for one."""
    for key in command.quotas:
        quota = state.quotas.get(key)
        if quota is not None and not quota.open and quota.resume_at is not None and quota.resume_at <= context.at:
            unsure = quota.policy.fire == "when_available" and quota.exhausted
            yield gate_exhausted(quota, context) if unsure else gate_opened(quota, "due")


def force_gates(state: State, command: TickEngine, context: DecisionContext) -> Decision[None]:
    """Open every gate because a person says so."""
    if not command.force:
        return
    yield Fact(e.EngineSwept(cause="force", by=context.actor))
    for quota in list(state.quotas.values()):
        if not quota.open:
            yield gate_opened(quota, "forced")


def edit_quota(state: State, command: EditQuota, context: DecisionContext) -> Decision[None]:
    """Give the gate another policy; one that waits for a reset closes it until then."""
    known = state.quotas.get(command.quota)
    if known is not None and known.policy == command.policy:
        return
    waits = command.policy.fire == "on_reset" and (known is None or known.policy.fire != "on_reset")
    yield Fact(e.QuotaPolicyChanged(key=command.quota, policy=command.policy))
    quota = state.quotas[command.quota]
    if waits and quota.open:
        yield gate_exhausted(quota, context)
    else:
        yield from obey(quota, context)


def reads_quota(command: RecordReading | EditQuota) -> ReadSet:
    """Return one quota."""
    return ReadSet(quotas=(command.quota,))


def reads_due_gates(command: OpenGates) -> ReadSet:
    """Return the quotas whose time may have come."""
    return ReadSet(quotas=command.quotas)


def reads_every_gate(command: TickEngine) -> ReadSet:
    """Return every quota where all gates are forced."""
    return ReadSet(whole_tables=("quotas",)) if command.force else ReadSet()


DECIDERS: Deciders = {
    TickEngine: Decider(force_gates, reads_every_gate),
    RecordReading: Decider(record_reading, reads_quota),
    EditQuota: Decider(edit_quota, reads_quota),
    OpenGates: Decider(open_gates, reads_due_gates),
}
