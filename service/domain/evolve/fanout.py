"""How the end of a unit changes its dependents: at once, or in the rounds of a fan-out."""

from collections.abc import Iterable, Sequence

from service.domain import events as e
from service.domain import ids
from service.domain.evolve.folds import Folds
from service.domain.fanout import Fanout
from service.domain.state import State
from service.domain.unit import Unit


def settle(state: State, unit: Unit, event: e.Recorded, *, in_rounds: bool) -> None:
    """Free the dependents of *unit* from waiting for it, once."""
    if unit.settled:
        return
    unit.settled = True
    if in_rounds:
        begin(state, unit, event, [], counted=True)
    else:
        wait_for(state, unit, state.children.get((unit.campaign, unit.key), ()), -1)


def unsettle(state: State, unit: Unit) -> None:
    """Make the dependents of *unit* wait for it again, once."""
    if unit.settled:
        unit.settled = False
        wait_for(state, unit, state.children.get((unit.campaign, unit.key), ()), +1)


def wait_for(state: State, unit: Unit, dependents: Iterable[ids.UnitKey], change: int) -> None:
    """Change by *change* how many dependencies the *dependents* of *unit* wait for."""
    for key in dependents:
        child = state.units[unit.campaign, key]
        child.waits_for += change
        state.touched.units.add((child.campaign, child.key))


def begin(state: State, unit: Unit, event: e.Recorded, path: Sequence[ids.UnitKey], *, counted: bool) -> None:
    """Begin a fan-out from *unit*; one under way starts again at the first dependent."""
    assert e.begins_rounds(event.body), "an event that begins a fan-out says so, for the scheduler wakes by it"
    unit_id = unit.campaign, unit.key
    if unit_id not in state.fanouts:
        state.campaigns[unit.campaign].open_fanouts += 1
        state.touched.campaigns.add(unit.campaign)
    state.touched.fanouts.add(unit_id)
    state.fanouts[unit_id] = Fanout(
        campaign=unit.campaign,
        unit=unit.key,
        position=event.position,
        begun_at=event.at,
        counted=counted,
        path=list(path) or [unit.key],
    )


def advance_fanout(state: State, body: e.UnitFanout, event: e.Recorded) -> None:
    """Move a fan-out past the dependents that it has reached; end it after the last."""
    assert event.campaign is not None, "the envelope of a unit's event names the campaign"
    assert event.unit is not None, "the envelope of a unit's event names the unit"
    unit_id = event.campaign, event.unit
    unit = state.units[unit_id]
    state.touched.fanouts.add(unit_id)
    if state.fanouts[unit_id].counted:
        wait_for(state, unit, body.dependents, -1)
    if body.after is None:
        del state.fanouts[unit_id]
        state.campaigns[unit.campaign].open_fanouts -= 1
        state.touched.campaigns.add(unit.campaign)
    else:
        state.fanouts[unit_id].after = body.after


def give_up(state: State, unit: Unit, event: e.Recorded, path: Sequence[ids.UnitKey] = (), *, in_rounds: bool) -> None:
    """Apply the policy for dependents of a unit that will not be done; in a cancelled campaign none of them is left."""
    campaign = state.campaigns[unit.campaign]
    if campaign.cancelled_at is not None:
        return
    if campaign.policy.on_dependency_failure == "run":
        settle(state, unit, event, in_rounds=in_rounds)
    elif in_rounds and not unit.settled:
        begin(state, unit, event, path, counted=False)


FOLDS: Folds = {e.UnitFanout: advance_fanout}
