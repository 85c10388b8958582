"""Prefetching: the next pages of the log are read while one is folded."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager

import asyncpg

from projections.projector import require_gapless
from projections.store import MAX_IMPORTS
from service.domain.events import Recorded
from service.store.db.queries import load
from service.store.log import event_log

IMPORTS = load("shadow", package="projections").imports
PAGE = 1000
CONNECTIONS = 3

Connections = Sequence[asyncpg.Connection]


@asynccontextmanager
async def connections(dsn: str, settings: dict[str, str]) -> AsyncIterator[Connections]:
    """Open the connections that read."""
    opened = [await asyncpg.connect(dsn, server_settings=settings) for _ in range(CONNECTIONS)]
    try:
        yield opened
    finally:
        for connection in opened:
            connection.terminate()


async def pages(
    opened: Connections, shard: int, after: int, upto: int, size: int = PAGE, *, whole: bool = True
) -> AsyncIterator[Sequence[Recorded]]:
    """Yield the events after *after* up to *upto*, which must be in the log already, page by page.

    Raises:
        LogBroken: a page misses positions; not checked unless the pages must be *whole*.

    """
    imports = [row["position"] for row in await opened[0].fetch(IMPORTS, shard, after, upto)]
    cuts = ranges(after, upto, size, imports[MAX_IMPORTS - 1 :: MAX_IMPORTS])
    reading: deque[asyncio.Task[Sequence[Recorded]]] = deque()
    try:
        for turn, (begin, end) in enumerate(cuts):
            if len(reading) == len(opened):
                yield await reading.popleft()
            reading.append(asyncio.create_task(page(opened[turn % len(opened)], shard, begin, end, whole=whole)))
            await asyncio.sleep(0)
        while reading:
            yield await reading.popleft()
    finally:
        for task in reading:
            task.cancel()
        await asyncio.gather(*reading, return_exceptions=True)


async def page(connection: asyncpg.Connection, shard: int, begin: int, end: int, *, whole: bool) -> Sequence[Recorded]:
    """Read one page."""
    events = await event_log.read(connection, shard, begin, end - begin)
    if whole:
        require_gapless(events, begin, end - begin)
    return events


def ranges(after: int, upto: int, size: int, imports: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield the ranges of pages: at most *size* long, and cut at each position of *imports*.

    >>> list(ranges(0, 10, 4, [6]))
    [(0, 4), (4, 6), (6, 10)]
    """
    large = deque(imports)
    while after < upto:
        while large and large[0] <= after:
            large.popleft()
        end = min(after + size, upto, *([large[0]] if large else []))
        yield after, end
        after = end
