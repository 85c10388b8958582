"""Everything can be computed from the log again: the same tables, while the service runs, and what differs is found."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import datetime
from functools import partial

import asyncpg
import pytest

from projections.rebuild import check, prefetch, shadow
from projections.rebuild import state_replay as growing
from service.domain import commands as c
from service.domain import ids
from service.settings import Settings
from tests.fleet import NIGHTLY, Fleet, fleet, rebuilt
from tests.patience import PATIENCE_S
from tests.replica import Replica


@pytest.fixture
async def here(settings: Settings, pool: asyncpg.Pool) -> AsyncIterator[Fleet]:
    """A service with its projector."""
    async with fleet(settings, pool) as running:
        yield running


@pytest.fixture
async def owner(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection of the tables' owner."""
    connection = await asyncpg.connect(dsn)
    yield connection
    await connection.close()


async def live_through(here: Fleet) -> None:
    """Let a campaign see a bit of everything."""
    await here.begin(*(f"u{number}" for number in range(30)), quota="q", policy={"max_attempts": 1, "concurrency": 50})
    child = c.UnitSpec(ids.UnitKey("child"), depends_on=(ids.UnitKey("u0"), ids.UnitKey("u1")))
    orphan = c.UnitSpec(ids.UnitKey("orphan"), depends_on=(ids.UnitKey("u3"),))
    await here.order(c.AddUnits(campaign=NIGHTLY, units=(child, orphan)))
    await here.order(c.EditCampaign(name=NIGHTLY, patch={"policy": {"breaker": {"threshold": 50}}, "labels": {"a": "b"}}))
    tokens = [claim.token for claim in await here.claim(20)]
    await here.order(*(c.RecordHeartbeat(token=token, progress=0.3, note="on it") for token in tokens[:9]))
    await here.order(*(c.CompleteUnit(token=token) for token in tokens[:3]))
    await here.order(*(c.FailAttempt(token=token, reason="crash", error="exit 1") for token in tokens[3:8]))
    await here.order(c.ParkClaim(token=tokens[8], reason="rate_limit"), c.ReleaseClaim(token=tokens[9], reason="stop"))
    await here.order(c.ClearQuarantine(campaign=NIGHTLY, keys=(ids.UnitKey("u4"),), bulk_id="b"))
    await here.order(c.EditCampaign(name=NIGHTLY, patch={"policy": {"investigate": True}}))
    await here.order(c.FailAttempt(token=tokens[10], reason="crash", error="exit 2"))
    await here.order(c.ClaimWork(worker=ids.WorkerId("w-2"), kind="investigation"))
    await here.order(c.CompleteUnit(token=tokens[0]), c.RecordReading(quota=ids.QuotaKey("q"), utilization=0.2))
    await here.projector.at_least(here.position)


async def test_rebuilds_and_checks_at_the_same_time_go_one_after_the_other(
    here: Fleet, owner: asyncpg.Connection, dsn: str
) -> None:
    """A5: each has tables of its own, and none that a crash empties are put in place."""
    await live_through(here)
    first, second, _, third, _ = await asyncio.gather(check(dsn), check(dsn), rebuilt(dsn), check(dsn), rebuilt(dsn))
    assert [first, second, third] == [None] * 3
    fleeting = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relpersistence <> 'p'"
    assert await owner.fetchval(fleeting) == 0


async def test_a_rebuild_that_waits_too_long_for_another_fails_with_a_message(
    owner: asyncpg.Connection, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shadow, "LOCK_TIMEOUT", "1ms")
    await owner.execute(shadow.SHADOW.alone)
    with pytest.raises(shadow.AnotherAtWork, match="another rebuild, check or verification is at work"):
        await check(dsn)


async def test_a_rebuild_gives_the_same_tables_and_the_service_goes_on(here: Fleet, dsn: str) -> None:
    """A5."""
    await live_through(here)
    before = await here.get("/v1/campaigns/nightly")
    assert await check(dsn) is None
    done = await rebuilt(dsn)
    assert (done.difference, done.position, done.generation) == (None, here.position, 2)
    after = await here.get("/v1/campaigns/nightly")
    moving = dict.fromkeys(("eta", "eta_s", "eta_low", "eta_high", "throughput_per_hour"))
    assert after | moving == before | moving
    (claim,) = await here.claim()
    await here.order(c.CompleteUnit(token=claim.token))
    await here.get("/v1/campaigns/nightly")
    assert await check(dsn) is None


async def test_rows_that_left_memory_are_the_same_as_those_that_stayed(
    here: Fleet, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A5: a rebuild needs room for a part of the units only."""
    await live_through(here)
    original = growing.StateReplay.__init__
    monkeypatch.setattr(growing.StateReplay, "__init__", lambda self, connection, shard: original(self, connection, shard, 5))
    monkeypatch.setattr("projections.rebuild.prefetch.pages", partial(prefetch.pages, size=7))
    assert await check(dsn) is None


async def test_the_rebuilt_tables_have_the_constraints_indexes_and_rights_of_the_first(
    here: Fleet, dsn: str, owner: asyncpg.Connection
) -> None:
    """A12."""
    await live_through(here)
    shape = """
        SELECT c.relname, c.reloptions::text, c.relpersistence::text,
            ARRAY(SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = c.oid ORDER BY 1),
            ARRAY(SELECT conname || pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = c.oid ORDER BY 1),
            ARRAY(SELECT acl::text FROM aclexplode(c.relacl) AS acl ORDER BY 1)
        FROM pg_class AS c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname NOT LIKE '%\\_p0%'
        ORDER BY 1
    """

    def comparable(rows: list[asyncpg.Record]) -> list[tuple[object, ...]]:
        return [tuple(row) for row in rows]

    before = comparable(await owner.fetch(shape))
    await rebuilt(dsn)
    assert comparable(await owner.fetch(shape)) == before
    assert await owner.fetchval("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'muster%'") == 0


@pytest.mark.parametrize(
    ("tamper", "line"),
    [
        ("UPDATE units SET attempts = 7 WHERE key = 'u5'", "units campaign='nightly' key='u5': attempts is 7, the log says 1"),
        ("DELETE FROM claims WHERE unit = 'u15'", "row is 'absent', the log says 'there'"),
        ("UPDATE campaigns SET done = done + 1", "campaigns name='nightly': done is 4, the log says 3"),
        ("UPDATE series SET value = 0 WHERE family = 'muster_heartbeats_total'", "value is 0, the log says 9"),
        ("UPDATE campaign_card SET card = jsonb_set(card, '{counts,done}', '9')", "card.counts.done is 9, the log says 3"),
        ("DELETE FROM quarantine_card WHERE unit = 'u5'", "quarantine_card campaign='nightly' unit='u5': row is 'absent'"),
    ],
)
async def test_a_row_that_is_not_what_the_log_says_is_found_and_mended(
    here: Fleet, dsn: str, owner: asyncpg.Connection, tamper: str, line: str
) -> None:
    """A5."""
    await live_through(here)
    await owner.execute(tamper)
    found = await check(dsn)
    assert found is not None
    assert line in found.line()
    assert (await rebuilt(dsn)).difference == found
    assert await check(dsn) is None


async def test_a_running_writer_forgets_the_rows_that_a_rebuild_has_mended(
    here: Fleet, settings: Settings, dsn: str, owner: asyncpg.Connection
) -> None:
    """A5: what it read before the rebuild is not what it saves after it; the log says what was wrong."""
    await live_through(here)
    await owner.execute("UPDATE campaigns SET done = done + 1")
    token = ids.Token(await owner.fetchval("SELECT token FROM claims ORDER BY token LIMIT 1"))
    async with Replica(settings) as other:
        await other.order(c.RecordHeartbeat(token=token))
        found = (await rebuilt(dsn)).difference
        assert found is not None
        await other.order(c.CompleteUnit(token=token))
    assert await check(dsn) is None
    (event,) = (await here.get("/v1/events", kind="projection.swapped"))["items"]
    assert event["data"] == {"generation": 2, "families": {}, "mended": found.line()}
    assert found.line() == "campaigns name='nightly': done is 4, the log says 3"


async def begun(owner: asyncpg.Connection) -> dict[tuple[str, tuple[str, ...]], datetime]:
    """Return since when each live series counts."""
    rows = await owner.fetch("SELECT family, labels, created_at FROM series JOIN checkpoint USING (shard, generation) WHERE live")
    return {(family, tuple(labels)): created_at for family, labels, created_at in rows}


@pytest.mark.parametrize(
    ("tamper", "lower"),
    [
        ("value = value + 3 WHERE family = 'muster_heartbeats_total'", {"muster_heartbeats_total": [[]]}),
        ("buckets[1] = buckets[1] + 1 WHERE family = 'muster_unit_wait_seconds'", {"muster_unit_wait_seconds": [[]]}),
        ("sum_us = sum_us + 1 WHERE family = 'muster_unit_duration_seconds' AND labels = '{skipped}'",
         {"muster_unit_duration_seconds": [["skipped"]]}),
        ("exponential = '{\"5\": 9}' WHERE family = 'muster_unit_wait_seconds'", {"muster_unit_wait_seconds": [[]]}),
    ],
)  # fmt: skip
async def test_a_counter_that_a_rebuild_makes_smaller_begins_anew_and_an_event_says_so(
    here: Fleet, dsn: str, owner: asyncpg.Connection, tamper: str, lower: dict[str, list[list[str]]]
) -> None:
    """A6: a visible, honest reset; every other series counts on."""
    await live_through(here)
    await owner.execute(f"UPDATE series SET {tamper}")
    before = await begun(owner)
    done = await rebuilt(dsn)
    (event,) = (await here.get("/v1/events", kind="projection.swapped"))["items"]
    assert (event["data"], event["position"]) == ({"generation": 2, "families": lower, "mended": None}, done.position)
    at = datetime.fromisoformat(event["recorded_at"])
    anew = {(family, tuple(labels)): at for family, series in lower.items() for labels in series}
    assert await begun(owner) == before | anew
    await here.order(c.RecordReading(quota=ids.QuotaKey("q"), utilization=0.3))
    await here.projector.at_least(here.position)
    assert await check(dsn) is None
    assert (await rebuilt(dsn)).lowered == {}
    assert await begun(owner) == before | anew


async def test_a_counter_that_a_rebuild_makes_larger_counts_on(here: Fleet, dsn: str, owner: asyncpg.Connection) -> None:
    """A6: nothing was taken back from who has seen it."""
    await live_through(here)
    await owner.execute("UPDATE series SET value = 1 WHERE family = 'muster_heartbeats_total'")
    assert (await rebuilt(dsn)).lowered == {}
    assert (await here.get("/v1/events", kind="projection.swapped"))["items"] == []


async def test_a_service_under_load_is_rebuilt_and_checked_without_a_refusal(here: Fleet, dsn: str) -> None:
    """A5, A6: blue and green are swapped at one position."""
    await live_through(here)
    stopping = asyncio.Event()

    async def work() -> None:
        number = 0
        while not stopping.is_set():
            number += 1
            unit = c.UnitSpec(ids.UnitKey(f"more {number}"))
            (await here.order(c.AddUnits(campaign=NIGHTLY, units=(unit,)))).only()
            for claim in await here.claim(3):
                await here.order(c.CompleteUnit(token=claim.token))

    working = asyncio.create_task(work())
    steps: tuple[Callable[[str], Coroutine[object, object, object]], ...] = (check, rebuilt, check, rebuilt)
    for run in steps:
        await run(dsn)
    stopping.set()
    await asyncio.wait_for(working, PATIENCE_S)
    await here.projector.at_least(here.position)
    assert await check(dsn) is None
