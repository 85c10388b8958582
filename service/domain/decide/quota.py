"""The gates of quotas: readings, closings, openings."""

from datetime import datetime, timedelta
from typing import Literal

from service.domain import events as e
from service.domain import ids
from service.domain.commands import EditQuota, Moment, OpenGates, RecordReading, TickEngine
from service.domain.decide.decision import Consequence, Decision
from service.domain.events import Fact
from service.domain.quota import Quota
from service.domain.state import State

FIRST_POLL_S, LAST_POLL_S = 30.0, 480.0
NETWORK_PATIENCE = timedelta(minutes=30)


def close_gate(state: State, key: ids.QuotaKey, reason: ids.GateReason, until: datetime | None, source: str) -> Consequence:
    """Close the gate, or keep it closed for longer; a gate that only a person opens stays as it is."""
    quota = state.quotas.get(key)
    if quota is not None and not quota.open:
        forever = quota.resume_at is None
        if forever or (until is not None and quota.resume_at is not None and until <= quota.resume_at):
            return
    yield Fact(e.QuotaGateClosed(key=key, reason=reason, resume_at=until, source=source))


def record_reading(state: State, command: RecordReading, moment: Moment) -> Decision[None]:
    """Take what a meter says; a reading disproves the gate that it contradicts, a failure may close it."""
    if command.failure is not None:
        yield from failed_reading(state, command, moment)
        return
    yield Fact(e.QuotaRead(key=command.quota, utilization=command.utilization, resets_at=command.resets_at))
    quota = state.quotas[command.quota]
    full = command.utilization is not None and command.utilization >= quota.policy.threshold
    if not quota.open and (quota.reason in ("auth", "network") or (quota.reason == "rate_limit" and not full)):
        yield opened(state, command.quota, "reading")


def failed_reading(state: State, command: RecordReading, moment: Moment) -> Consequence:
    """Count the meter's failure and back off; `auth` closes at once, half an hour of others closes as `network`."""
    failure = command.failure
    assert failure is not None
    known = state.quotas.get(command.quota)
    consecutive = (known.consecutive_failures if known is not None else 0) + 1
    doubling = FIRST_POLL_S * 2.0 ** min(consecutive - 1, 10)
    next_poll_s = min(doubling, LAST_POLL_S) if failure in ("transient", "config") else FIRST_POLL_S
    yield Fact(
        e.QuotaReadFailed(
            key=command.quota,
            failure=failure,
            message=command.message,
            consecutive=consecutive,
            next_poll_s=next_poll_s,
        )
    )
    quota = state.quotas[command.quota]
    if failure == "auth":
        if quota.reason != "auth":
            yield Fact(e.QuotaGateClosed(key=quota.key, reason="auth", resume_at=None, source="meter"))
    elif failure != "meter_rate_limited" and quota.open and out_of_patience(quota, moment.at):
        yield Fact(e.QuotaGateClosed(key=quota.key, reason="network", resume_at=None, source="meter"))


def out_of_patience(quota: Quota, at: datetime) -> bool:
    """Tell whether the meter has failed for half an hour."""
    return quota.failing_since is not None and at - quota.failing_since >= NETWORK_PATIENCE


def opened(state: State, key: ids.QuotaKey, cause: Literal["due", "reading", "forced"]) -> Fact:
    """Return the opening of a gate, on its ramp."""
    ramp = state.quotas[key].policy.ramp_per_s
    return Fact(e.QuotaGateOpened(key=key, cause=cause, ramp_per_s=ramp))


def open_gates(state: State, command: OpenGates, moment: Moment) -> Decision[None]:
    """Open the gates whose time has come."""
    for key in command.quotas:
        quota = state.quotas.get(key)
        if quota is not None and not quota.open and quota.resume_at is not None and quota.resume_at <= moment.at:
            yield opened(state, key, "due")


def force_gates(state: State, command: TickEngine, moment: Moment) -> Decision[None]:
    """Open every gate because a person says so."""
    if not command.force:
        return
    yield Fact(e.EngineSwept(cause="force", by=moment.actor))
    for quota in list(state.quotas.values()):
        if not quota.open:
            yield opened(state, quota.key, "forced")


def edit_quota(state: State, command: EditQuota, _moment: Moment) -> Decision[None]:
    """Give the gate another policy."""
    known = state.quotas.get(command.quota)
    if known is None or known.policy != command.policy:
        yield Fact(e.QuotaPolicyChanged(key=command.quota, policy=command.policy))
