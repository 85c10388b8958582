"""Notices between replicas and the keeping of house: helpful, and never needed."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

import asyncpg
import pytest

from service.domain import commands as c
from service.domain import ids
from service.domain.rejections import WriteUnavailable
from service.loops.notify import Notifier
from service.loops.retention import Retention
from service.main import log_has_room
from service.settings import Settings
from service.store.db.pool import open_connection
from service.store.log import event_log
from service.wakeup import Wakeup
from tests.replica import NIGHT, Replica, eventually, units

SPAN = 2_000_000


@asynccontextmanager
async def noticing(settings: Settings, wakeup: Wakeup, name: str) -> AsyncIterator[Notifier]:
    """Let one replica listen."""
    notifier = Notifier(partial(open_connection, settings, name=name), wakeup.notify, name)
    task = asyncio.create_task(notifier.run())
    yield notifier
    task.cancel()
    await asyncio.wait([task])


def notified(wakeup: Wakeup, count: int) -> Callable[[], Awaitable[object]]:
    """Return the condition that *wakeup* was notified more often than *count* times."""

    async def holds() -> bool:
        return wakeup.count > count

    return holds


async def test_a_commit_notifies_other_replicas_but_not_its_own(settings: Settings) -> None:
    """B-CLAIM-9: debounced, and from a connection of its own."""
    mine, other = Wakeup(), Wakeup()
    async with noticing(settings, mine, "mine") as notifier, noticing(settings, other, "other"):
        await eventually(notified(mine, 0))
        await eventually(notified(other, 0))
        before = mine.count, other.count
        for _ in range(100):
            notifier.send()
        await eventually(notified(other, before[1]))
        assert mine.count == before[0]
        assert other.count <= before[1] + 2


async def test_a_listener_that_was_cut_off_hears_again_though_it_never_speaks(
    settings: Settings, owner: asyncpg.Connection
) -> None:
    """A lost notice costs milliseconds, never data; a lost listener comes back."""
    silent, speaking = Wakeup(), Wakeup()
    async with noticing(settings, silent, "silent"), noticing(settings, speaking, "speaking") as notifier:
        await eventually(notified(silent, 0))
        before = silent.count
        cut = await owner.fetchval(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'silent'"
        )
        assert cut == 1
        await eventually(notified(silent, before))
        before = silent.count
        notifier.send()
        await eventually(notified(silent, before))


async def test_partitions_are_made_ahead_and_the_log_crosses_their_boundary(
    settings: Settings, pool: asyncpg.Pool, owner: asyncpg.Connection
) -> None:
    """A1: appends on both sides of a partition's edge, in one batch."""
    retention = Retention(pool)
    assert await retention.keep() == 0
    before = await pool.fetchval(event_log.QUERIES.partitions_left, 0)
    assert before == 4 * SPAN
    await owner.execute(
        "INSERT INTO events (shard, position, kind, schema, recorded_at, actor, data)"
        " VALUES (0, $1::bigint, 'engine.paused', 1, clock_timestamp(), 'test', '{}')",
        SPAN - 3,
    )
    async with Replica(settings) as one:
        await one.submit(*(c.BeatWorker(worker=ids.WorkerId(f"w{n}")) for n in range(6)))
        await one.submit(*(c.BeatWorker(worker=ids.WorkerId(f"w{n}")) for n in range(6)))
        assert [event.position for event in one.committed] == [*range(SPAN - 2, SPAN + 10)]
    assert await retention.keep() == 2
    async with pool.acquire() as connection:
        assert await event_log.head(connection) == SPAN + 9
        read = await event_log.read(connection, 0, SPAN - 3, 20)
    assert [event.position for event in read] == [*range(SPAN - 2, SPAN + 10)]


async def test_making_a_partition_neither_waits_for_readers_and_writers_nor_stops_them(
    pool: asyncpg.Pool, owner: asyncpg.Connection
) -> None:
    """A rebuild may read for minutes; the log goes on, and so does its housekeeping."""
    insert = (
        "INSERT INTO events (shard, position, kind, schema, recorded_at, actor, data)"
        " VALUES (0, $1::bigint, 'engine.paused', 1, clock_timestamp(), 'test', '{}')"
    )
    async with pool.acquire() as reader, reader.transaction():
        await reader.fetch("SELECT position FROM events UNION ALL SELECT position FROM heartbeats")
        async with owner.transaction():
            await owner.execute(insert, SPAN + 1)
            assert await pool.fetchval(event_log.QUERIES.extend, 2 * SPAN) == 4
            await owner.execute(insert, SPAN + 2)
        await owner.execute(insert, 5 * SPAN + 1)
        assert await reader.fetchval("SELECT max(position) FROM events") == 5 * SPAN + 1


async def test_a_partition_made_later_is_as_safe_as_the_first(pool: asyncpg.Pool, owner: asyncpg.Connection) -> None:
    """A12."""
    await pool.fetchval(event_log.QUERIES.extend, 3 * SPAN)
    shapes = await owner.fetch(
        """
        SELECT
            i.inhparent::regclass::text AS parent,
            array_agg(DISTINCT (
                SELECT string_agg(regexp_replace(pg_get_triggerdef(t.oid), '_p[0-9]+', '', 'g'), ';' ORDER BY t.tgname)
                FROM pg_trigger AS t WHERE t.tgrelid = i.inhrelid
            )) AS triggers,
            array_agg(DISTINCT (SELECT count(*) FROM pg_index AS x WHERE x.indrelid = i.inhrelid)) AS indexes
        FROM pg_inherits AS i
        WHERE i.inhparent IN ('events'::regclass, 'heartbeats'::regclass)
        GROUP BY i.inhparent
        ORDER BY 1
        """
    )
    assert [(row["parent"], len(row["triggers"]), row["indexes"]) for row in shapes] == [
        ("events", 1, [4]),
        ("heartbeats", 1, [2]),
    ]


async def test_housekeeping_forgets_old_answers_and_keeps_young_ones(
    settings: Settings, pool: asyncpg.Pool, owner: asyncpg.Connection
) -> None:
    """Kept 24 h."""
    async with Replica(settings) as one:
        await one.campaign(units=units("a"))
        for key in ("old", "young"):
            await one.submit(c.PauseCampaign(name=NIGHT), key=key, digest=b"1")
        await owner.execute("UPDATE idempotency SET recorded_at = recorded_at - interval '25 h' WHERE key = 'old'")
        await Retention(pool).keep()
    assert [row["key"] for row in await owner.fetch("SELECT key FROM idempotency")] == ["young"]


async def test_a_log_without_room_is_unavailable_and_not_ready_until_there_is_room(
    settings: Settings, pool: asyncpg.Pool, owner: asyncpg.Connection
) -> None:
    """Promise 5: a 503 that readiness explains, no 500; and nobody need restart anything."""
    await owner.execute(
        "INSERT INTO events (shard, position, kind, schema, recorded_at, actor, data)"
        " VALUES (0, $1::bigint, 'engine.paused', 1, clock_timestamp(), 'test', '{}')",
        4 * SPAN - 1,
    )
    beat = c.BeatWorker(worker=ids.WorkerId("w"))
    async with Replica(settings, patience_s=1) as one:
        with pytest.raises(WriteUnavailable):
            await one.order(beat)
        assert await log_has_room(pool) == "the log's partitions have room for 1 events"
        assert await Retention(pool).keep() == 6
        await one.order(beat)
        assert one.committed[-1].position == 4 * SPAN
        assert await log_has_room(pool) is None
