"""How the end of a unit changes those that depend on it: at once, or in rounds."""

from collections.abc import Iterable, Sequence

from service.domain import events as e
from service.domain import ids
from service.domain.evolve.folds import Folds
from service.domain.fanout import Fanout
from service.domain.state import State
from service.domain.unit import Unit


def settle(state: State, unit: Unit, event: e.Recorded, *, in_rounds: bool) -> None:
    """Take *unit* off the open dependencies of its dependents, once."""
    if unit.settled:
        return
    unit.settled = True
    if in_rounds:
        begin(state, unit, event, [], counted=True)
    else:
        wait_for(state, unit, state.children.get((unit.campaign, unit.key), ()), -1)


def unsettle(state: State, unit: Unit) -> None:
    """Put *unit*, which is to be done again, back among the open dependencies of its dependents."""
    if unit.settled:
        unit.settled = False
        wait_for(state, unit, state.children.get((unit.campaign, unit.key), ()), +1)


def wait_for(state: State, unit: Unit, dependents: Iterable[ids.UnitKey], change: int) -> None:
    """Let *dependents* of *unit* wait for one dependency more or less."""
    for key in dependents:
        child = state.units[unit.campaign, key]
        child.waits_for += change
        state.touched.units.add((child.campaign, child.key))


def begin(state: State, unit: Unit, event: e.Recorded, path: Sequence[ids.UnitKey], *, counted: bool) -> None:
    """Let rounds carry to the dependents of *unit* what became of it, from the first one again where they had begun."""
    known = unit.campaign, unit.key
    if known not in state.fanouts:
        state.campaigns[unit.campaign].open_fanouts += 1
        state.touched.campaigns.add(unit.campaign)
    state.touched.fanouts.add(known)
    state.fanouts[known] = Fanout(
        campaign=unit.campaign,
        unit=unit.key,
        position=event.position,
        begun_at=event.at,
        counted=counted,
        path=list(path) or [unit.key],
    )


def advance_fanout(state: State, body: e.UnitFanout, event: e.Recorded) -> None:
    """Some more dependents know what became of the unit."""
    assert event.campaign is not None, "the envelope of a unit's event names the campaign"
    assert event.unit is not None, "the envelope of a unit's event names the unit"
    known = event.campaign, event.unit
    unit = state.units[known]
    state.touched.fanouts.add(known)
    if state.fanouts[known].counted:
        wait_for(state, unit, body.dependents, -1)
    if body.after is None:
        del state.fanouts[known]
        state.campaigns[unit.campaign].open_fanouts -= 1
        state.touched.campaigns.add(unit.campaign)
    else:
        state.fanouts[known].after = body.after


def give_up(state: State, unit: Unit, event: e.Recorded, path: Sequence[ids.UnitKey] = (), *, in_rounds: bool) -> None:
    """By policy, let the dependents of a unit that will not be done go on without it; a cancelled campaign has none left."""
    campaign = state.campaigns[unit.campaign]
    if campaign.cancelled_at is not None:
        return
    if campaign.policy.on_dependency_failure == "run":
        settle(state, unit, event, in_rounds=in_rounds)
    elif in_rounds and not unit.settled:
        begin(state, unit, event, path, counted=False)


FOLDS: Folds = {e.UnitFanout: advance_fanout}
