"""The rounds in which many dependents of one unit learn what became of it."""

from service.domain import events as e
from service.domain.commands import DecisionContext, FanOutUnits
from service.domain.decide.consequences.dependency import is_unreachable, skip, unblock, unskip
from service.domain.decide.consequences.unit_end import complete_campaign
from service.domain.decide.decision import Consequence, Decision, of_unit
from service.domain.fanout import Fanout, FanoutRound, extended
from service.domain.state import State


def continue_fanout(state: State, command: FanOutUnits, context: DecisionContext) -> Decision[None]:
    """Carry what became of units on to their next dependents, and end the campaigns that waited for nothing else."""
    for known in command.units:
        row, reach = state.fanouts.get(known), state.fanout_rounds.get(known)
        if row is not None and reach is not None and reach.fits(row):
            yield from carry(state, row, reach)
            yield from complete_campaign(state.campaigns[row.campaign], context)


def carry(state: State, row: Fanout, reach: FanoutRound) -> Consequence:
    """Carry what became of a unit on to its next dependents; in a cancelled campaign nobody waits for it."""
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
