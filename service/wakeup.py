"""A wake-up within one process: ends the sleep of polling loops early; each loop would also find its work by polling."""

import asyncio


class Wakeup:
    """A broadcast event with a counter.

    A loop remembers the count before it looks for work, and sleeps only while the count is still the same. So a notification
    that comes between the look and the sleep is not lost.
    """

    def __init__(self) -> None:
        self.count = 0
        self._event = asyncio.Event()

    def notify(self) -> None:
        """Wake every sleeper."""
        self.count += 1
        self._event.set()
        self._event = asyncio.Event()

    async def after(self, count: int, timeout: float) -> bool:  # noqa: ASYNC109 - a nap, not a deadline
        """Sleep until there were more than *count* notifications, *timeout* seconds at most; tell whether there were."""
        if self.count > count or timeout <= 0:
            return self.count > count
        try:
            async with asyncio.timeout(timeout):
                await self._event.wait()
        except TimeoutError:
            return False
        return True
