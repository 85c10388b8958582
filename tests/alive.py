"""A whole app that lives as long as a test."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from litestar import Litestar


@asynccontextmanager
async def alive(app: Litestar) -> AsyncIterator[None]:
    """Keep *app* alive in a task of its own: a fixture begins and ends in two."""
    up, down = asyncio.Event(), asyncio.Event()

    async def live() -> None:
        async with app.lifespan():
            up.set()
            await down.wait()

    task = asyncio.create_task(live())
    await up.wait()
    yield
    down.set()
    await task
