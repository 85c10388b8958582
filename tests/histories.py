"""Random histories, made by the real decisions: what clients, workers, people and time may order in any order."""

from collections import deque
from datetime import UTC, datetime, timedelta
from random import Random

from msgspec import Raw

from service.domain import commands as c
from service.domain import events as e
from service.domain import ids
from service.domain.decide import decide
from service.domain.state import State

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
CAMPAIGNS = [ids.CampaignName("north"), ids.CampaignName("south")]
WORKERS = [ids.WorkerId(f"w-{number}") for number in range(4)]
QUOTA = ids.QuotaKey("provider")
POLICIES = (
    {"max_attempts": 2, "breaker": {"threshold": 2}, "lease_s": 60},
    {"max_attempts": 3, "breaker": {"threshold": 3, "counts": "units"}, "on_dependency_failure": "run", "max_claims": 4},
)


class History:
    """A log and the state that it folds to, grown by random orders."""

    def __init__(self, seed: int) -> None:
        self.dice = Random(seed)
        self.state = State()
        self.events: list[e.Recorded] = []
        self.at = BEGIN
        self.tokens: list[ids.Token] = []
        self.added = 0

    def order(self, command: c.Command) -> object:
        """Decide one command, now."""
        moment = c.DecisionContext(self.at, len(self.events), "test/admin", self.dice.random)
        outcome = decide(self.state, command, moment)
        self.events += outcome.events
        self.tokens += [event.body.token for event in outcome.events if isinstance(event.body, e.UnitClaimed)]
        return outcome.reply

    def grow(self, steps: int) -> "History":
        """Give *steps* random orders, time passing between them."""
        for name, policy in zip(CAMPAIGNS, POLICIES, strict=True):
            self.order(c.CreateCampaign(name=name, policy=policy, quota=QUOTA, labels={"team": name}))
        orders = [self.add, self.claim, self.claim, self.report, self.report, self.report, self.person, self.time, self.steer]
        for _ in range(steps):
            self.at += timedelta(seconds=self.dice.choice((0, 0, 0.01, 1, 20, 400)))
            self.dice.choice(orders)()
        return self

    def add(self) -> None:
        """Import a few units, some of which depend on others."""
        name = self.dice.choice(CAMPAIGNS)
        known = [key for campaign, key in self.state.units if campaign == name]
        specs = []
        for _ in range(self.dice.randint(1, 5)):
            self.added += 1
            parents = tuple(self.dice.sample(known, min(len(known), self.dice.choice((0, 0, 1, 2)))))
            key = ids.UnitKey(f"unit {self.added}")
            specs.append(c.UnitSpec(key, Raw(b'{"a":1}'), self.dice.choice((1, 99)), self.dice.randint(0, 2), parents))
            known.append(key)
        self.order(c.AddUnits(campaign=name, units=tuple(specs)))

    def claim(self) -> None:
        """Let a worker ask for work."""
        self.state.candidates = {name: deque() for name in CAMPAIGNS}
        for (name, key), unit in sorted(
            self.state.units.items(), key=lambda item: (item[1].group, -item[1].priority, item[1].seq)
        ):
            if unit.state == "ready":
                self.state.candidates[name].append(key)
        mode: ids.Mode = self.dice.choice(("auto", "auto", "manual"))
        self.order(c.ClaimWork(worker=self.dice.choice(WORKERS), max=self.dice.randint(1, 3), mode=mode))

    def report(self) -> None:
        """Let a worker speak of a claim, which may be long over."""
        if not self.tokens:
            return
        token = self.dice.choice(self.tokens[-8:])
        if token not in self.state.claims and token not in self.state.ended_claims:
            self.remember(token)
        self.order(
            self.dice.choice(
                (
                    c.RecordHeartbeat(token=token, progress=self.dice.random(), note="on it", output_at=self.at),
                    c.RecordHeartbeat(token=token, idle=True, alive=self.dice.choice((None, True, False))),
                    c.CompleteUnit(token=token, result=Raw(b"1")),
                    c.CompleteUnit(token=token, usage={"tokens": 3.0}),
                    c.FailAttempt(token=token, reason="crash", error="exit 1", exit_code=1, screen_id="5c"),
                    c.FailAttempt(token=token, reason="timeout", retryable=False),
                    c.ParkClaim(token=token, reason="rate_limit", resume_at=self.at + timedelta(seconds=100)),
                    c.ReleaseClaim(token=token, reason="stop"),
                )
            )
        )

    def remember(self, token: ids.Token) -> None:
        """Bring back the claim that the log remembers, as the store does."""
        for event in self.events:
            if isinstance(event.body, e.UnitClaimed) and event.body.token == token:
                from service.domain.evolve.unit import claim_of  # noqa: PLC0415 - only here

                assert event.campaign is not None
                assert event.unit is not None
                self.state.ended_claims[token] = claim_of(self.state.units[event.campaign, event.unit], event.body, event)

    def person(self) -> None:
        """Let a person order something about a unit or a worker."""
        if not self.state.units:
            return
        campaign, key = self.dice.choice(list(self.state.units))
        kind = self.dice.choice((c.RetryUnit, c.ParkUnit, c.UnparkUnit, c.QuarantineUnit, c.CancelUnit, c.StopUnit))
        orders: tuple[c.Command, ...] = (
            kind(campaign=campaign, key=key),
            kind(campaign=campaign, key=key),
            c.ClearQuarantine(campaign=campaign, keys=(key,), bulk_id="bulk", brief=self.dice.choice((None, "new"))),
            c.DrainWorker(worker=self.dice.choice(WORKERS)),
            c.FenceWorker(worker=self.dice.choice(WORKERS)),
            c.BeatWorker(worker=self.dice.choice(WORKERS), capacity=self.dice.choice((None, 2)), alive=self.dice.random() > 0.2),
        )
        self.order(self.dice.choice(orders))

    def time(self) -> None:
        """Let the watcher look."""
        keys = {name: tuple(key for campaign, key in self.state.units if campaign == name) for name in CAMPAIGNS}
        for name in CAMPAIGNS:
            self.order(c.ReleaseRetries(campaign=name, keys=keys[name]))
            self.order(c.ResumeParked(campaign=name, keys=keys[name]))
        tokens = tuple(self.state.claims)
        self.order(c.ExpireLeases(tokens=tokens, heard_since=BEGIN))
        self.order(c.RevokeClaims(tokens=tuple(self.state.claims), heard_since=BEGIN, tick_s=5))
        self.order(c.JudgeWorkers(workers=tuple(self.state.workers), heard_since=BEGIN, retire_s=600))
        self.order(c.OpenGates(quotas=tuple(self.state.quotas)))

    def steer(self) -> None:
        """Let a person steer a campaign, the engine or a quota."""
        name = self.dice.choice(CAMPAIGNS)
        orders: tuple[c.Command, ...] = (
            c.PauseCampaign(name=name, reason="lunch"),
            c.ResumeCampaign(name=name),
            c.EditCampaign(name=name, patch={"title": "other", "policy": {"breaker": {"threshold": 5}}}),
            c.ResetBreaker(name=name),
            c.PauseEngine(),
            c.ResumeEngine(),
            c.ResumeEngine(),
            c.TickEngine(force=True),
            c.ResizePool(pool_size=self.dice.randint(2, 9)),
            c.RecordReading(quota=QUOTA, utilization=0.5),
            c.RecordReading(quota=QUOTA, failure=self.dice.choice(("auth", "transient", "meter_rate_limited"))),
        )
        order = self.dice.choice(orders) if self.dice.random() > 0.02 else c.CancelCampaign(name=name)
        self.order(order)
