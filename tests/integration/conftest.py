"""A replica, and a watcher of its own."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from service.loops.scheduler import Watcher
from service.settings import Settings
from service.wakeup import Bell
from tests.replica import Replica


@pytest.fixture
async def replica(settings: Settings) -> AsyncIterator[Replica]:
    """A replica."""
    async with Replica(settings) as replica:
        yield replica


@pytest.fixture
def watcher(pool: asyncpg.Pool, replica: Replica) -> Watcher:
    """A watcher that looks when it is told to."""
    return Watcher(pool, replica.writer, Bell(), tick_s=5)
