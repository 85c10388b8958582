"""The leader election: the replica that holds a lease row in Postgres runs the duties that must run once.

With each new term the silence of workers is counted from its begin: before it, there may have been nobody to hear them.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from time import monotonic

import asyncpg
from msgspec import Struct

from service.domain.ids import SHARD
from service.store.db.outage_log import OutageLog
from service.store.db.pool import is_unanswered
from service.store.db.queries import load
from service.store.log import event_log

LOG = logging.getLogger(__name__)
QUERIES = load("leader")


class Term(Struct, frozen=True):
    """A lease that this replica holds; since *heard_since* some replica has listened to workers without a gap.

    *until* is the end of the lease by the monotonic clock of this process, which also runs while the process is suspended.
    """

    replica: str
    heard_since: datetime
    until: float


class TermOver(TimeoutError):
    """The lease was not renewed in time: another replica may lead by now."""


Duty = Callable[[Callable[[], datetime]], Awaitable[None]]


class Leader:
    """Takes the lease when it is free, renews it, and runs the duties while it holds it."""

    def __init__(self, pool: asyncpg.Pool, replica: str, lease_s: float, duties: Sequence[Duty]) -> None:
        self.replica = replica
        self.term: Term | None = None
        self._pool = pool
        self._lease = timedelta(seconds=lease_s)
        self._duties = duties
        self._outage_log = OutageLog(LOG, "the leader's lease can be reached again")

    @property
    def leads(self) -> bool:
        """Whether this replica held the lease when it last asked."""
        return self.term is not None

    async def run(self) -> None:
        """Try to take the lease until cancelled; give it back at the end."""
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
        """Run the duties and renew the lease; stop all duties when the lease is lost, or when one of them ends."""
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
        """Return since when workers could be heard.

        Raises:
            TermOver: the lease has lapsed, for example after this process was suspended.

        """
        if self.term is None or monotonic() > self.term.until:
            raise TermOver("the leader's lease has lapsed")
        return self.term.heard_since

    @asynccontextmanager
    async def _lease_connection(self) -> AsyncIterator[asyncpg.pool.PoolConnectionProxy]:
        """Yield a connection, for a sixth of the lease at most: a later answer is of no use, and may never come.

        Both time-outs are needed: the pool's bounds its wait for the cancellation of a query on a silent line.
        """
        patience = self._lease.total_seconds() / 6
        async with asyncio.timeout(patience), self._pool.acquire(timeout=patience) as connection:
            yield connection

    async def _attempt(self) -> Term | None:
        """Take or renew the lease; return None when another replica holds it, or the database is away."""
        try:
            async with self._lease_connection() as connection:
                term = await self._take(connection)
        except Exception as error:
            if not is_unanswered(error):
                raise
            self._outage_log.report_outage(f"the leader's lease cannot be reached: {type(error).__name__}: {error}")
            return None
        self._outage_log.report_recovery()
        return term

    async def _take(self, connection: asyncpg.pool.PoolConnectionProxy) -> Term | None:
        # read before the database is asked: the term must not seem longer here than it is there
        until = monotonic() + self._lease.total_seconds()
        now = await connection.fetchval(event_log.QUERIES.now)
        row = await connection.fetchrow(QUERIES.current, SHARD)
        if row is None:
            await connection.execute(QUERIES.found, SHARD, self.replica, now, now)
            row = await connection.fetchrow(QUERIES.current, SHARD)
            assert row is not None, "the lease was just inserted"
        unbroken = row["replica"] == self.replica and now <= row["until"]
        heard_since = row["heard_since"] if unbroken else now
        taken = await connection.fetchval(QUERIES.take, SHARD, self.replica, now + self._lease, now, heard_since)
        if taken is None:
            return None
        return Term(self.replica, heard_since, until)

    async def _leave(self) -> None:
        self.term = None
        try:
            async with self._lease_connection() as connection:
                now = await connection.fetchval(event_log.QUERIES.now)
                await connection.execute(QUERIES.leave, SHARD, self.replica, now)
        except Exception as error:
            if not is_unanswered(error):
                raise


async def vacate(dsn: str) -> None:
    """Free the lease at once; the caller knows that no replica runs on this database."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(QUERIES.vacate, SHARD, await connection.fetchval(event_log.QUERIES.now))
    finally:
        await connection.close()
