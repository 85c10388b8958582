"""How long connections and statements take: a pool that tells it, and who is told."""

from time import perf_counter
from typing import Any

import asyncpg
from asyncpg.connection import LoggedQuery

from service.store.db.queries import OPERATIONS

OTHER = "other"
UNKNOWN = "--"
"""Stands for the class of an error that the server said nothing about."""


class PoolObserver:
    """What a pool tells of itself; the metrics override it."""

    def acquired(self, seconds: float) -> None:
        """Note how long somebody waited for a connection."""

    def statement_timed(self, operation: str, seconds: float) -> None:
        """Note the time of a statement."""

    def refused(self, sqlstate_class: str) -> None:
        """Note a statement that failed."""

    async def begin(self, connection: asyncpg.Connection) -> None:
        """Watch a new connection."""
        connection.add_query_logger(self._logged)

    def _logged(self, query: LoggedQuery) -> None:
        self.statement_timed(OPERATIONS.get(query.query, OTHER), query.elapsed)
        if isinstance(query.exception, Exception):
            self.refused((getattr(query.exception, "sqlstate", None) or UNKNOWN)[:2])


class ObservedPool(asyncpg.Pool):
    """A pool that tells how long its connections were waited for."""

    __slots__ = ("_watch",)

    def __init__(self, dsn: str, *, watch: PoolObserver, **arguments: Any) -> None:  # noqa: ANN401 - those of asyncpg's own
        super().__init__(
            dsn,
            max_queries=50_000,
            max_inactive_connection_lifetime=300.0,
            loop=None,
            connection_class=asyncpg.Connection,
            record_class=asyncpg.Record,
            **arguments,
        )
        self._watch = watch

    async def _acquire(self, timeout: float | None) -> Any:  # noqa: ANN401, ASYNC109 - asyncpg's own, which its stubs leave out
        started = perf_counter()
        try:
            return await super()._acquire(timeout)  # type: ignore[misc]  # as above
        finally:
            self._watch.acquired(perf_counter() - started)
