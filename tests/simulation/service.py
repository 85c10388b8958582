"""The service of a simulation: the real core behind a door, the state it loads, and an account of its log that is kept apart."""

from collections import Counter, deque
from datetime import datetime, timedelta
from heapq import heappop, heappush
from random import Random

from service.domain import commands as c
from service.domain import events as e
from service.domain import ids
from service.domain.decide import DecisionOutcome, decide
from service.domain.evolve.unit import claim_of
from service.domain.rules.claiming import campaign_blockers, claimable
from service.domain.state import State, TouchedRows
from service.domain.unit import Claim
from tests.domain.scenario import START
from tests.property.log_checks import TAKERS
from tests.property.log_model import LogModel
from tests.property.world import KEPT

SPARE = 4
"""Candidates that are loaded beyond those asked for."""


class Service:
    """Decides commands at a virtual time; every event is checked against the model before anybody hears of it."""

    def __init__(self, seed: int) -> None:
        self.state = State()
        self.log: list[e.Recorded] = []
        self.model = LogModel(TAKERS)
        self.at = START
        self.reached: Counter[str] = Counter()
        self.completed: set[ids.Token] = set()
        self.resting: list[tuple[datetime, ids.UnitId]] = []
        self.parked: dict[ids.UnitId, None] = {}
        self._dice = Random(seed)
        self._ready: dict[ids.CampaignName, list[tuple[int, int, int, ids.UnitKey]]] = {}
        self._claims: dict[ids.Token, Claim] = {}

    def ask(self, command: c.Command) -> DecisionOutcome:
        """Decide *command* now."""
        if isinstance(command, c.ClaimWork):
            self._load(command)
        elif isinstance(command, c.Report) and command.token not in self.state.claims and command.token in self._claims:
            self.state.ended_claims[command.token] = self._claims[command.token]
        context = c.DecisionContext(at=self.at, head=len(self.log), actor="simulation", chance=self._dice.random)
        outcome = decide(self.state, command, context)
        if outcome.rejection is not None:
            assert all(isinstance(event.body, KEPT) for event in outcome.events), "a refusal changes nothing"
            self.reached[f"refused {outcome.rejection.slug}"] += 1
        for event in outcome.events:
            self.model.take(event)
            self._note(event)
        self.log += outcome.events
        for name in {event.campaign for event in outcome.events if event.campaign is not None}:
            expected = self.model.campaigns[name]
            assert expected.tripped or len(expected.failures) < expected.policy.breaker.threshold, (
                "a breaker trips at its threshold"
            )
        if isinstance(command, c.ClaimWork):
            self._unload()
        return outcome

    def sender(self, command: c.Command) -> ids.WorkerId | None:
        """Return which worker sends *command*."""
        if isinstance(command, c.Report):
            return self._claims[command.token].worker
        return command.worker if isinstance(command, c.ClaimWork | c.BeatWorker) else None

    def _note(self, event: e.Recorded) -> None:
        """Keep what a loader would find for the commands that come."""
        body = event.body
        self.reached[body.kind] += 1
        if event.campaign is None:
            return
        if isinstance(body, e.UnitsAdded):
            for new in body.units:
                self._offer((event.campaign, new.key))
        elif event.unit is not None:
            unit = event.campaign, event.unit
            if self.state.units[unit].state == "parked":
                self.parked[unit] = None
            else:
                self.parked.pop(unit, None)
            self._offer(unit)
            match body:
                case e.UnitClaimed():
                    self._claims[body.token] = claim_of(self.state.units[unit], body, event)
                case e.UnitCompleted():
                    assert body.token not in self.completed, "a unit is completed once"
                    self.completed.add(body.token)
                    if body.was != "running":
                        self.reached["late completion accepted"] += 1
                case e.RetryScheduled():
                    heappush(self.resting, (body.due_at, unit))
                case _:
                    pass

    def _offer(self, key: ids.UnitId) -> None:
        """Note a unit among those that may be claimed, if it is ready."""
        unit = self.state.units[key]
        if unit.state == "ready":
            heappush(self._ready.setdefault(unit.campaign, []), (unit.group, -unit.priority, unit.seq, unit.key))

    def _load(self, command: c.ClaimWork) -> None:
        """Bring the next units of every campaign in the order of claims."""
        for name, queue in self._ready.items():
            if not self.state.campaigns[name].counts.ready:
                continue
            keys: dict[ids.UnitKey, None] = {}
            while queue and len(keys) < command.max + SPARE:
                key = heappop(queue)[-1]
                if self.state.units[name, key].state == "ready":
                    keys[key] = None
            self.state.candidates[name] = deque(keys)

    def _unload(self) -> None:
        """Give back the units that nobody claimed, and forget what a saver would have written."""
        for name, keys in self.state.candidates.items():
            for key in keys:
                self._offer((name, key))
        self.state.candidates = {}
        self.state.touched = TouchedRows()

    def rested(self) -> dict[ids.CampaignName, list[ids.UnitKey]]:
        """Take the units whose rest is over."""
        due: dict[ids.CampaignName, list[ids.UnitKey]] = {}
        while self.resting and self.resting[0][0] <= self.at:
            name, key = heappop(self.resting)[1]
            due.setdefault(name, []).append(key)
        return due

    def silent(self, seconds: float, *, all_of_them: bool) -> tuple[ids.WorkerId, ...]:
        """Return the workers that were not heard for so long; those that hold nothing only where *all of them* are asked for."""
        since = self.at - timedelta(seconds=seconds)
        asked = self.state.workers if all_of_them else dict.fromkeys(claim.worker for claim in self.state.claims.values())
        rows = (self.state.workers[name] for name in asked)
        return tuple(row.worker for row in rows if row.state != "gone" and (row.beat_at < since or not row.alive))

    def claimable(self) -> int:
        """Return how many units a worker could get now."""
        free = (
            min(claimable(self.state, row), row.policy.concurrency - row.counts.running)
            for row in self.state.campaigns.values()
            if row.counts.ready and not any(campaign_blockers(self.state, row, "auto", self.at))
        )
        return min(sum(free), self.state.engine.pool_size - self.state.engine.in_use)

    @property
    def drained(self) -> bool:
        """Whether no unit of any campaign is open."""
        return not any(row.counts.open for row in self.state.campaigns.values())
