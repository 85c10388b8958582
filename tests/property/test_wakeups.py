"""No event opens work or brings a deadline nearer in silence: what an event class declares is held against random histories."""

from collections.abc import Iterator
from datetime import datetime

import pytest
from msgspec import Raw
from typing_extensions import override

from service.domain import commands as c
from service.domain import events as e
from service.domain import ids
from service.domain.campaign import Campaign
from service.domain.rules.claiming import (
    campaign_blockers,
    engine_blockers,
    investigation_blockers,
    label_blockers,
    labels_of,
    unit_blockers,
    worker_blockers,
)
from tests.histories import CAMPAIGNS, WORKERS, History


class WatchedHistory(History):
    """A history that compares, around each order, what may be claimed and what is due next; imports move units between groups."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.opened: set[type[e.Event]] = set()
        self.hastened: set[type[e.Event]] = set()

    @override
    def order(self, command: c.Command) -> object:
        claimable, due, head = self.claimable(), self.due(), len(self.events)
        reply = super().order(command)
        bodies = [event.body for event in self.events[head:]]
        kinds = {type(body) for body in bodies}
        if self.claimable() - claimable:
            assert kinds & e.OPENINGS, f"{kinds} made work claimable and wake no claim"
            self.opened |= kinds & e.OPENINGS
        if self.due() - due:
            wakes = kinds & e.DEADLINES or {type(body) for body in bodies if e.begins_rounds(body)}
            assert wakes, f"{kinds} set a deadline and wake no scheduler"
            self.hastened |= wakes
        return reply

    @override
    def add(self) -> None:
        super().add()
        waiting = [(name, unit) for (name, _), unit in self.state.units.items() if unit.state in ("ready", "blocked")]
        if waiting:
            name, unit = self.dice.choice(waiting)
            group = self.dice.choice((0, 1, 99))
            self.order(c.AddUnits(campaign=name, units=(c.UnitSpec(unit.key, Raw(b'{"a":1}'), group, unit.priority),)))

    @override
    def steer(self) -> None:
        super().steer()
        name, worker = self.dice.choice(CAMPAIGNS), self.dice.choice(WORKERS)
        failed = tuple(key for (_, key), unit in self.state.units.items() if unit.state == "quarantined")
        orders: tuple[c.Command, ...] = (
            c.EditCampaign(name=name, patch={"auto": self.dice.choice((True, True, False))}),
            c.ResetBreaker(name=name),
            c.ResumeEngine(),
            c.ClearQuarantine(campaign=name, keys=failed, bulk_id="bulk"),
            c.BeatWorker(worker=worker, labels={"team": self.dice.choice(CAMPAIGNS)}),
            c.ResumeCampaign(name=name),
        )
        self.order(self.dice.choice(orders))

    def claimable(self) -> set[tuple[ids.WorkerId, str]]:
        """Return what each worker might be given now, automatically."""
        state = self.state
        if any(engine_blockers(state)):
            return set()
        return {
            (worker, item)
            for worker in WORKERS
            if not any(worker_blockers(state.workers.get(worker)))
            for campaign in state.campaigns.values()
            if not any(label_blockers(campaign, labels_of(state.workers.get(worker), {})))
            for item in (*self.units(campaign), *self.investigations(campaign))
        }

    def units(self, campaign: Campaign) -> Iterator[str]:
        """Yield the units of a campaign that nothing holds back."""
        if any(campaign_blockers(self.state, campaign, "auto", self.at)):
            return
        for (name, key), unit in self.state.units.items():
            if name == campaign.name and unit.state == "ready" and not any(unit_blockers(self.state, campaign, unit)):
                yield key

    def investigations(self, campaign: Campaign) -> Iterator[str]:
        """Yield the investigations of a campaign that nothing holds back."""
        if not any(investigation_blockers(self.state, campaign, "auto", self.at)):
            yield from (row.id for row in self.state.investigations.values() if row.state == "requested")

    def due(self) -> set[tuple[str, datetime]]:
        """Return what the scheduler waits for; leases and the time of an investigation are never shorter than its longest nap."""
        rests = {(f"{name} {unit.key}", unit.due_at or unit.resume_at) for (name, _), unit in self.state.units.items()}
        gates = {(key, quota.resume_at) for key, quota in self.state.quotas.items() if not quota.open}
        rounds = {(f"{name} {key} fan-out", row.begun_at) for (name, key), row in self.state.fanouts.items()}
        return {(name, at) for name, at in rests | gates | rounds if at is not None}


OPENERS = {
    e.AttemptFailed, e.BreakerReset, e.CampaignEdited, e.CampaignResumed, e.EngineResumed, e.QuarantineCleared, e.QuotaGateOpened,
    e.RetryDue, e.UnitCompleted, e.UnitReleased, e.UnitsAdded, e.UnitsUpdated, e.UnitUnblocked, e.UnitUnparked,
    e.WorkerDeregistered, e.WorkerRegistered,
}  # fmt: skip
"""What the histories must at least have seen open work, lest they prove nothing."""


@pytest.fixture(scope="module")
def histories() -> list[WatchedHistory]:
    """Histories that saw nearly everything; each checks itself at every order."""
    return [WatchedHistory(seed) for seed in range(16)]


def test_whatever_opens_work_wakes_claims_and_whatever_hastens_wakes_the_scheduler(histories: list[WatchedHistory]) -> None:
    """B-CLAIM-9."""
    for history in histories:
        history.grow(250)
    assert set().union(*(history.opened for history in histories)) >= OPENERS
    assert set().union(*(history.hastened for history in histories)) >= {e.RetryScheduled, e.UnitParked, e.QuotaGateClosed}


def test_an_event_that_does_not_say_whom_it_wakes_cannot_be_imported() -> None:
    class UnitNudged(e.Event, frozen=True):
        kind = "unit.nudged"

    class UnitForgotten(e.Event, frozen=True):
        pass

    with pytest.raises(TypeError, match="UnitNudged does not say its wakes"):
        e.declared([*e.EVENTS, UnitNudged])
    with pytest.raises(TypeError, match="UnitForgotten does not say its kind and wakes"):
        e.declared([UnitForgotten])
    assert e.declared(reversed(e.EVENTS)) == e.EVENTS
