"""Decides when `muster top` reads the API again: after events of the log, and at intervals without a stream."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from service.client import event_stream
from service.client.api_types import ApiEvent
from service.client.errors import AwayError, RefusedError
from service.client.http_client import ApiClient

EVENTS_KEPT, EVENTS_BEFORE_START = 500, 200
COALESCE_S = 0.5
"""The least time between two refreshes, so that a burst of events is one refresh."""
LIVE_S, POLL_S = 5.0, 2.0
"""The most time between two refreshes: with a stream, for ages and levels that change without an event; and without one."""
HEARTBEATS = ("unit.heartbeat", "worker.heartbeat")


class Refresher:
    """Follows the log of one service, keeps its last events, and calls *refresh* when something may have changed."""

    def __init__(self, service: ApiClient, refresh: Callable[[], Awaitable[None]]) -> None:
        self.service = service
        self.events: deque[ApiEvent] = deque(maxlen=EVENTS_KEPT)
        self.streaming = False
        self._refresh = refresh
        self._refresh_due = asyncio.Event()

    async def run(self) -> None:
        """Follow and refresh until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow_log())
            tasks.create_task(self._refresh_repeatedly())

    def wake(self) -> None:
        """Refresh soon."""
        self._refresh_due.set()

    async def _refresh_repeatedly(self) -> None:
        while True:
            self._refresh_due.clear()
            await self._refresh()
            await asyncio.sleep(COALESCE_S)
            try:
                await asyncio.wait_for(self._refresh_due.wait(), LIVE_S if self.streaming else POLL_S)
            except TimeoutError:
                continue

    async def _follow_log(self) -> None:
        while True:
            try:
                head = self.events[-1].position if self.events else await event_stream.head(self.service) - EVENTS_BEFORE_START
                async for streamed in event_stream.follow(self.service, max(head, 0), {}, self._on_connection):
                    self._add(streamed.event())
            except (AwayError, RefusedError):
                self.streaming = False
                await asyncio.sleep(POLL_S)

    def _add(self, event: ApiEvent) -> None:
        if event.kind not in HEARTBEATS:
            self.events.append(event)
            self.wake()

    def _on_connection(self, loss: AwayError | None) -> None:
        if self.streaming != (loss is None):
            self.streaming = loss is None
            self.wake()
