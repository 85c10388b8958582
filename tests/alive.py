"""A whole app that lives as long as a test, and what waits in it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from litestar import Litestar

from service.http.context import WriteContext
from service.http.middleware import Middleware
from tests.replica import eventually


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


async def claim_waits(http: httpx.AsyncClient) -> None:
    """Return when a claim waits at the app that *http* asks."""
    assert isinstance(http._transport, httpx.ASGITransport)
    edge = http._transport.app
    assert isinstance(edge, Middleware)
    context: WriteContext = edge.app.opt["write_context"]

    async def holds() -> object:
        return context.waiting

    await eventually(holds)
