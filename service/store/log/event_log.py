"""The log: append at gapless positions, read in the order of commits."""

from collections.abc import AsyncIterator, Iterable, Sequence
from heapq import merge
from operator import attrgetter
from typing import Any

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from service.domain.events import HEARTBEATS, Recorded
from service.store.db.queries import load
from service.store.log import codec

Connection = asyncpg.Connection | PoolConnectionProxy
QUERIES = load("log")


def columns(rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Turn rows into the columns that `unnest` takes."""
    return list(zip(*rows, strict=True))


async def append(connection: Connection, events: Iterable[Recorded]) -> None:
    """Write *events* at the positions that they carry, by COPY; the caller holds the shard's lock."""
    facts, beats = [], []
    for event in events:
        if isinstance(event.body, HEARTBEATS):
            beats.append(codec.heartbeat_row(event))
        else:
            facts.append(codec.fact_row(event))
    if facts:
        await connection.copy_records_to_table("events", records=facts, columns=codec.FACT_COLUMNS)
    if beats:
        await connection.copy_records_to_table("heartbeats", records=beats, columns=codec.HEARTBEAT_COLUMNS)


async def head(connection: Connection, shard: int = 0) -> int:
    """Return the last position, 0 of an empty log."""
    return int(await connection.fetchval(QUERIES.head, shard))


async def read(connection: Connection, shard: int, after: int, limit: int) -> list[Recorded]:
    """Return the events at positions *after* + 1 … *after* + *limit*, fewer at the head of the log."""
    facts = await connection.fetch(QUERIES.facts, shard, after, after + limit)
    beats = await connection.fetch(QUERIES.heartbeats, shard, after, after + limit)
    events = [codec.fact(row, shard) for row in facts]
    if not beats:
        return events
    heard = [codec.heartbeat(row, shard) for row in beats]
    return list(merge(events, heard, key=attrgetter("position"))) if events else heard


async def pages(connection: Connection, shard: int, after: int, upto: int, size: int) -> AsyncIterator[list[Recorded]]:
    """Yield the events after *after* up to *upto*, *size* positions at a time."""
    while after < upto:
        count = min(size, upto - after)
        yield await read(connection, shard, after, count)
        after += count
