"""The loader against the whole truth: what a batch decides on the rows it loads is what it decides on the whole fold."""

import random
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from service.domain import commands as c
from service.domain import events as e
from service.domain import ids
from service.domain.commands import Command
from service.domain.decide import DecisionOutcome, decide
from service.domain.events import QuotaPolicy
from service.domain.evolve import evolve
from service.domain.state import State
from service.store.log import event_log
from service.store.state import rows
from service.store.state.loader import QUERIES
from service.store.state.row_cache import RowCache
from service.submission import Origin
from service.writer import batch as batches
from service.writer.batch import Batch, Pending
from tests.domain.replay import fold, load
from tests.refold import audit, plain
from tests.replica import unit

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
CAMPAIGNS = [ids.CampaignName(name) for name in ("a", "b", "c")]
WORKERS = [ids.WorkerId(name) for name in ("w1", "w2", "w3", "w4")]
QUOTAS = [ids.QuotaKey(name) for name in ("q1", "q2")]
KEYS = [ids.UnitKey(f"u{n}") for n in range(14)]
POLICIES = [
    {"on_dependency_failure": "run"},
    {"on_dependency_failure": "skip"},
    {"max_claims": 1},
    {"max_claims": 100, "max_attempts": 2},
    {"require_evidence": True},
    {"require_evidence": False, "idle_grace_observations": 1},
    {"concurrency": 2, "groups": "none"},
    {"concurrency": 8, "groups": "ordered", "max_attempts": 5},
    {"retry": {"retryable_errors": ["flaky*"]}},
    {"retry": {"retryable_errors": [], "backoff_ms": 100, "max_delay_ms": 100}},
    {"breaker": {"threshold": 1000}},
    {"investigate": True, "max_attempts": 1},
    {"investigate": True},
]


class History:
    """Commands drawn by luck from what a campaign's people, workers and clock may order at any time."""

    def __init__(self, seed: int, state: State) -> None:
        self.luck = random.Random(seed)
        self.state = state
        self.tokens: list[ids.Token] = [ids.Token("3.0"), ids.Token("nonsense")]

    def commands(self, at: datetime) -> list[Command]:
        """Return the commands of one batch."""
        size = self.luck.choice([1, 1, 1, 2, 6])
        return [self.command(at) for _ in range(size)]

    def command(self, at: datetime) -> Command:
        """Return one command."""
        kinds: dict[Callable[[datetime], Command], int]
        kinds = {self.claim: 4, self.report: 6, self.person: 3, self.clock: 3, self.plan: 2, self.engine: 1, self.inquiry: 3}
        return self.luck.choices(list(kinds), list(kinds.values()))[0](at)

    def claim(self, _at: datetime) -> Command:
        """Return a claim of any or some campaigns."""
        names = tuple(self.luck.sample(CAMPAIGNS, self.luck.choice([0, 0, 1, 2])))
        known = tuple(name for name in names if name in self.state.campaigns)
        mode: ids.Mode = self.luck.choice(["auto", "manual", "manual"])
        return c.ClaimWork(worker=self.luck.choice(WORKERS), max=self.luck.choice([1, 2, 5]), campaigns=known, mode=mode)

    def report(self, at: datetime) -> Command:
        """Return a worker's word, mostly under a current token."""
        running = list(self.state.claims)
        token = self.luck.choice(running if running and self.luck.random() < 0.8 else self.tokens)
        soon = at + timedelta(milliseconds=self.luck.choice([5, 60_000]))
        error = self.luck.choice(["flaky net", "broken", "429 too many requests"])
        reports: list[Command]
        reports = [
            c.RecordHeartbeat(token=token, idle=self.luck.choice([None, True, False]), session="s", progress=0.5),
            c.CompleteUnit(token=token),
            c.CompleteUnit(token=token),
            c.FailAttempt(token=token, reason="crash", error=error, screen_id="abc"),
            c.ParkClaim(token=token, reason=self.luck.choice(["rate_limit", "night"]), resume_at=soon),
            c.ReleaseClaim(token=token, reason="stop"),
        ]
        return self.luck.choice(reports)

    def person(self, _at: datetime) -> Command:
        """Return an order about a unit, a campaign or a worker."""
        campaign, key, worker = self.luck.choice(CAMPAIGNS), self.luck.choice(KEYS), self.luck.choice(WORKERS)
        one = [c.RetryUnit, c.ParkUnit, c.UnparkUnit, c.QuarantineUnit, c.CancelUnit, c.StopUnit]
        orders: list[Command] = [self.luck.choice(one)(campaign=campaign, key=key) for _ in range(2)]
        return self.luck.choice(
            [
                *orders,
                c.RetryUnit(campaign=campaign, key=key),
                c.ClearQuarantine(campaign=campaign, keys=tuple(self.luck.sample(KEYS, 5)), bulk_id="b"),
                c.ResetBreaker(name=campaign),
                c.BeatWorker(worker=worker, alive=self.luck.random() < 0.8, capacity=self.luck.choice([None, 3])),
                self.luck.choice([c.FenceWorker(worker=worker), c.DrainWorker(worker=worker)]),
            ]
        )

    def clock(self, _at: datetime) -> Command:
        """Return what the watcher orders."""
        campaign, keys = self.luck.choice(CAMPAIGNS), tuple(self.luck.sample(KEYS, 6))
        tokens = tuple(self.state.claims)
        return self.luck.choice(
            [
                c.ReleaseRetries(campaign=campaign, keys=keys),
                c.ResumeParked(campaign=campaign, keys=keys),
                c.ExpireLeases(tokens=tokens, heard_since=LONG_AGO),
                c.RevokeClaims(tokens=tokens, heard_since=LONG_AGO, tick_s=0.001),
                c.JudgeWorkers(workers=tuple(WORKERS), heard_since=LONG_AGO, retire_s=3600),
                c.OpenGates(quotas=tuple(QUOTAS)),
                c.CancelRest(name=campaign, keys=keys),
            ]
        )

    def plan(self, _at: datetime) -> Command:
        """Return a beginning, an import, an edit or, rarely, an end."""
        campaign = self.luck.choice(CAMPAIGNS)
        keys = self.luck.sample(KEYS, 4)
        known = [key for name, key in self.state.units if name == campaign]
        specs = []
        for key in keys:
            parents = self.luck.sample(known, min(len(known), self.luck.choice([0, 1, 2])))
            parents += self.luck.sample([other for other in keys if other < key], self.luck.choice([0, 0, 1]) * (key > min(keys)))
            specs.append(unit(key, *set(parents) - {key}, group=self.luck.choice([1, 2]), priority=self.luck.choice([0, 5])))
        self.luck.shuffle(specs)
        quota = self.luck.choice([None, *QUOTAS])
        return self.luck.choice(
            [
                c.CreateCampaign(name=campaign, units=tuple(specs) if not known else (), policy={"lease_s": 1}, quota=quota),
                c.AddUnits(campaign=campaign, units=tuple(specs)),
                c.AddUnits(campaign=campaign, units=tuple(specs)),
                c.EditCampaign(name=campaign, patch={"policy": self.luck.choice(POLICIES)}),
                c.EditCampaign(name=campaign, patch={"policy": self.luck.choice(POLICIES), "quota": quota}),
                *[c.CancelCampaign(name=campaign)] * (self.luck.random() < 0.05),
            ]
        )

    def inquiry(self, at: datetime) -> Command:
        """Return what is ordered about investigations and recoveries."""
        names = tuple(name for name in self.luck.sample(CAMPAIGNS, self.luck.choice([0, 1])) if name in self.state.campaigns)
        looked = self.luck.choice([*self.state.investigations, ids.InvestigationId("i0")])
        plan = self.luck.choice([*self.state.recoveries, ids.RecoveryId("r0")])
        heard_since = at - timedelta(seconds=self.luck.choice([0.55, 0.75, 0.95]))
        detect = c.DetectRecovery(campaign=self.luck.choice(CAMPAIGNS), last_position=1, heard_since=heard_since)
        orders: list[Command] = [
            c.ClaimWork(worker=self.luck.choice(WORKERS), max=self.luck.choice([1, 3]), campaigns=names, kind="investigation"),
            c.ConcludeInvestigation(id=looked, fix=self.luck.choice([None, c.Fix()])),
            c.EndInvestigations(ids=tuple(self.state.investigations)),
            c.ExportDiagnostic(campaign=self.luck.choice(CAMPAIGNS), sha256="5c", force=self.luck.random() < 0.5),
            detect,
            detect,
            self.luck.choice([c.ApplyRecovery(id=plan), c.DeclineRecovery(id=plan)]),
            c.CloseRecoveries(ids=tuple(self.state.recoveries), heard_since=heard_since),
        ]
        return self.luck.choice(orders)

    def engine(self, _at: datetime) -> Command:
        """Return an order about the pool and the quotas."""
        quota = self.luck.choice(QUOTAS)
        return self.luck.choice(
            [
                c.RecordReading(quota=quota, utilization=self.luck.choice([0.1, 0.95])),
                c.RecordReading(quota=quota, failure=self.luck.choice(["auth", "transient"])),
                c.EditQuota(quota=quota, policy=QuotaPolicy(fire=self.luck.choice(["always", "when_available"]))),
                c.TickEngine(force=True),
                c.ResizePool(pool_size=self.luck.choice([3, 10])),
            ]
        )


class Spied:
    """Runs batches as the Writer does, and remembers in which moments their commands were decided.

    Now and then another replica's Writer runs one, and the memory of this one is of another time.
    """

    def __init__(self, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch, luck: random.Random) -> None:
        self.pool = pool
        self.luck = luck
        self.row_cache = RowCache()
        self.moments: list[c.DecisionContext] = []
        monkeypatch.setattr(batches, "decide", self._decide)
        monkeypatch.setattr(batches, "CHANCE", lambda: 0.5)

    def _decide(self, state: State, command: Command, moment: c.DecisionContext) -> DecisionOutcome:
        self.moments.append(moment)
        return decide(state, command, moment)

    async def transact(self, commands: list[Command]) -> list[e.Recorded]:
        """Run one batch; return its events."""
        self.moments.clear()
        pending = Pending(commands, Origin(actor="me"), None, 0.0)  # type: ignore[arg-type] # nobody waits for it
        elsewhere = self.luck.random() < 0.2
        batch = Batch([pending], RowCache() if elsewhere else self.row_cache)
        async with self.pool.acquire() as connection:
            async with connection.transaction():
                await batch.transact(connection)
            if not elsewhere:
                self.row_cache = batch.remembered()
                assert self.row_cache.units.keys() <= {(claim.campaign, claim.unit) for claim in self.row_cache.claims.values()}
                assert remembered(self.row_cache) == await stored(connection, self.row_cache)
        return batch.events


def remembered(row_cache: RowCache) -> dict[str, dict[Any, object]]:
    """Return what *memory* holds, table by table."""
    return {
        "claims": {token: said(claim) for token, claim in row_cache.claims.items()},
        "units": {known: said(unit) for known, unit in row_cache.units.items()},
        "workers": {worker: said(row) for worker, row in row_cache.workers.items()},
        "campaigns": {name: said(row) for name, (row, _) in row_cache.campaigns.items()},
        "groups": {
            (name, number): said(row) for name, (_, rows_) in row_cache.campaigns.items() for number, row in rows_.items()
        },
    }


async def stored(connection: event_log.Connection, row_cache: RowCache) -> dict[str, dict[Any, object]]:
    """Return the rows of *memory* as they are in the database."""
    claims = map(rows.claim, await connection.fetch(QUERIES.claims, 0, list(row_cache.claims)))
    units = (
        map(rows.unit, await connection.fetch(QUERIES.units, 0, *zip(*row_cache.units, strict=True))) if row_cache.units else ()
    )
    workers = map(rows.worker, await connection.fetch(QUERIES.workers, 0, list(row_cache.workers)))
    campaigns = await connection.fetch(QUERIES.campaigns, 0, list(row_cache.campaigns))
    groups = [group for row in campaigns for group in rows.groups(row).values()]
    return {
        "claims": {row.token: said(row) for row in claims},
        "units": {(row.campaign, row.key): said(row) for row in units},
        "workers": {row.worker: said(row) for row in workers},
        "campaigns": {row["name"]: said(rows.campaign(row)) for row in campaigns},
        "groups": {(row.campaign, row.group): said(row) for row in groups},
    }


def said(row: Any) -> dict[str, object]:  # noqa: ANN401 - any row
    """Return what *row* says, field by field."""
    return {field: plain(getattr(row, field)) for field in row.__struct_fields__}


# A known fault, not yet mended: in the history of seed 4 a batch skips a unit again that it brings back when all rows are loaded.
SEEDS = [pytest.param(seed, marks=[pytest.mark.xfail(reason="a read set lacks rows")] if seed == 4 else []) for seed in range(6)]


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_batch_decides_on_what_it_loads_as_it_would_on_everything(
    pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """A5, B-UNIT-5: random histories; a claim beside other commands is left out, it is given what was loaded for it.

    What is remembered from batch to batch is what stands in the tables.
    """
    spied = Spied(pool, monkeypatch, random.Random(seed))
    state = State()
    history = History(seed, state)
    recorded: list[e.Recorded] = []
    kinds: set[str] = set()
    for _ in range(350):
        commands = history.commands(datetime.now(UTC))
        events = await spied.transact(commands)
        if len(commands) == 1 or not any(isinstance(command, c.ClaimWork) for command in commands):
            whole = fold(recorded)
            load(whole, recorded)
            outcomes = [decide(whole, *order) for order in zip(commands, spied.moments, strict=True)]
            assert shown(event for outcome in outcomes for event in outcome.events) == shown(events), commands
        for event in events:
            evolve(state, event)
        recorded += events
        history.tokens += [event.body.token for event in events if isinstance(event.body, e.UnitClaimed)]
        kinds |= {event.body.kind for event in events}
    await audit(pool)
    assert len(kinds) >= 25, f"the history is too tame: {sorted(kinds)}"


def shown(events: Iterable[e.Recorded]) -> list[tuple[str, ...]]:
    """Return what happened to whom; siblings have no order of their own."""
    return sorted((event.campaign or "", event.unit or "", event.worker or "", event.body.kind) for event in events)
