"""Fold and checkpoint commit together: each event is folded exactly once, whichever replica folds and whenever it dies."""

import asyncio
import json
from collections.abc import AsyncIterator

import asyncpg
import pytest

from projections import projector as projecting
from projections import store
from projections.measures.process import Process
from projections.projector import Projector, load, proceed, step
from projections.recent_events import RecentEvents
from service.store.log import event_log
from tests.histories import History


@pytest.fixture
async def owner(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection of the tables' owner."""
    connection = await asyncpg.connect(dsn)
    yield connection
    await connection.close()


async def fill(connection: asyncpg.Connection, seed: int = 7, steps: int = 300) -> History:
    """Write a random history into the log."""
    history = History(seed).grow(steps)
    for event in history.events:
        await event_log.append(connection, [event])
    return history


async def stored(connection: asyncpg.Connection) -> dict[str, list[object]]:
    """Return every card and series as the tables hold it."""
    tables = (
        "engine_card", "campaign_card", "worker_card", "quota_card", "quarantine_card", "wave_card", "unit_wave", "ledger_mark",
        "silence", "unit_group", "series",
    )  # fmt: skip
    query = "SELECT to_jsonb(t) AS row FROM {} AS t ORDER BY row"
    return {table: [json.loads(row) for (row,) in await connection.fetch(query.format(table))] for table in tables}


async def fold_all(connection: store.Session, page: int) -> None:
    """Fold the whole log from the stored checkpoint."""
    fold = await load(connection, await store.live(connection, 0))
    while await step(connection, fold, page):
        pass


async def test_the_cut_of_the_pages_makes_no_difference(owner: asyncpg.Connection, pool: asyncpg.Pool) -> None:
    """A5."""
    history = await fill(owner)
    async with pool.acquire() as connection:
        await fold_all(connection, 5000)
    once = await stored(owner)
    await owner.execute("UPDATE checkpoint SET position = 0")
    for table in once:
        await owner.execute(f"TRUNCATE {table}")
    async with pool.acquire() as connection:
        await fold_all(connection, 7)
    assert await stored(owner) == once
    assert (await store.live(owner, 0)).position == len(history.events)


async def test_own_events_fold_like_events_read_from_the_log(owner: asyncpg.Connection, pool: asyncpg.Pool) -> None:
    """A5: frequent events are folded as they were committed, others as the log gives them back."""
    history = await fill(owner)
    async with pool.acquire() as connection:
        await fold_all(connection, 5000)
    read = await stored(owner)
    await owner.execute("UPDATE checkpoint SET position = 0")
    for table in read:
        await owner.execute(f"TRUNCATE {table}")
    tail, spared = RecentEvents(limit=50), 0
    async with pool.acquire() as connection:
        fold = await load(connection, await store.live(connection, 0))
        for start in range(0, len(history.events), 2):
            page = history.events[start : start + 2]
            tail.note(page)
            following = tail.after(fold.at.position)
            spared += len(following)
            assert not following or following == page
            await (proceed(connection, fold, following) if following else step(connection, fold, len(page)))
    assert await stored(owner) == read
    assert 0 < spared < len(history.events)


async def test_two_projectors_fold_what_they_wrote_in_turn(owner: asyncpg.Connection, pool: asyncpg.Pool) -> None:
    """A6: a projector knows its own process's events and reads those of the other."""
    history = await fill(owner)
    writers = [Projector(pool, Process()) for _ in range(2)]
    running = [asyncio.create_task(writer.run()) for writer in writers]
    for number, start in enumerate(range(0, len(history.events), 5)):
        writers[number % 2].committed(history.events[start : start + 5])
        await asyncio.sleep(0)
    for writer in writers:
        await writer.at_least(len(history.events))
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    told = await owner.fetchval("SELECT sum(value) FROM series WHERE family = 'muster_events_total'")
    assert told == len(history.events)


async def test_a_projector_that_dies_between_pages_leaves_nothing_out_and_counts_nothing_twice(
    owner: asyncpg.Connection, pool: asyncpg.Pool
) -> None:
    """A6."""
    await fill(owner)
    async with pool.acquire() as connection:
        for _ in range(100):
            fold = await load(connection, await store.live(connection, 0))  # a new life for every page
            if not await step(connection, fold, 13):
                break
    piecemeal = await stored(owner)
    await owner.execute("UPDATE checkpoint SET position = 0")
    for table in piecemeal:
        await owner.execute(f"TRUNCATE {table}")
    async with pool.acquire() as connection:
        await fold_all(connection, 5000)
    assert await stored(owner) == piecemeal


async def test_two_projectors_fold_each_event_once(owner: asyncpg.Connection, pool: asyncpg.Pool) -> None:
    """A6: two leaders at once, which a lease cannot rule out."""
    history = await fill(owner)
    racers = [Projector(pool, Process(), page=11) for _ in range(2)]
    running = [asyncio.create_task(racer.run()) for racer in racers]
    for racer in racers:
        await racer.at_least(len(history.events))
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    told = await owner.fetchval("SELECT sum(value) FROM series WHERE family = 'muster_events_total'")
    assert told == len(history.events)


async def test_a_replica_that_does_not_lead_waits_for_the_one_that_does(owner: asyncpg.Connection, pool: asyncpg.Pool) -> None:
    history = await fill(owner, steps=50)
    other = Projector(pool, Process())
    waiting = asyncio.create_task(other.at_least(len(history.events)))
    leader = Projector(pool, Process())
    running = asyncio.create_task(leader.run())
    await waiting
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert other.position == len(history.events)


async def test_a_page_never_reaches_beyond_a_head_that_was_seen_before_it(owner: asyncpg.Connection, pool: asyncpg.Pool) -> None:
    """A1: a fact and a heartbeat that commit between the two reads of a page are the next page's."""
    history = await fill(owner, steps=120)
    async with pool.acquire() as connection:
        fold = await load(connection, await store.live(connection, 0))
        folded = 0
        while count := await step(connection, fold, 17):
            folded += count
    assert folded == len(history.events)
    assert projecting.PAGE >= 1000
