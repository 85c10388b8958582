"""Which decision takes which command, what it reads, and the fold of its facts as they come."""

from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import Struct

from service.domain import commands as c
from service.domain import ids
from service.domain.decide import (
    campaign,
    claim,
    clock,
    diagnostic,
    engine,
    investigation,
    quota,
    recovery,
    report,
    unit,
    unit_import,
    worker,
)
from service.domain.decide.consequences import fanout
from service.domain.decide.decision import Deciders
from service.domain.events import Fact, Recorded
from service.domain.evolve import evolve
from service.domain.read_set import ReadSet
from service.domain.rejections import Rejection
from service.domain.state import State

DECIDERS: Deciders = {
    **campaign.DECIDERS,
    **unit_import.DECIDERS,
    **unit.DECIDERS,
    **claim.DECIDERS,
    **report.DECIDERS,
    **worker.DECIDERS,
    **engine.DECIDERS,
    **quota.DECIDERS,
    **clock.DECIDERS,
    **fanout.DECIDERS,
    **investigation.DECIDERS,
    **recovery.DECIDERS,
    **diagnostic.DECIDERS,
}


def commands_to_decide(kind: type[c.Command] = c.Command) -> Iterator[type[c.Command]]:
    """Yield every kind of command that can be given: those below *kind* that have no kinds below them."""
    for below in kind.__subclasses__():
        yield from commands_to_decide(below) if below.__subclasses__() else (below,)


if missing := [command.__name__ for command in commands_to_decide() if command not in DECIDERS]:
    raise TypeError(f"no decision for {missing}")


class DecisionOutcome(Struct, frozen=True):
    """The events of a command, to append in this order, and its reply or its refusal."""

    events: list[Recorded]
    reply: Any = None
    rejection: Rejection | None = None


def reads(commands: Iterable[c.Command], planned: Iterable[ids.CampaignName] = ()) -> ReadSet:
    """Return what the decisions of *commands* read; *planned* are the campaigns that have an open recovery plan."""
    planned_campaigns = ReadSet(planned_campaigns=tuple(planned))
    return ReadSet.union([planned_campaigns, *(DECIDERS[type(command)].reads(command) for command in commands)])


def decide(state: State, command: c.Command, context: c.DecisionContext) -> DecisionOutcome:
    """Decide *command*; its events take the positions after `context.head` and are folded into *state* one by one.

    A refusal keeps what was recorded before it (a late result is kept, and refused).
    """
    events: list[Recorded] = []
    steps = DECIDERS[type(command)].decide(state, command, context)
    try:
        while True:
            fact: Fact = next(steps)
            event = in_envelope(fact, context, context.head + len(events) + 1)
            evolve(state, event)
            events.append(event)
    except StopIteration as end:
        return DecisionOutcome(events, end.value)
    except Rejection as rejection:
        return DecisionOutcome(events, rejection=rejection)


def in_envelope(fact: Fact, context: c.DecisionContext, position: int) -> Recorded:
    """Return *fact* in its envelope."""
    return Recorded(
        position,
        context.at,
        fact.body,
        fact.campaign,
        fact.unit,
        fact.worker,
        context.shard,
        context.correlation_id,
        context.span_id,
        context.causation,
        context.actor,
    )
