"""The Writer's question about a commit of unknown outcome, disturbed as a test orders."""

from collections.abc import Callable
from typing import Any

import asyncpg
import pytest

from service.store.log import event_log
from service.writer.batch import Batch

STATEMENTS = ("BEGIN", "lock", "causation", "COMMIT")
"""What the question consists of, in this order."""
RAISED = "DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{}'; END $$"
CAUSES = {
    "57014": ("SELECT set_config('statement_timeout', '1ms', false)", "SELECT pg_sleep(10)"),
    "57P01": ("SELECT pg_terminate_backend(pg_backend_pid())",),
}
"""How Postgres is brought to say it: a statement is cancelled, a backend ends; any other error is raised as it is."""


class Disturbance:
    """Has Postgres answer one statement of the question with an error, as often as it is *armed*; *verdicts* are the answers."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, statement: str, sqlstate: str) -> None:
        self.armed = 0
        self.verdicts: list[bool] = []
        self._due = STATEMENTS.index(statement)
        self._cause = CAUSES.get(sqlstate, (RAISED.format(sqlstate),))
        self._seen = 0
        self._connection: object = None
        happened, execute, fetchval = Batch.happened, asyncpg.Connection.execute, asyncpg.Connection.fetchval

        async def question(batch: Batch, connection: event_log.Connection) -> bool:
            self._connection, self._seen = connection, 0
            try:
                self.verdicts.append(await happened(batch, connection))
            finally:
                self._connection = None
            return self.verdicts[-1]

        async def executed(connection: asyncpg.Connection, query: str, *args: object) -> object:
            await self._disturb(connection, execute)
            return await execute(connection, query, *args)

        async def fetched(connection: asyncpg.Connection, query: str, *args: object) -> object:
            await self._disturb(connection, execute)
            return await fetchval(connection, query, *args)

        monkeypatch.setattr(Batch, "happened", question)
        monkeypatch.setattr(asyncpg.Connection, "execute", executed)
        monkeypatch.setattr(asyncpg.Connection, "fetchval", fetched)

    async def _disturb(self, connection: asyncpg.Connection, execute: Callable[..., Any]) -> None:
        """Bring Postgres to its error, when it is this statement's turn."""
        if connection is not self._connection:
            return
        turn, self._seen = self._seen == self._due, self._seen + 1
        if turn and self.armed:
            self.armed -= 1
            for statement in self._cause:
                await execute(connection, statement)
