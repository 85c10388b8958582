"""The ticker: one poll of the views for everybody who watches, however many they are."""

import asyncio
import logging
from collections.abc import AsyncGenerator

from projections import store
from projections.http.reads.query_runner import QueryRunner
from service.store.db.pool import is_lost

MIN_INTERVAL_S = 0.3
MAX_INTERVAL_S = 1.0
KEEP_ALIVE_S = 15.0
RETRY_S = 1.0
log = logging.getLogger(__name__)


class Ticker:
    """Tells its watchers when the views have moved, a few times a second at most; it polls only while somebody watches."""

    def __init__(self, source: QueryRunner, stopping: asyncio.Event) -> None:
        self.position = 0
        self.watchers = 0
        self._source = source
        self._stopping = stopping
        self._moved = asyncio.Event()
        self._polling: asyncio.Task[None] | None = None

    @property
    def is_running(self) -> bool:
        """Whether somebody watches, so that *position* is current."""
        return self._polling is not None

    async def ticks(self) -> AsyncGenerator[int | None, None]:
        """Yield the position whenever the views have moved, and None every `KEEP_ALIVE_S` seconds, until the service stops."""
        self.watchers += 1
        if self._polling is None:
            self._polling = asyncio.create_task(self._poll())
        try:
            while not self._stopping.is_set():
                moved = self._moved
                try:
                    async with asyncio.timeout(KEEP_ALIVE_S):
                        await moved.wait()
                    yield self.position
                except TimeoutError:
                    yield None
        finally:
            self._leave()

    def _leave(self) -> None:
        self.watchers -= 1
        if not self.watchers and self._polling is not None:
            self._polling.cancel()
            self._polling = None

    async def _poll(self) -> None:
        """Read the position of the views again and again; a projector on this replica ends the wait between two reads."""
        while not self._stopping.is_set():
            try:
                position = await self._read_position()
            except Exception as error:
                if not is_lost(error):
                    log.exception("the cockpit could not read the position of the views")
                await asyncio.sleep(RETRY_S)
                continue
            if position != self.position:
                self.position = position
                self._wake()
            await self._source.projector.wait_for_move(MAX_INTERVAL_S)
            await asyncio.sleep(MIN_INTERVAL_S)
        self._wake()

    async def _read_position(self) -> int:
        return (await store.live(self._source.pool, self._source.shard)).position

    def _wake(self) -> None:
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()
