"""Runs the queries of reads, once the views have reached a position."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from projections.export.sample import Sizes
from projections.projector import Projector
from service.domain.ids import SHARD
from service.domain.rejections import ReadUnavailable
from service.store.db.pool import is_unanswered
from service.store.db.queries import load
from service.store.log import event_log

READS = load("reads", package="projections")


class QueryRunner:
    """Runs queries about one shard."""

    def __init__(self, pool: asyncpg.Pool, projector: Projector) -> None:
        self.pool = pool
        self.projector = projector
        self.shard = SHARD
        self.sizes = Sizes()

    @asynccontextmanager
    async def connection(self, at_least: int | None = None) -> AsyncIterator[PoolConnectionProxy]:
        """Yield a connection of the pool once the views have reached *at_least*.

        Raises:
            ReadUnavailable: the database is away.
            ProjectionLagging: the views have not reached *at_least* in time.

        """
        try:
            if at_least is not None:
                await self.projector.at_least(at_least)
            async with self.pool.acquire() as connection:
                yield connection
        except Exception as error:
            if is_unanswered(error):
                raise ReadUnavailable("the database is away") from error
            raise

    async def fetch(self, query: str, *parameters: object, at_least: int | None = None) -> list[asyncpg.Record]:
        """Return the rows of a query about this shard."""
        async with self.connection(at_least) as connection:
            rows: list[asyncpg.Record] = await connection.fetch(query, self.shard, *parameters)
            return rows

    async def row(self, query: str, *parameters: object, at_least: int | None = None) -> asyncpg.Record | None:
        """Return the only row of a query about this shard."""
        rows = await self.fetch(query, *parameters, at_least=at_least)
        return rows[0] if rows else None

    async def card(self, query: str, *parameters: object, at_least: int | None = None) -> asyncpg.Record | None:
        """Return the only row of a view; when it is missing, look again once the views have reached the head of the log.

        Without that, a campaign that was just created would be answered with 404 until the views have it.
        """
        row = await self.row(query, *parameters, at_least=at_least)
        if row is None and at_least is None:
            async with self.connection() as connection:
                head = await event_log.head(connection, self.shard)
            row = await self.row(query, *parameters, at_least=head)
        return row
