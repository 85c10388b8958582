"""Polls the views once for all open pages, however many there are."""

import asyncio
import logging
from collections.abc import AsyncGenerator

from projections import store
from projections.http.reads.query_runner import QueryRunner
from service.store.db.pool import is_lost

GAP_S = 0.3
NAP_S = 1.0
KEEP_ALIVE_S = 15.0
LOST_S = 1.0
log = logging.getLogger(__name__)


class Ticker:
    """Tells its watchers when the views have moved, a few times a second at most."""

    def __init__(self, source: QueryRunner, stopping: asyncio.Event) -> None:
        self.position = 0
        self.looks = 0
        self._source = source
        self._stopping = stopping
        self.watchers = 0
        self._moved = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None

    @property
    def beating(self) -> bool:
        """Whether somebody watches, so that *position* is of now."""
        return self._looking is not None

    async def beats(self) -> AsyncGenerator[int | None, None]:
        """Yield the position whenever the views have moved, None now and then as a sign of life, until the service stops."""
        self.watchers += 1
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())
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
        if not self.watchers and self._looking is not None:
            self._looking.cancel()
            self._looking = None

    async def _look(self) -> None:
        """Read where the views are, and rest until they may have moved."""
        while not self._stopping.is_set():
            try:
                self.looks += 1
                position = (await store.live(self._source.pool, self._source.shard)).position
            except Exception as error:
                if not is_lost(error):
                    log.exception("the cockpit's look at the views failed")
                await asyncio.sleep(LOST_S)
                continue
            if position != self.position:
                self.position = position
                self._wake()
            await self._source.projector.nap(NAP_S)
            await asyncio.sleep(GAP_S)
        self._wake()

    def _wake(self) -> None:
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()
