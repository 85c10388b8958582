"""A simulated night: campaigns, thousands of workers, the watcher, a meter, a person, and everything that goes wrong."""

from collections import deque
from datetime import datetime
from functools import partial
from random import Random
from typing import Any

from msgspec import Struct

from service.domain import commands as c
from service.domain import ids
from service.domain.decide import DecisionOutcome
from tests.domain.scenario import START, Q, spec
from tests.simulation.schedule import Act, Schedule
from tests.simulation.service import Service
from tests.simulation.worker import Then, VirtualWorker

TICK_S, RETIRE_S, WARN_S = 15.0, 3600.0, 30.0
BEATS = {"warn_s": 90, "stale_s": 120, "dead_s": 300}
LATE = 8
LOOKER = ids.WorkerId("looker")
LONGEST = 2 * 86_400
POLICIES: tuple[dict[str, Any], ...] = (
    {"max_attempts": 3, "breaker": {"threshold": 6}, "investigate": True},
    {"max_attempts": 2, "breaker": {"threshold": 4, "counts": "units"}, "on_dead": "quarantine"},
    {"max_attempts": 4, "on_dependency_failure": "run", "groups": "none", "breaker": {"threshold": 9}},
    {
        "max_attempts": 3,
        "retry": {"backoff_ms": 60_000, "jitter": {"kind": "full"}},
        "idle_grace_observations": 2,
        "max_claims": 6,
    },
)


class Size(Struct, frozen=True):
    """How large a night is."""

    units: int = 10_000
    campaigns: int = 16
    workers: int = 2_000
    concurrency: int = 40


class Night:
    """One run: everything follows from *seed* and *size*."""

    def __init__(self, seed: int, size: Size) -> None:
        self.seed = seed
        self.size = size
        self.dice = Random(seed)
        self.service = Service(seed)
        self.schedule = Schedule(START)
        self.acknowledged: set[ids.Token] = set()
        self.refused: set[ids.Token] = set()
        self.names = [ids.CampaignName(f"campaign-{number}") for number in range(size.campaigns)]
        self._idle: deque[VirtualWorker] = deque()
        self._away_until: datetime | None = None
        self._heard_since = START
        self._cleared: set[tuple[str, str]] = set()
        self._late = 0
        self._gone: set[ids.WorkerId] = set()

    def live(self) -> "Night":
        """Let the night pass until no unit is open."""
        self._import()
        for number in range(self.size.workers):
            self.after(self.dice.random() * 60, VirtualWorker(f"w{number}", self).claim)
        for every_s, act in (
            (TICK_S, self._watch),
            (240, self._read),
            (300, self._inquire),
            (600, self._steer),
            (5400, self._fail),
        ):
            self._repeat(every_s, act)
        while not self.service.drained:
            act = self.schedule.next()
            self.service.at = self.schedule.at
            assert (self.schedule.at - START).total_seconds() < LONGEST, f"not drained: {self.open()}"
            act()
        return self

    def open(self) -> dict[str, Any]:
        """Return the campaigns that have open units, with their counts."""
        return {name: row.counts for name, row in self.service.state.campaigns.items() if row.counts.open}

    def after(self, seconds: float, act: Act) -> None:
        """Schedule *act* after a delay in seconds."""
        self.schedule.after(seconds, act)

    def send(self, command: c.Command, then: Then) -> None:
        """Send a worker's command, again and again while the service is away."""
        if self.service.sender(command) in self._gone:
            return
        if self._away_until is not None:
            self.after(5 + 20 * self.dice.random(), lambda: self.send(command, then))
            return
        outcome = self.service.ask(command)
        then(outcome)
        if outcome.events and not isinstance(command, c.ClaimWork | c.RecordHeartbeat):
            self._wake(self.service.claimable())

    def rest(self, worker: VirtualWorker) -> None:
        """Let a worker wait until there may be something to claim."""
        self._idle.append(worker)

    def heard(self, token: ids.Token, command: c.Command, outcome: DecisionOutcome) -> None:
        """Note what a worker was told of a success."""
        if isinstance(command, c.CompleteUnit):
            (self.acknowledged if outcome.rejection is None else self.refused).add(token)
            if outcome.rejection is None:
                self.refused.discard(token)

    def _wake(self, count: int) -> None:
        """Wake so many who rest; who finds nothing rests again."""
        for _ in range(min(count, len(self._idle))):
            self.after(0.1 * self.dice.random(), self._idle.popleft().claim)

    def _repeat(self, every_s: float, act: Act) -> None:
        def turn() -> None:
            if self._away_until is None:
                act()
            elif self.schedule.at >= self._away_until:
                self._away_until, self._heard_since = None, self.schedule.at
            self.after(every_s, turn)

        self.after(every_s * self.dice.random(), turn)

    def _import(self) -> None:
        """Begin the campaigns: layers of units that depend on two of the layer before, some of them broken."""
        each = max(self.size.units // self.size.campaigns, 1)
        for number, name in enumerate(self.names):
            policy = {
                "concurrency": self.size.concurrency,
                "lease_s": 180,
                "heartbeat": BEATS,
                **POLICIES[number % len(POLICIES)],
            }
            self.service.ask(c.CreateCampaign(name=name, policy=policy, quota=Q if number % 2 else None))
            self.service.ask(c.AddUnits(campaign=name, units=tuple(self._units(each))))

    def _units(self, count: int) -> list[c.UnitSpec]:
        layer, above, found = max(count // 5, 1), [""] * 0, list[c.UnitSpec]()
        for start in range(0, count, layer):
            keys = [f"{'broken' if self.dice.random() < 0.01 else 'unit'}-{n}" for n in range(start, min(start + layer, count))]
            for key in keys:
                parents = self.dice.sample(above, min(len(above), self.dice.choice((0, 1, 2))))
                found.append(spec(key, *parents, group=self.dice.choice((1, 2, 99)), priority=self.dice.randint(0, 3)))
            above = keys
        return found

    def _watch(self) -> None:
        """Order what is due, as the watcher does."""
        service, at = self.service, self.schedule.at
        state = service.state
        service.ask(c.OpenGates(quotas=tuple(state.quotas)))
        for name, keys in service.rested().items():
            service.ask(c.ReleaseRetries(campaign=name, keys=tuple(keys)))
        parked = list(service.parked)
        for name in dict.fromkeys(name for name, _ in parked):
            service.ask(c.ResumeParked(campaign=name, keys=tuple(key for owner, key in parked if owner == name)))
        for name in dict.fromkeys(claim.campaign for claim in state.claims.values()):
            service.ask(c.DetectRecovery(campaign=name, last_position=len(service.log), heard_since=self._heard_since))
        if plans := tuple(row.id for row in state.recoveries.values() if row.open):
            if self.dice.random() < 0.8:
                self.after(0.05 * self.dice.random(), partial(self._decide, self.dice.choice(plans)))
            service.ask(c.CloseRecoveries(ids=plans, heard_since=self._heard_since))
        if lapsed := tuple(token for token, claim in state.claims.items() if claim.lease_until <= at):
            service.ask(c.ExpireLeases(tokens=lapsed, heard_since=self._heard_since))
        if silent := service.silent(WARN_S, all_of_them=self.dice.random() < 0.05):
            service.ask(c.JudgeWorkers(workers=silent, heard_since=self._heard_since, retire_s=RETIRE_S))
        dead = tuple(token for token, claim in state.claims.items() if state.workers[claim.worker].level == "dead")
        if dead:
            service.ask(c.RevokeClaims(tokens=dead, heard_since=self._heard_since, tick_s=TICK_S))
        self._wake(service.claimable() + 1)

    def _read(self) -> None:
        """Read the meter, which fails in every way that it can."""
        fate = self.dice.random()
        failure: ids.ReadingFailure | None = None
        if fate < 0.3:
            failure = ("transient", "config", "meter_rate_limited", "auth", "transient", "transient")[int(fate * 20)]
            self.service.reached["meter failed"] += 1
        used = None if failure else 0.5
        self.service.ask(c.RecordReading(quota=Q, utilization=used, failure=failure))

    def _steer(self) -> None:
        """Let a person look after it: reset breakers, retry once what failed, pause and resume, drain and fence."""
        state, dice = self.service.state, self.dice
        for name, row in state.campaigns.items():
            if row.tripped is not None:
                self.service.ask(c.ResetBreaker(name=name))
            elif row.paused_at is not None:
                self.service.ask(c.ResumeCampaign(name=name))
            elif dice.random() < 0.05 and not row.over:
                self.service.ask(c.PauseCampaign(name=name))
        failed = [
            unit
            for unit in state.units.values()
            if unit.state == "quarantined" and (unit.campaign, unit.key) not in self._cleared
        ]
        for unit in failed[:20]:
            self._cleared.add((unit.campaign, unit.key))
            self.service.ask(c.ClearQuarantine(campaign=unit.campaign, keys=(unit.key,), bulk_id="bulk"))
        self.service.ask(
            c.ResizePool(
                pool_size=dice.randint(*sorted((self.size.concurrency * 2, self.size.concurrency * self.size.campaigns)))
            )
        )
        if self._late < LATE:
            self._late += 1
            late = tuple(spec(f"late-{self._late}-{number}", group=0) for number in range(3))
            self.service.ask(c.AddUnits(campaign=dice.choice(self.names), units=late))
        if state.claims and dice.random() < 0.3:
            worker = dice.choice(list(state.claims.values())).worker
            self.service.ask(c.FenceWorker(worker=worker) if dice.random() < 0.5 else c.DrainWorker(worker=worker))

    def _inquire(self) -> None:
        """Let somebody look into what failed, and take bundles: some looks never end."""
        service, dice = self.service, self.dice
        service.ask(c.EndInvestigations(ids=tuple(row.id for row in service.state.investigations.values() if row.open)))
        asked = service.ask(c.ClaimWork(worker=LOOKER, kind="investigation", max=5, mode="manual"))
        for grant in asked.reply.claims:
            if dice.random() < 0.8:
                self.after(2000 * dice.random(), partial(self._conclude, grant.investigation))
        service.ask(c.ExportDiagnostic(campaign=dice.choice(self.names), sha256="0" * 64, force=dice.random() < 0.5))

    def _decide(self, known: ids.RecoveryId) -> None:
        """Let somebody apply a plan; the workers that come may have gone on without it."""
        self.service.ask(c.ApplyRecovery(id=known))

    def _conclude(self, known: ids.InvestigationId) -> None:
        """Say what somebody found; it may be too late."""
        self.service.ask(c.ConcludeInvestigation(id=known, fix=c.Fix() if self.dice.random() < 0.5 else None))

    def _fail(self) -> None:
        """Let the service be away for up to a quarter of an hour; meanwhile all workers of one campaign go, and others come."""
        self.service.reached["outage"] += 1
        name = self.dice.choice(self.names)
        for worker in {claim.worker: None for claim in self.service.state.claims.values() if claim.campaign == name}:
            self._gone.add(worker)
            self.after(0, VirtualWorker(f"{worker}'", self).claim)
        self._away_until = self.schedule.at.fromtimestamp(self.schedule.at.timestamp() + 900 * self.dice.random(), START.tzinfo)
