"""The composition root: settings → pool → store → writer → loops → routes → app, each built once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import asyncpg
from litestar import Litestar
from litestar.di import Provide

from service.readiness import Readiness, healthz, readyz
from service.settings import Settings
from service.store.pool import LOST, open_pool
from service.store.schema import SchemaRefused, current, judge

POOL_CLOSE_S = 5.0


def create_app(settings: Settings, stopping: asyncio.Event | None = None) -> Litestar:
    """Build the service; *stopping* is set by the server when it is asked to end, before it closes anything."""
    stopping = stopping or asyncio.Event()
    readiness = Readiness(stopping)
    return Litestar(
        route_handlers=[healthz, readyz],
        dependencies={"readiness": Provide(lambda: readiness, sync_to_thread=False)},
        logging_config=None,
        lifespan=[partial(running, settings=settings, readiness=readiness)],
    )


@asynccontextmanager
async def running(app: Litestar, settings: Settings, readiness: Readiness) -> AsyncIterator[None]:
    """Open what the service stands on, bottom up, and close it top down."""
    async with connections(settings) as pool:
        app.state.pool = pool
        readiness.require(partial(database_answers, pool))
        # The store, the writer, the loops and the projector are built here, in this order.
        yield


@asynccontextmanager
async def connections(settings: Settings) -> AsyncIterator[asyncpg.Pool]:
    """Open the pool, and end it in time even when a connection never comes back."""
    pool = await open_pool(settings)
    try:
        yield pool
    finally:
        try:
            await asyncio.wait_for(pool.close(), POOL_CLOSE_S)
        except TimeoutError:
            pool.terminate()


async def database_answers(pool: asyncpg.Pool) -> str | None:
    """Return why the database cannot be used: away, or of another schema."""
    try:
        judge(await current(pool))
    except SchemaRefused as refused:
        return str(refused)
    except LOST as error:
        return f"the database does not answer: {type(error).__name__}"
    return None
