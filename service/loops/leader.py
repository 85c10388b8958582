"""The leader: one replica does what must be done once, by a lease row in Postgres.

A new term begins a new time of hearing: nobody is judged by a silence that may have been ours.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from time import monotonic

import asyncpg
from msgspec import Struct

from service.store.db.outage_log import OutageLog
from service.store.db.pool import is_unanswered
from service.store.db.queries import load
from service.store.log import event_log

LOG = logging.getLogger(__name__)
QUERIES = load("leader")


class Term(Struct, frozen=True):
    """A lease that this replica holds; *heard_since* is when workers could first be heard without a gap.

    *until* is its end by this process's own clock, which goes on while the process is stopped.
    """

    replica: str
    heard_since: datetime
    until: float


class TermOver(TimeoutError):
    """The lease was not renewed in time: what this replica knows of its term may be of the past."""


Duty = Callable[[Callable[[], datetime]], Awaitable[None]]


class Leader:
    """Takes the lease when it is free, renews it, and runs the duties as long as it holds."""

    def __init__(self, pool: asyncpg.Pool, replica: str, lease_s: float, duties: Sequence[Duty], shard: int = 0) -> None:
        self.replica = replica
        self.term: Term | None = None
        self._pool = pool
        self._lease = timedelta(seconds=lease_s)
        self._duties = duties
        self._shard = shard
        self._outage_log = OutageLog(LOG, "the leader's lease can be reached again")

    @property
    def leads(self) -> bool:
        """Whether this replica holds the lease, as far as it knows."""
        return self.term is not None

    async def run(self) -> None:
        """Try for the lease until cancelled; give it back at the end."""
        rest = self._lease.total_seconds() / 3
        try:
            while True:
                self.term = await self._attempt()
                if self.term is not None:
                    await self._lead(rest)
                await asyncio.sleep(rest)
        finally:
            if self.term is not None:
                await self._leave()

    async def _lead(self, rest: float) -> None:
        """Run the duties, and renew; when the lease is lost, or a duty ends, stop them all."""
        LOG.info("replica %s leads", self.replica)
        duties = [asyncio.ensure_future(duty(self._heard_since)) for duty in self._duties]
        try:
            while self.term is not None:
                done, _ = await asyncio.wait(duties, timeout=rest, return_when=asyncio.FIRST_COMPLETED)
                for duty in done:
                    LOG.error("a duty of the leader ended", exc_info=duty.exception())
                if done:
                    return
                self.term = await self._attempt()
        finally:
            for duty in duties:
                duty.cancel()
            await asyncio.gather(*duties, return_exceptions=True)
            LOG.info("replica %s leads no longer", self.replica)

    def _heard_since(self) -> datetime:
        """Return since when workers could be heard, for duties that run only within a term.

        Raises:
            TermOver: after a standstill of this process, until the lease is renewed.

        """
        if self.term is None or monotonic() > self.term.until:
            raise TermOver("the leader's lease has lapsed")
        return self.term.heard_since

    @asynccontextmanager
    async def _reached(self) -> AsyncIterator[asyncpg.pool.PoolConnectionProxy]:
        """Give a connection for a part of the lease: an answer that comes later is of no use, and may never come.

        The pool's time-out bounds its own wait for a query that is taken back.
        """
        patience = self._lease.total_seconds() / 6
        async with asyncio.timeout(patience), self._pool.acquire(timeout=patience) as connection:
            yield connection

    async def _attempt(self) -> Term | None:
        """Take or renew the lease; None when another holds it, or the database is away."""
        try:
            async with self._reached() as connection:
                term = await self._take(connection)
        except Exception as error:
            if not is_unanswered(error):
                raise
            self._outage_log.report_outage(f"the leader's lease cannot be reached: {type(error).__name__}: {error}")
            return None
        self._outage_log.report_recovery()
        return term

    async def _take(self, connection: asyncpg.pool.PoolConnectionProxy) -> Term | None:
        lapses = monotonic() + self._lease.total_seconds()
        now = await connection.fetchval(event_log.QUERIES.now)
        row = await connection.fetchrow(QUERIES.current, self._shard)
        if row is None:
            await connection.execute(QUERIES.found, self._shard, self.replica, now, now)
            row = await connection.fetchrow(QUERIES.current, self._shard)
            assert row is not None, "the lease was just founded"
        unbroken = row["replica"] == self.replica and now <= row["until"]
        heard_since = row["heard_since"] if unbroken else now
        until = now + self._lease
        taken = await connection.fetchval(QUERIES.take, self._shard, self.replica, until, now, heard_since)
        if taken is None:
            return None
        return Term(self.replica, heard_since, lapses)

    async def _leave(self) -> None:
        self.term = None
        try:
            async with self._reached() as connection:
                now = await connection.fetchval(event_log.QUERIES.now)
                await connection.execute(QUERIES.leave, self._shard, self.replica, now)
        except Exception as error:
            if not is_unanswered(error):
                raise


async def vacate(dsn: str, shard: int = 0) -> None:
    """Free the lease at once: the caller knows that no replica is left on this database."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(QUERIES.vacate, shard, await connection.fetchval(event_log.QUERIES.now))
    finally:
        await connection.close()
