"""The daily consistency check: a process of its own folds the log again and compares the result with the stored views."""

import asyncio
import logging
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import msgspec
from msgspec import Struct

from service.settings import Settings

LOG = logging.getLogger(__name__)
LONGEST_S = 6 * 3600.0
LOWEST_PRIORITY = 19
COMMAND = (sys.executable, "-m", "projections.verify")


class CheckResult(Struct, frozen=True):
    """The result of a check: the position up to which it compared, how many rows differ, and the first of them."""

    position: int
    rows: int
    first: str | None


class ConsistencyCheck:
    """Runs the check at the chosen hour while this replica leads, in a process of the lowest priority."""

    def __init__(self, settings: Settings, diverged: Callable[[int], None]) -> None:
        self._settings = settings
        self._diverged = diverged

    async def run(self, _heard_since: Callable[[], datetime]) -> None:
        """Check every day until cancelled."""
        hour = self._settings.examine_hour
        if hour < 0:
            await asyncio.Event().wait()  # a duty that returns would end the term of the leader
        while True:
            await asyncio.sleep(time_until(hour, datetime.now(UTC)).total_seconds())
            await self.check()

    async def check(self) -> None:
        """Check once."""
        environment = os.environ | self._settings.environment()
        child = await asyncio.create_subprocess_exec(
            *COMMAND, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, env=environment
        )
        try:
            with suppress(ProcessLookupError):
                os.setpriority(os.PRIO_PROCESS, child.pid, LOWEST_PRIORITY)
            async with asyncio.timeout(LONGEST_S):
                output, _ = await child.communicate()
            self._report(child.returncode, output)
        except TimeoutError:
            LOG.warning("the views were not checked: it took more than %d hours", LONGEST_S // 3600)
        finally:
            if child.returncode is None:
                child.kill()

    def _report(self, code: int | None, output: bytes) -> None:
        if code:
            LOG.warning("the views were not checked: the process ended with %d", code)
            return
        result = msgspec.json.decode(output, type=CheckResult)
        self._diverged(result.rows)
        if result.rows:
            LOG.error(
                "%d rows of the views differ from the log up to position %d: %s", result.rows, result.position, result.first
            )
        else:
            LOG.info("the views agree with the log up to position %d", result.position)


def time_until(hour: int, now: datetime) -> timedelta:
    """Return the time from *now* until the day's next full *hour*.

    >>> time_until(3, datetime(2026, 1, 1, 2, 59, tzinfo=UTC)), time_until(3, datetime(2026, 1, 1, 3, tzinfo=UTC))
    (datetime.timedelta(seconds=60), datetime.timedelta(days=1))
    """
    today = now.replace(hour=hour, minute=0, second=0, microsecond=0)
    return (today if now < today else today + timedelta(days=1)) - now
