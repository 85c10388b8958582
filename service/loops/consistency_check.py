"""The examiner: once a day a process of its own folds the views afresh, and what differs is counted and logged."""

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
LOWLIEST = 19
WORDS = (sys.executable, "-m", "projections.verify")


class CheckResult(Struct, frozen=True):
    """What an examination found: up to where it looked, how many rows differ from the log, and the first of them."""

    position: int
    rows: int
    first: str | None


class ConsistencyCheck:
    """Examines at the chosen hour as long as this replica leads; the process yields the machine to everybody else."""

    def __init__(self, settings: Settings, diverged: Callable[[int], None]) -> None:
        self._settings = settings
        self._diverged = diverged

    async def run(self, _heard_since: Callable[[], datetime]) -> None:
        """Examine every day until cancelled."""
        hour = self._settings.examine_hour
        if hour < 0:
            await asyncio.Event().wait()
        while True:
            await asyncio.sleep(until(hour, datetime.now(UTC)).total_seconds())
            await self.examine()

    async def examine(self) -> None:
        """Examine once."""
        environment = os.environ | self._settings.environment()
        child = await asyncio.create_subprocess_exec(
            *WORDS, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, env=environment
        )
        try:
            with suppress(ProcessLookupError):
                os.setpriority(os.PRIO_PROCESS, child.pid, LOWLIEST)
            async with asyncio.timeout(LONGEST_S):
                told, _ = await child.communicate()
            self._judge(child.returncode, told)
        except TimeoutError:
            LOG.warning("the views were not examined: it took more than %d hours", LONGEST_S // 3600)
        finally:
            if child.returncode is None:
                child.kill()

    def _judge(self, code: int | None, told: bytes) -> None:
        if code:
            LOG.warning("the views were not examined: the process ended with %d", code)
            return
        found = msgspec.json.decode(told, type=CheckResult)
        self._diverged(found.rows)
        if found.rows:
            LOG.error("%d rows of the views are not what the log says up to %d: %s", found.rows, found.position, found.first)
        else:
            LOG.info("the views are what the log says up to %d", found.position)


def until(hour: int, now: datetime) -> timedelta:
    """Return how long it is until the next full *hour* of a day.

    >>> until(3, datetime(2026, 1, 1, 2, 59, tzinfo=UTC)), until(3, datetime(2026, 1, 1, 3, tzinfo=UTC))
    (datetime.timedelta(seconds=60), datetime.timedelta(days=1))
    """
    today = now.replace(hour=hour, minute=0, second=0, microsecond=0)
    return (today if now < today else today + timedelta(days=1)) - now
