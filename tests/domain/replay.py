"""The log read back: events through JSON as the store keeps them, folded from nothing, and states made comparable."""

from collections import deque
from collections.abc import Iterable
from typing import Any

import msgspec
from typing_extensions import override

from service.domain import events as e
from service.domain.evolve import evolve
from service.domain.evolve.unit import claim_of
from service.domain.fanout import Fanout, FanoutRound
from service.domain.state import State
from service.domain.unit import Unit

ROUND = 2


class Narrow(State):
    """A state to which all dependents of a unit are known at once only where they are few."""

    @override
    def knows_dependents(self, unit: Unit) -> bool:
        return unit.dependents <= ROUND and super().knows_dependents(unit)


def through_json(event: e.Recorded) -> e.Recorded:
    """Return *event* as the store gives it back."""
    body = msgspec.json.decode(msgspec.json.encode(event.body), type=type(event.body))
    return msgspec.structs.replace(event, body=body)


def fold(log: Iterable[e.Recorded]) -> State:
    """Return the state that a rebuild makes of *log*."""
    state = State()
    for event in log:
        evolve(state, event)
    return state


def rows(state: State) -> dict[str, Any]:
    """Return every row of *state*; a group without open units counts as none."""
    return {
        "engine": state.engine,
        "campaigns": state.campaigns,
        "groups": {
            (name, number): (row.ready, row.held)
            for name, groups in state.groups.items()
            for number, row in groups.items()
            if row.ready or row.held
        },
        "units": state.units,
        "claims": state.claims,
        "workers": state.workers,
        "quotas": state.quotas,
        "investigations": state.investigations,
        "recoveries": state.recoveries,
        "fanouts": state.fanouts,
        "children": state.children,
        "parents": state.parents,
    }


def load(state: State, log: Iterable[e.Recorded]) -> None:
    """Fill in what the loader reads beside the rows: candidates in the order of claims, next rounds, past claims from the log."""
    state.fanout_rounds = {known: reach(state, fanout) for known, fanout in state.fanouts.items()}
    state.candidates = {name: deque() for name in state.campaigns}
    for unit in sorted(state.units.values(), key=lambda unit: (unit.group, -unit.priority, unit.seq)):
        if unit.state == "ready":
            state.candidates[unit.campaign].append(unit.key)
    for event in log:
        body = event.body
        if isinstance(body, e.UnitClaimed) and body.token not in state.claims:
            assert event.campaign is not None
            assert event.unit is not None
            state.ended_claims[body.token] = claim_of(state.units[event.campaign, event.unit], body, event)


def reach(state: State, fanout: Fanout, count: int = ROUND) -> FanoutRound:
    """Return the next round of a fan-out."""
    units = [state.units[fanout.campaign, key] for key in state.children.get((fanout.campaign, fanout.unit), ())]
    keys = sorted(unit.key for unit in units if unit.key > (fanout.after or "") and unit.seq < fanout.position * 1000)
    return FanoutRound(fanout.position, fanout.after, tuple(keys[:count]), last=len(keys) <= count)
