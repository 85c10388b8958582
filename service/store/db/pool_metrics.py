"""Measurements of a pool: how long callers wait for a connection, how long statements take, how many fail."""

from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Any, Protocol

import asyncpg
from asyncpg.connection import LoggedQuery

from service.store.db.queries import OPERATIONS

OTHER = "other"
UNKNOWN = "--"
"""The SQLSTATE class of an error that did not come from the server."""


class PoolObserver(Protocol):
    """Measures a pool and its statements."""

    def observe_acquire(self, seconds: float) -> None:
        """Note how long a caller waited for a connection."""

    def observe_statement(self, operation: str, seconds: float) -> None:
        """Note the time of a statement; *operation* is the name of its query."""

    def statement_failed(self, sqlstate_class: str) -> None:
        """Note a statement that failed."""


def log_statements(observer: PoolObserver) -> Callable[[asyncpg.Connection], Awaitable[None]]:
    """Return a function that prepares a new connection so that *observer* gets its statements."""

    def logged(query: LoggedQuery) -> None:
        observer.observe_statement(OPERATIONS.get(query.query, OTHER), query.elapsed)
        if isinstance(query.exception, Exception):
            observer.statement_failed((getattr(query.exception, "sqlstate", None) or UNKNOWN)[:2])

    async def prepare(connection: asyncpg.Connection) -> None:
        connection.add_query_logger(logged)

    return prepare


class ObservedPool(asyncpg.Pool):
    """A pool that measures how long its callers wait for a connection."""

    __slots__ = ("_observer",)

    def __init__(self, dsn: str, *, observer: PoolObserver | None, **arguments: Any) -> None:  # noqa: ANN401 - those of asyncpg's own
        super().__init__(
            dsn,
            max_queries=50_000,
            max_inactive_connection_lifetime=300.0,
            loop=None,
            connection_class=asyncpg.Connection,
            record_class=asyncpg.Record,
            **arguments,
        )
        self._observer = observer

    async def _acquire(self, timeout: float | None) -> Any:  # noqa: ANN401, ASYNC109 - asyncpg's own, which its stubs leave out
        started = perf_counter()
        try:
            return await super()._acquire(timeout)  # type: ignore[misc]  # as above
        finally:
            if self._observer is not None:
                self._observer.observe_acquire(perf_counter() - started)
