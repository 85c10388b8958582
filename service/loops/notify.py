"""Notifications between replicas: a debounced NOTIFY after commits, and a LISTEN that wakes the local loops.

No result depends on them. Every loop also polls, so a lost notification costs milliseconds, never data.
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
    """Listens and notifies on one connection of its own.

    A NOTIFY inside the transaction of a command would take a lock that all commits of the database share.
    """

    def __init__(self, connect: Callable[[], Awaitable[asyncpg.Connection]], received: Callable[[], None], replica: str) -> None:
        self._connect = connect
        self._received = received
        self._replica = replica
        self._due = asyncio.Event()

    def send(self) -> None:
        """Tell the other replicas soon that something was committed."""
        self._due.set()

    async def run(self) -> None:
        """Listen and notify until cancelled; connect again after each loss."""
        while True:
            try:
                await self._serve(await self._connect())
            except Exception as error:
                if not is_lost(error):
                    LOG.exception("the notifier failed")
            await asyncio.sleep(RECONNECT_S)

    async def _serve(self, connection: asyncpg.Connection) -> None:
        connection.add_termination_listener(lambda _ended: self._due.set())
        try:
            await connection.add_listener(CHANNEL, self._receive)
            self._received()
            while True:
                await self._due.wait()
                self._due.clear()
                await connection.execute(QUERIES.notify, CHANNEL, self._replica)
                await asyncio.sleep(DEBOUNCE_S)
        finally:
            connection.terminate()

    def _receive(self, _connection: object, _pid: int, _channel: str, sender: object) -> None:
        if sender != self._replica:
            self._received()
