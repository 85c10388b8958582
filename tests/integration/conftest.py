"""A replica, and a watcher of its own."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from service.loops.scheduler import Scheduler
from service.settings import Settings
from service.wakeup import Wakeup
from tests.replica import Replica


@pytest.fixture
async def replica(settings: Settings) -> AsyncIterator[Replica]:
    """A replica."""
    async with Replica(settings) as replica:
        yield replica


@pytest.fixture
def scheduler(pool: asyncpg.Pool, replica: Replica) -> Scheduler:
    """A watcher that looks when it is told to."""
    return Scheduler(pool, replica.writer, Wakeup(), tick_s=5)
