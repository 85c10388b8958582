"""What a person orders about one unit."""

from datetime import timedelta

from service.domain import events as e
from service.domain.commands import (
    CancelUnit,
    DecisionContext,
    ParkUnit,
    QuarantineUnit,
    RetryUnit,
    StopUnit,
    UnitCommand,
    UnparkUnit,
)
from service.domain.decide.campaign import cancel_unit, clear
from service.domain.decide.consequences.dependency import fail_dependents, in_rounds, unreachable_parent
from service.domain.decide.consequences.park_time import DEFAULT_PARK, usable_end
from service.domain.decide.consequences.unit_end import complete_campaign, limit_claims, quarantine, settle_campaign, withdraw
from service.domain.decide.decision import Consequence, Decider, Deciders, Decision, of_unit, unit_named, wrong_state
from service.domain.decide.quota import close_gate
from service.domain.read_set import ReadSet
from service.domain.rejections import Conflict
from service.domain.state import State
from service.domain.unit import Unit

PERSON_PARK = timedelta(hours=1)


def asked_unit(state: State, command: UnitCommand) -> Unit:
    """Return the unit that a person names.

    Raises:
        NotFound: when there is no such campaign or unit.
        Conflict: when the campaign is cancelled.

    """
    unit = unit_named(state, command.campaign, command.key)
    if state.campaigns[unit.campaign].cancelled_at is not None:
        raise Conflict(f"campaign {unit.campaign!r} is cancelled", field="state", current="cancelled")
    return unit


def retry(state: State, command: RetryUnit, context: DecisionContext) -> Decision[None]:
    """Send a quarantined unit back with its attempts at zero; end the rest of a delayed one now.

    Raises:
        Conflict: when the unit is neither quarantined nor delayed, or would be skipped at once.

    """
    unit = asked_unit(state, command)
    if unit.state == "delayed":
        yield of_unit(unit, e.RetryDue())
    elif unit.state == "quarantined":
        require_parents(state, unit)
        yield from clear(state, state.campaigns[unit.campaign], [unit], None, command.reason, context)
    else:
        raise wrong_state(unit, "be retried", "quarantined", "delayed")


def require_parents(state: State, unit: Unit) -> None:
    """Accept a unit that would not be skipped again at once.

    Raises:
        Conflict: when a dependency of the unit is unreachable; it names the one that has to come back first.

    """
    parent = unreachable_parent(state, unit)
    if parent is not None:
        detail = f"unit {unit.key!r} depends on {parent.key!r}, which is {parent.state}: it would be skipped at once"
        raise Conflict(detail, field="depends_on", current=parent.key, because_of=parent.because_of)


def park(state: State, command: ParkUnit, context: DecisionContext) -> Decision[None]:
    """Set a unit aside until a time, an hour from now when none is given; a rate limit closes the gate.

    Raises:
        Conflict: when the unit is not ready, delayed or running.

    """
    unit = asked_unit(state, command)
    if unit.state not in ("ready", "delayed", "running"):
        raise wrong_state(unit, "be parked", "ready", "delayed", "running")
    campaign, held = state.campaigns[unit.campaign], unit.state == "running"
    timed = command.resume_at is not None or command.resume_after_s is not None
    end = usable_end(campaign.policy, command.resume_at, command.resume_after_s, context.at)
    reason, until = command.reason or "manual", end or context.at + (DEFAULT_PARK if timed else PERSON_PARK)
    yield from take_back(unit)
    yield of_unit(unit, e.UnitParked(token=None, reason=reason, quota=campaign.quota, resume_at=until, was=unit.state))
    if held:
        yield from limit_claims(state, unit)
    if reason == "rate_limit" and campaign.quota is not None:
        yield from close_gate(state, campaign.quota, "rate_limit", until, source=context.actor)
    yield from settle_campaign(campaign, context)


def take_back(unit: Unit) -> Consequence:
    """End the claim on a running unit, neutrally."""
    if unit.state == "running":
        assert unit.token is not None, "a running unit has a claim"
        yield of_unit(unit, e.UnitReleased(token=unit.token, cause="stop"), unit.worker)


def unpark(state: State, command: UnparkUnit, context: DecisionContext) -> Decision[None]:
    """End the pause now.

    Raises:
        Conflict: when the unit is not parked.

    """
    unit = asked_unit(state, command)
    if unit.state != "parked":
        raise wrong_state(unit, "be unparked", "parked")
    yield of_unit(unit, e.UnitUnparked(cause="manual", parked=(context.at - unit.updated_at).total_seconds()))


def take_out(state: State, command: QuarantineUnit, context: DecisionContext) -> Decision[None]:
    """Quarantine a unit by hand, and skip what depends on it.

    Raises:
        Conflict: when the unit has ended already.

    """
    unit = asked_unit(state, command)
    if unit.state not in ("blocked", "ready", "delayed", "parked", "running"):
        raise wrong_state(unit, "be quarantined", "blocked", "ready", "delayed", "parked", "running")
    yield from take_back(unit)
    yield from quarantine(state, unit, "manual", command.reason or unit.error, unit.worker)
    yield from complete_campaign(state.campaigns[unit.campaign], context)


def cancel(state: State, command: CancelUnit, context: DecisionContext) -> Decision[None]:
    """Give the unit up; what depends on it is skipped.

    Raises:
        Conflict: when the unit is done, skipped or cancelled.

    """
    unit = asked_unit(state, command)
    if unit.state in ("done", "skipped", "cancelled"):
        raise wrong_state(unit, "be cancelled", "blocked", "ready", "delayed", "parked", "running", "quarantined")
    yield from cancel_unit(unit, command.reason, context, in_rounds=in_rounds(state, unit))
    yield from withdraw(state, unit, "cancelled")
    yield from fail_dependents(state, unit)
    yield from complete_campaign(state.campaigns[unit.campaign], context)


def stop(state: State, command: StopUnit, context: DecisionContext) -> Decision[None]:
    """Take the unit from its worker; it is ready again and nothing is counted.

    Raises:
        Conflict: when the unit is not running.

    """
    unit = asked_unit(state, command)
    if unit.state != "running":
        raise wrong_state(unit, "be stopped", "running")
    yield from take_back(unit)
    yield from limit_claims(state, unit)
    yield from settle_campaign(state.campaigns[unit.campaign], context)


def reads_unit(command: UnitCommand) -> ReadSet:
    """Return the unit; each of these orders may end it, at the least because its claims are used up."""
    return ReadSet(campaigns=(command.campaign,), ending_units=((command.campaign, command.key),))


def reads_retry(command: RetryUnit) -> ReadSet:
    """Return the unit, and with it what was skipped for it."""
    return ReadSet(campaigns=(command.campaign,), returning_units=((command.campaign, command.key),))


DECIDERS: Deciders = {
    RetryUnit: Decider(retry, reads_retry),
    ParkUnit: Decider(park, reads_unit),
    UnparkUnit: Decider(unpark, reads_unit),
    QuarantineUnit: Decider(take_out, reads_unit),
    CancelUnit: Decider(cancel, reads_unit),
    StopUnit: Decider(stop, reads_unit),
}
