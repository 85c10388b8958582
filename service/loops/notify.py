"""Notices between replicas: a NOTIFY after commits, debounced, and a LISTEN that rings the local bells.

Nothing depends on them: every loop also polls, so that a lost notice costs milliseconds, never data.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import asyncpg

from service.store.db.pool import is_lost
from service.store.db.queries import load

LOG = logging.getLogger(__name__)
QUERIES = load("notify")
CHANNEL = "muster"
DEBOUNCE_S = 0.05
RECONNECT_S = 1.0


class Notifier:
    """One connection that listens and notifies, never inside a command's transaction."""

    def __init__(self, connect: Callable[[], Awaitable[asyncpg.Connection]], heard: Callable[[], None], replica: str) -> None:
        self._connect = connect
        self._heard = heard
        self._replica = replica
        self._due = asyncio.Event()

    def send(self) -> None:
        """Let the other replicas know, soon, that something was committed."""
        self._due.set()

    async def run(self) -> None:
        """Listen and notify until cancelled, over whatever connection there is."""
        while True:
            try:
                await self._serve(await self._connect())
            except Exception as error:
                if not is_lost(error):
                    LOG.exception("notices stumbled")
            await asyncio.sleep(RECONNECT_S)

    async def _serve(self, connection: asyncpg.Connection) -> None:
        connection.add_termination_listener(lambda _ended: self._due.set())
        try:
            await connection.add_listener(CHANNEL, self._receive)
            self._heard()
            while True:
                await self._due.wait()
                self._due.clear()
                await connection.execute(QUERIES.notify, CHANNEL, self._replica)
                await asyncio.sleep(DEBOUNCE_S)
        finally:
            connection.terminate()

    def _receive(self, _connection: object, _pid: int, _channel: str, sender: object) -> None:
        if sender != self._replica:
            self._heard()
