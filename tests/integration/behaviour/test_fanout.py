"""Units with very many dependents, and campaigns of the size that they come in: no transaction is long, nothing is told twice."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import asyncpg
import pytest
from typing_extensions import override

from projections.http.reads.query_runner import QueryRunner
from projections.http.reads.unit import Explanation, explain
from projections.measures.process import Process
from projections.projector import Projector
from service.domain import commands as c
from service.domain import events as e
from service.domain import ids
from service.loops.scheduler import Scheduler
from service.settings import Settings
from service.store.db.pool import SESSION
from tests.patience import PATIENCE_S
from tests.refold import audit
from tests.replica import NIGHT, Replica, eventually, unit

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
ROOT = ids.UnitKey("root")
KILL = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'writer' AND datname = current_database()
"""
MOST_EVENTS = 8_000
"""More than any transaction here writes; an import writes one event for a thousand units."""


class Weighed(Replica):
    """A replica that notes how much its transactions wrote; its statements may take as long as the service's, 5 s.

    Each takes less than a quarter of a second alone. Less than 5 s would judge the other test runners: a COPY waits for us.
    So would the service's 2 s between two statements, which are for a process that stands still: Python decides about a thousand
    units there, and takes up to half a second alone.
    """

    session = SESSION | {"idle_in_transaction_session_timeout": f"{PATIENCE_S:.0f}s"}

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.most = 0

    @override
    def observe_append(self, seconds: float, events: int) -> None:
        super().observe_append(seconds, events)
        self.most = max(self.most, events)


@pytest.fixture
async def one(settings: Settings) -> AsyncIterator[Weighed]:
    """A replica."""
    async with Weighed(settings) as replica:
        yield replica


async def import_units(replica: Replica, units: list[c.UnitSpec]) -> None:
    """Import units as lines are imported: a thousand a transaction."""
    for start in range(0, len(units), 1000):
        await replica.order(c.AddUnits(campaign=NIGHT, units=tuple(units[start : start + 1000])))


@asynccontextmanager
async def watching(replica: Replica, pool: asyncpg.Pool) -> AsyncIterator[None]:
    """Let the watcher look."""
    scheduler = asyncio.create_task(Scheduler(pool, replica.writer, replica.wakeup, 60).run(lambda: LONG_AGO))
    try:
        yield
    finally:
        scheduler.cancel()
        await asyncio.wait([scheduler])


async def known(replica: Replica, pool: asyncpg.Pool) -> None:
    """Wait until everybody knows everything."""

    async def everybody() -> bool:
        return not await pool.fetchval("SELECT open_fanouts FROM campaigns")

    async with watching(replica, pool):
        await eventually(everybody, 300)


async def counted(pool: asyncpg.Pool) -> dict[str, int]:
    """Return how many units are in each state."""
    rows = await pool.fetch("SELECT state, count(*) AS count FROM units GROUP BY state")
    return {row["state"]: row["count"] for row in rows}


async def explained(pool: asyncpg.Pool, key: str) -> Explanation:
    """Return why a unit is not claimed."""
    found = await explain(QueryRunner(pool, Projector(pool, Process("0000", "none"))), NIGHT, ids.UnitKey(key))
    assert found is not None
    return found


async def finish(replica: Replica, count: int = 1) -> list[str]:
    """Claim units and complete them."""
    grants = await replica.claim("w", count)
    await replica.submit(*(c.CompleteUnit(token=grant.token) for grant in grants))
    return [grant.key for grant in grants]


@pytest.mark.usefixtures("patience")
async def test_a_hundred_thousand_dependents_are_freed_in_rounds(one: Weighed, pool: asyncpg.Pool) -> None:
    """B-DAG-1, B-DAG-4, B-UNIT-5, B-VIEW-5: none of it in a long transaction, and an explanation says what goes on."""
    await one.campaign(concurrency=10)
    await import_units(one, [unit(ROOT), *(unit(f"c{n:06}", ROOT) for n in range(100_000))])
    assert await finish(one) == [ROOT]
    [blocker] = (await explained(pool, "c099999")).blockers
    assert (blocker.reason, blocker.entity) == ("blocked", ROOT)
    assert blocker.detail == "root is done: its many dependents learn it in rounds, this one soon"
    await known(one, pool)
    assert await counted(pool) == {"done": 1, "ready": 100_000}
    assert await pool.fetchval("SELECT max(waits_for) FROM units") == 0
    assert (await explained(pool, "c099999")).claimable
    kinds = Counter(event.body.kind for event in one.committed)
    assert (kinds["unit.unblocked"], kinds["unit.fanout"]) == (100_000, 101)
    assert one.most < MOST_EVENTS
    assert not one.failures


async def test_ten_thousand_dependents_are_skipped_and_come_back_in_rounds(one: Weighed, pool: asyncpg.Pool) -> None:
    """B-DAG-2, B-DAG-3, B-CAMP-1: the campaign ends once, after the last round, and not between the retry and its news."""
    await one.campaign(concurrency=10)
    await import_units(one, [unit(ROOT), *(unit(f"c{n:05}", ROOT) for n in range(10_000))])
    await one.order(c.QuarantineUnit(campaign=NIGHT, key=ROOT))
    await known(one, pool)
    assert await counted(pool) == {"quarantined": 1, "skipped": 10_000}
    assert isinstance(one.committed[-1].body, e.CampaignCompleted)
    await one.order(c.RetryUnit(campaign=NIGHT, key=ROOT))
    assert await finish(one) == [ROOT]
    [blocker] = (await explained(pool, "c09999")).blockers
    assert blocker.detail == "root is done: its many dependents learn it in rounds, this one soon"
    await known(one, pool)
    assert await counted(pool) == {"done": 1, "ready": 10_000}
    kinds = Counter(event.body.kind for event in one.committed)
    assert (kinds["unit.skipped"], kinds["unit.unskipped"], kinds["campaign.completed"]) == (10_000, 10_000, 1)
    assert one.most < MOST_EVENTS


@pytest.mark.usefixtures("patience")
async def test_a_hundred_thousand_units_in_waves_of_a_thousand_are_imported_and_scheduled(
    one: Weighed, pool: asyncpg.Pool
) -> None:
    """B-DAG-1, B-DAG-2, B-DAG-3, B-DAG-4, B-CLAIM-4: each waits for three of the wave before; one of the first is lost."""
    waves, width = 100, 1000
    graph = [
        unit(f"w{wave:02}.{n:03}", *(f"w{wave - 1:02}.{(n + step) % width:03}" for step in (0, 1, 31) if wave))
        for wave in range(waves)
        for n in range(width)
    ]
    await one.campaign(concurrency=width)
    await import_units(one, graph)
    for wave in range(3):
        done = await finish(one, width)
        assert (len(done), {key[:3] for key in done}) == (width, {f"w{wave:02}"})
    await one.order(c.QuarantineUnit(campaign=NIGHT, key=ids.UnitKey("w03.500")))
    await known(one, pool)
    states = await counted(pool)
    assert (states["done"], states["quarantined"], states["ready"]) == (3000, 1, 999)
    assert states["skipped"] > 50_000
    assert one.most < MOST_EVENTS
    assert not one.failures


async def test_a_fanout_survives_any_number_of_deaths_of_its_writer(
    one: Weighed, pool: asyncpg.Pool, owner: asyncpg.Connection
) -> None:
    """B-DAG-2, B-DAG-3, A5, A9: each dependent is told once, whatever was cut off."""
    await one.campaign(concurrency=10)
    keys = [f"c{n:05}" for n in range(4_000)]
    await import_units(one, [unit(ROOT), *(unit(key, ROOT) for key in keys), unit("tail", keys[0], keys[-1])])
    await one.order(c.QuarantineUnit(campaign=NIGHT, key=ROOT))
    deaths = batches = 0

    async def killed() -> bool:
        nonlocal deaths, batches
        if one.batches > batches:  # some progress is left to it
            batches = one.batches
            deaths += await owner.fetchval(KILL)
        return not await pool.fetchval("SELECT open_fanouts FROM campaigns")

    async with watching(one, pool):
        await eventually(killed, 100)
    assert deaths > 1
    assert await counted(pool) == {"quarantined": 1, "skipped": 4_001}
    await one.order(c.RetryUnit(campaign=NIGHT, key=ROOT))
    await finish(one)
    async with watching(one, pool):
        await eventually(killed, 100)
    state = await audit(pool)
    assert Counter(row.state for row in state.units.values()) == {"done": 1, "ready": 4_000, "blocked": 1}
    kinds = Counter((event.unit, event.body.kind) for event in one.committed if isinstance(event.body, e.UnitSkipped))
    assert set(kinds.values()) == {1}
