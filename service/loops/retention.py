"""Retention: creates partitions ahead of the log, and deletes expired idempotency records."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

import asyncpg

from service.domain.ids import SHARD
from service.loops.sweep import SweepObserver, observed_sweep
from service.store.db.pool import is_lost
from service.store.log import event_log, idempotency

LOG = logging.getLogger(__name__)
ROUND_S = 60.0


class Retention:
    """Does both once a minute, on the leader."""

    def __init__(self, pool: asyncpg.Pool, observer: SweepObserver | None = None) -> None:
        self._pool = pool
        self._observer = observer

    async def run(self, _heard_since: Callable[[], datetime]) -> None:
        """Apply retention once a minute until cancelled."""
        while True:
            try:
                with observed_sweep(self._observer, "retention"):
                    await self.keep()
            except Exception as error:
                if not is_lost(error):
                    LOG.exception("retention failed")
            await asyncio.sleep(ROUND_S)

    async def keep(self) -> int:
        """Apply retention once; return how many partitions were created."""
        async with self._pool.acquire() as connection:
            head = await event_log.head(connection, SHARD)
            made = await connection.fetchval(event_log.QUERIES.extend, head)
            now = await connection.fetchval(event_log.QUERIES.now)
            await idempotency.delete_expired(connection, now)
        return int(made)
