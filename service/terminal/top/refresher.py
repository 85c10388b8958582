"""The watch: it hears the log, keeps its last facts, and says when to look again; without a stream it asks in turns."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from service.client import event_stream
from service.client.api_types import ApiEvent
from service.client.errors import AwayError, RefusedError
from service.client.http_client import ApiClient

KEPT, BEFORE = 500, 200
COALESCE_S, LIVE_S, POLL_S = 0.5, 5.0, 2.0
"""Looks are at least so far apart; so often anyway, for ages and levels; so often without a stream."""
BEATS = ("unit.heartbeat", "worker.heartbeat")


class Refresher:
    """One viewer's watch over one service."""

    def __init__(self, service: ApiClient, look: Callable[[], Awaitable[None]]) -> None:
        self.service = service
        self.events: deque[ApiEvent] = deque(maxlen=KEPT)
        self.heard = False
        self._look = look
        self._turn = asyncio.Event()

    async def run(self) -> None:
        """Watch until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen())
            tasks.create_task(self._look_again())

    def wake(self) -> None:
        """Look again soon."""
        self._turn.set()

    async def _look_again(self) -> None:
        while True:
            self._turn.clear()
            await self._look()
            await asyncio.sleep(COALESCE_S)
            try:
                await asyncio.wait_for(self._turn.wait(), LIVE_S if self.heard else POLL_S)
            except TimeoutError:
                continue

    async def _listen(self) -> None:
        while True:
            try:
                after = self.events[-1].position if self.events else max(await event_stream.head(self.service) - BEFORE, 0)
                async for told in event_stream.follow(self.service, after, {}, self._notice):
                    self._take(told)
            except (AwayError, RefusedError):
                self.heard = False
                await asyncio.sleep(POLL_S)

    def _take(self, told: event_stream.StreamedEvent) -> None:
        event = told.event()
        if event.kind not in BEATS:
            self.events.append(event)
            self.wake()

    def _notice(self, loss: AwayError | None) -> None:
        if self.heard != (loss is None):
            self.heard = loss is None
            self.wake()
