"""The app on a shard in memory."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from litestar import Litestar

from service.http.context import WriteContext
from service.http.middleware import Middleware
from service.http.problems import HANDLERS
from service.http.routes import ROUTES
from tests.http.shard import Shard


@pytest.fixture
def shard() -> Shard:
    """A shard without anything."""
    return Shard()


@pytest.fixture
def stopping() -> asyncio.Event:
    """Set when the service stops."""
    return asyncio.Event()


@pytest.fixture
def seen() -> list[tuple[str, str, int]]:
    """Method, route and status of every answer."""
    return []


@pytest.fixture
def context(shard: Shard, stopping: asyncio.Event) -> WriteContext:
    """What the handlers stand at."""
    return WriteContext(
        writer=shard,
        views=shard,
        quarantine=shard,
        bundles=shard,
        replays=shard,
        wakeup=shard.wakeup,
        stopping=stopping,
        body_limit=2**20,
        waiting_limit=2,
    )


@pytest.fixture
def app(context: WriteContext, seen: list[tuple[str, str, int]]) -> Middleware:
    """The write side on that shard."""
    app = Litestar(
        [*ROUTES], opt={"write_context": context}, exception_handlers=HANDLERS, openapi_config=None, logging_config=None
    )
    return Middleware(app, lambda method, route, status, _: seen.append((method, route, status)))


@pytest.fixture
async def http(app: Middleware) -> AsyncIterator[httpx.AsyncClient]:
    """A client of that app."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://muster") as client:
        yield client
