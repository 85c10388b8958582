"""The export of traces: the leader reads the log after a checkpoint, and moves that once the spans are delivered."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from datetime import datetime

import asyncpg

from projections.export.otlp_delivery import Delivery
from projections.export.otlp_message import Identity, fleet
from projections.export.otlp_trace import requests
from projections.export.trace_batch import PAGE, QUERIES, TraceBatch, log_of, read
from projections.store import Session
from projections.views.unit.trace import Log
from service.domain.ids import SHARD
from service.store.db.pool import is_lost
from service.store.log import event_log

LOG = logging.getLogger(__name__)


class Tracer:
    """Sends the spans that ended since the last time, every *interval_s* seconds. Undelivered spans are read and sent again."""

    def __init__(self, pool: asyncpg.Pool, delivery: Delivery, identity: Identity, interval_s: float, page: int = PAGE) -> None:
        self._pool = pool
        self.delivery = delivery
        self._identity = identity
        self._interval_s = interval_s
        self._page = page

    async def run(self, heard_since: Callable[[], datetime]) -> None:
        """Send while this replica leads."""
        while True:
            try:
                while await self.send_page(heard_since):
                    pass
            except Exception as error:
                if not is_lost(error):
                    LOG.exception("the traces could not be read")
            await asyncio.sleep(self._interval_s)

    async def send_page(self, heard_since: Callable[[], datetime]) -> bool:
        """Send the next page; tell whether it was delivered and there are more."""
        async with self._pool.acquire() as connection:
            after = await sent_position(connection, SHARD)
            origin = await log_of(connection, SHARD)
            if origin is None:
                return False
            head, upto = await bound(connection, SHARD, after, self._page)
            page = await read(connection, origin, after, upto)
        heard_since()
        if upto == after or await asyncio.to_thread(deliver, self.delivery, self._identity, page) is None:
            return False
        async with self._pool.acquire() as connection:
            moved = await connection.fetchval(QUERIES.advance, SHARD, after, upto)
        return moved is not None and upto < head


async def sent_position(connection: Session, shard: int) -> int:
    """Return the position up to which traces were sent; the first time, that is the head of the log."""
    position = await connection.fetchval(QUERIES.sent_position, shard)
    if position is None:
        await connection.execute(QUERIES.begin_at, shard, await event_log.head(connection, shard))
        position = await connection.fetchval(QUERIES.sent_position, shard)
    return int(position)


async def bound(connection: Session, shard: int, after: int, size: int) -> tuple[int, int]:
    """Return the head of the log, and the position up to which a page of *size* facts reaches."""
    row = await connection.fetchrow(QUERIES.bound, shard, after, size)
    assert row is not None, "the query always has one row"
    return row["head"], row["upto"]


def deliver(delivery: Delivery, identity: Identity, page: TraceBatch) -> int | None:
    """Fold and send one page; return its number of spans, None if they must be sent again."""
    spans = page.spans()
    done = not spans or delivery.deliver(requests(identity.with_instance(fleet(page.log.began)), spans)).settled
    return len(spans) if done else None


async def pages(connection: Session, origin: Log, start: datetime, end: datetime, size: int = PAGE) -> AsyncIterator[TraceBatch]:
    """Yield the pages of spans that ended from *start* and before *end*."""
    after = await connection.fetchval(QUERIES.last_before, origin.shard, start)
    last = await connection.fetchval(QUERIES.last_before, origin.shard, end)
    while after < last:
        upto = min((await bound(connection, origin.shard, after, size))[1], last)
        yield await read(connection, origin, after, upto)
        after = upto
