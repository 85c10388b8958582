"""The rounds in which the end of a unit reaches its many dependents."""

from service.domain import events as e
from service.domain import ids
from service.domain.commands import DecisionContext, FanOutUnits
from service.domain.decide.consequences.dependency import is_unreachable, skip, unblock, unskip
from service.domain.decide.consequences.unit_end import complete_campaign
from service.domain.decide.decision import Consequence, Decider, Deciders, Decision, of_unit
from service.domain.fanout import Fanout, FanoutRound, extended
from service.domain.read_set import FollowingReads, ReadSet
from service.domain.state import State


def continue_fanout(state: State, command: FanOutUnits, context: DecisionContext) -> Decision[None]:
    """Carry the end of units on to their next dependents, and complete the campaigns that waited for nothing else."""
    for known in command.units:
        row, reach = state.fanouts.get(known), state.fanout_rounds.get(known)
        if row is not None and reach is not None and reach.fits(row):
            yield from carry(state, row, reach)
            yield from complete_campaign(state.campaigns[row.campaign], context)


def carry(state: State, row: Fanout, reach: FanoutRound) -> Consequence:
    """Carry the end of a unit, or its return, on to its next dependents; in a cancelled campaign no unit waits for it."""
    unit = state.units[row.campaign, row.unit]
    if state.campaigns[row.campaign].cancelled_at is not None:
        yield of_unit(unit, e.UnitFanout(dependents=(), after=None))
        return
    path = tuple(row.path)
    reached = [(state.units[unit.campaign, key], extended(path, key)) for key in reach.dependents]
    after = None if reach.last else reach.dependents[-1]
    yield of_unit(unit, e.UnitFanout(dependents=reach.dependents, after=after))
    if is_unreachable(unit):
        yield from skip(state, reached)
        return
    yield from unskip(state, reached)
    for child, _ in reached:
        yield from unblock(child, unit)


def reads_fanout(command: FanOutUnits) -> ReadSet:
    """Return the units with the dependents that the next round of each reaches."""
    return ReadSet(campaigns=tuple(dict.fromkeys(campaign for campaign, _ in command.units)), fanouts=command.units)


def reads_reached(state: State, row: FanoutRound, of: ids.UnitId) -> FollowingReads:
    """Return what follows for the dependents that *row*, the next round of the unit *of*, reaches.

    Those that are blocked or skipped may be skipped for the unit, and so may the units below them. Of those that are skipped
    already the cause is read, and where the unit is back at work, whether another dependency holds them.
    """
    campaign, unit = of[0], state.units[of]
    reached = [state.units[campaign, key] for key in row.dependents]
    skipped = [child for child in reached if child.state == "skipped"]
    waiting = [child for child in reached if child.state in ("blocked", "skipped")]
    return FollowingReads(
        descents=frozenset() if unit.settled else frozenset((campaign, child.key) for child in waiting),
        returning=frozenset() if is_unreachable(unit) else frozenset((campaign, child.key) for child in skipped),
        units=frozenset((campaign, child.because_of) for child in skipped if child.because_of is not None),
    )


DECIDERS: Deciders = {FanOutUnits: Decider(continue_fanout, reads_fanout)}
