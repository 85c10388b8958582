"""The bodies that repetitions of an idempotency key get, where they are known only after the commit."""

import asyncpg

from service.store.log.event_log import QUERIES


class IdempotencyStore:
    """Keeps first answers beside the keys that the Writer remembered."""

    def __init__(self, pool: asyncpg.Pool, shard: int = 0) -> None:
        self._pool = pool
        self._shard = shard

    async def keep(self, key: str, status: int, body: bytes) -> None:
        """Remember the body of the first answer to *key*."""
        await self._pool.execute(QUERIES.keep_body, self._shard, key, status, body)
