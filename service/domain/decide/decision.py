"""What a decision is: a generator of facts, each folded into the state before the next is decided; and what it reads."""

from collections.abc import Callable, Generator
from typing import Any, TypeVar

from msgspec import Struct

from service.domain import ids
from service.domain.campaign import Campaign
from service.domain.commands import Command, DecisionContext
from service.domain.events import Event, Fact
from service.domain.read_set import ReadSet
from service.domain.rejections import Conflict, NotFound
from service.domain.state import State
from service.domain.unit import Unit

Reply = TypeVar("Reply")

Decision = Generator[Fact, None, Reply]
Consequence = Generator[Fact, None, None]


class Decider(Struct, frozen=True):
    """A decision, and beside it which rows it may read: a pure function of the command, for the store to execute before."""

    decide: Callable[[State, Any, DecisionContext], Decision[Any]]
    reads: Callable[[Any], ReadSet]


Deciders = dict[type[Command], Decider]
"""The type of a table of decisions: each command's own."""


def of_unit(unit: Unit, body: Event, worker: ids.WorkerId | None = None) -> Fact:
    """Return *body* as a fact about *unit*."""
    return Fact(body, unit.campaign, unit.key, worker)


def campaign_named(state: State, name: ids.CampaignName) -> Campaign:
    """Return the campaign of that name.

    Raises:
        NotFound: when there is none.

    """
    campaign = state.campaigns.get(name)
    if campaign is None:
        raise NotFound(f"there is no campaign {name!r}", field="campaign", current=name)
    return campaign


def unit_named(state: State, name: ids.CampaignName, key: ids.UnitKey) -> Unit:
    """Return the unit of that key.

    Raises:
        NotFound: when there is no such campaign, or no such unit in it.

    """
    campaign_named(state, name)
    unit = state.units.get((name, key))
    if unit is None:
        raise NotFound(f"campaign {name!r} has no unit {key!r}", field="key", current=key)
    return unit


def wrong_state(unit: Unit, action: str, *allowed: ids.UnitState) -> Conflict:
    """Return the refusal of *action* in the state that *unit* is in."""
    return Conflict(f"unit {unit.key!r} is {unit.state}: it cannot {action}", field="state", current=unit.state, allowed=allowed)
