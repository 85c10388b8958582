"""A bell within this process: it wakes sleepers up early, and none of them depends on it."""

import asyncio


class Wakeup:
    """Counts its rings, so that one between a look and a sleep is never missed."""

    def __init__(self) -> None:
        self.count = 0
        self._event = asyncio.Event()

    def notify(self) -> None:
        """Wake everyone who waits."""
        self.count += 1
        self._event.set()
        self._event = asyncio.Event()

    async def after(self, count: int, timeout: float) -> bool:  # noqa: ASYNC109 - a nap, not a deadline
        """Sleep until the bell has rung more often than *count*, *timeout* seconds at most; tell whether it rang."""
        if self.count > count or timeout <= 0:
            return self.count > count
        try:
            async with asyncio.timeout(timeout):
                await self._event.wait()
        except TimeoutError:
            return False
        return True
