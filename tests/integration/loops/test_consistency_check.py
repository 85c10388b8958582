"""The examiner: a fresh fold beside the stored views, by a process of its own; a spoiled row is counted and named."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from msgspec.structs import replace

from projections.measures.process import Process
from projections.verify.refold import compare
from service.domain import commands as c
from service.domain import ids
from service.loops.consistency_check import ConsistencyCheck
from service.settings import Settings
from tests.fleet import NIGHTLY, Fleet, fleet


@pytest.fixture
async def here(settings: Settings, pool: asyncpg.Pool) -> AsyncIterator[Fleet]:
    """A service with its projector, which has seen a bit of everything."""
    async with fleet(settings, pool) as running:
        await live_through(running)
        yield running


@pytest.fixture
async def owner(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection of the tables' owner."""
    connection = await asyncpg.connect(dsn)
    yield connection
    await connection.close()


async def live_through(here: Fleet) -> None:
    """Let the quarantine, waves, a quota and a leader have their cards."""
    await here.begin(*"abcdef", quota="q", policy={"max_attempts": 1, "concurrency": 9, "breaker": {"threshold": 9}})
    later = (c.UnitSpec(ids.UnitKey(key), depends_on=(ids.UnitKey("a"),)) for key in "xyz")
    await here.order(c.AddUnits(campaign=NIGHTLY, units=tuple(later)), c.ElectLeader(replica="r"))
    tokens = [claim.token for claim in await here.claim(5)]
    await here.order(*(c.RecordHeartbeat(token=token, progress=0.1) for token in tokens))
    await here.order(c.CompleteUnit(token=tokens[0]), *(c.FailAttempt(token=token, reason="crash") for token in tokens[1:4]))
    await here.order(c.ClearQuarantine(campaign=NIGHTLY, keys=(ids.UnitKey("b"),), bulk_id="bulk"))
    await here.order(c.RecordReading(quota=ids.QuotaKey("q"), utilization=0.25))
    await here.projector.at_least(here.position)


SPOILED = [
    ("UPDATE series SET value = value + 1 WHERE family = 'muster_heartbeats_total'",
     "series family='muster_heartbeats_total' labels=(): value is 6, the log says 5"),
    ("UPDATE series SET created_at = created_at + interval '1 us' WHERE labels = '{unit.claimed}'", "created_at"),
    ("DELETE FROM quarantine_card WHERE unit = 'c'", "quarantine_card campaign='nightly' unit='c': row is 'absent'"),
    ("UPDATE campaign_card SET state = 'paused'", "campaign_card campaign='nightly': state is 'paused', the log says 'running'"),
    ("UPDATE wave_card SET card = jsonb_set(card, '{units,ready}', '77') WHERE wave = 2", "units.ready is 77, the log says 3"),
    ("UPDATE worker_card SET card = card || '{\"drained\": 1}'", "worker_card worker='w-1'"),
    ("DELETE FROM quota_card", "quota_card quota='q': row is 'absent', the log says 'there'"),
    ("UPDATE engine_card SET card = jsonb_set(card, '{in_use}', '9')", "engine_card : in_use is 9"),
]  # fmt: skip


async def test_sound_views_are_the_fold_of_the_log_while_it_grows(here: Fleet, dsn: str) -> None:
    """A5."""
    stopping = asyncio.Event()

    async def work() -> None:
        while not stopping.is_set():
            await here.order(c.RecordReading(quota=ids.QuotaKey("q"), utilization=0.5))

    working = asyncio.create_task(work())
    found = []
    for _ in range(3):
        found.append(await compare(dsn, pause_factor=0))
        await here.get("/v1/engine")
    stopping.set()
    await working
    assert [(one.rows, one.first) for one in found] == [(0, None)] * 3
    assert found[0].position < found[-1].position


@pytest.mark.parametrize(("spoil", "line"), SPOILED)
async def test_a_spoiled_row_is_found_and_named(here: Fleet, dsn: str, owner: asyncpg.Connection, spoil: str, line: str) -> None:
    """A5."""
    await owner.execute(spoil)
    found = await compare(dsn, pause_factor=0)
    assert (found.position, found.rows) == (here.position, 1)
    assert line in (found.first or "")


async def test_differences_are_counted_and_logged(
    here: Fleet, settings: Settings, owner: asyncpg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    """A5: by a process of its own."""
    process = Process()
    consistency_check = ConsistencyCheck(settings, process.diverged)
    divergences = process.registry.get_sample_value

    await consistency_check.check()
    assert divergences("muster_projection_divergences_total", {"projection": "views"}) == 0
    await owner.execute("UPDATE series SET value = value + 1 WHERE family = 'muster_attempts_total'")
    await consistency_check.check()
    assert divergences("muster_projection_divergences_total", {"projection": "views"}) == 6
    assert (
        f"6 rows of the views differ from the log up to position {here.position}: series family='muster_attempts_total'"
        in caplog.text
    )


async def test_an_examination_that_is_given_up_counts_nothing(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    """A5: a database that is away is no divergence."""
    process = Process()
    await ConsistencyCheck(replace(settings, dsn="postgresql://127.0.0.1:1/none"), process.diverged).check()
    assert process.registry.get_sample_value("muster_projection_divergences_total", {"projection": "views"}) == 0
    assert "the views were not checked" in caplog.text
