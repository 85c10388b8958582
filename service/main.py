"""The composition root: builds replica (pool, store, writer, loops, projections), routes and app from the settings, each once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import asyncpg
from litestar import Litestar
from litestar.di import Provide
from litestar.types import ASGIApp

from projections.cockpit.context import CockpitContext
from projections.cockpit.request import CockpitServices
from projections.cockpit.routes import COCKPIT_ROUTES
from projections.cockpit.ticker import Ticker
from projections.http.context import ReadContext
from projections.http.reads.diagnostics import DiagnosticBundler
from projections.http.routes import READS
from projections.store import QUERIES
from service.http import problems
from service.http.context import WriteContext
from service.http.middleware import Middleware
from service.http.routes import ROUTES
from service.readiness import Readiness, healthz, readyz
from service.replica import Replica
from service.settings import Settings
from service.store.db.pool import LOST
from service.store.db.schema import SchemaRefused, current, judge
from service.store.log import event_log

MEBI = 1024 * 1024
LEAST_POSITIONS = 100_000
"""Readiness fails when the partitions of the log have room for fewer events: the leader has stopped to create new ones."""


def create_app(settings: Settings, stopping: asyncio.Event | None = None) -> ASGIApp:
    """Build the service; the server sets *stopping* when a signal asks it to end, before it closes anything."""
    stopping = stopping or asyncio.Event()
    replica = Replica(settings)
    readiness = Readiness(stopping)
    app = Litestar(
        route_handlers=[healthz, readyz, *ROUTES, *READS, *COCKPIT_ROUTES],
        opt={
            "write_context": write_context(replica, settings, stopping),
            "read_context": read_context(replica, stopping),
            "cockpit": cockpit_context(replica, settings, readiness, stopping),
        },
        dependencies={"readiness": Provide(lambda: readiness, sync_to_thread=False)},
        exception_handlers=problems.HANDLERS,
        openapi_config=None,
        logging_config=None,
        lifespan=[partial(running, replica=replica, readiness=readiness, settings=settings)],
    )
    middleware = Middleware(app, replica.process.observe_request)
    replica.process.show_in_flight(lambda: middleware.in_flight)
    return middleware


def write_context(replica: Replica, settings: Settings, stopping: asyncio.Event) -> WriteContext:
    """Return the dependencies of the write handlers."""
    return WriteContext(
        writer=replica.writer,
        views=replica.reader,
        quarantine=replica.reader,
        bundles=bundles_of(replica, settings),
        replays=replica.replays,
        wakeup=replica.work,
        stopping=stopping,
        body_limit=settings.body_limit_mib * MEBI,
    )


def bundles_of(replica: Replica, settings: Settings) -> DiagnosticBundler:
    """Return the builder of diagnostic bundles."""
    return DiagnosticBundler(replica.reader, replica.process, settings.masked_values(), replica.exports)


def read_context(replica: Replica, stopping: asyncio.Event) -> ReadContext:
    """Return the dependencies of the read handlers."""
    return ReadContext(replica.reader, replica.process, stopping)


def cockpit_context(replica: Replica, settings: Settings, readiness: Readiness, stopping: asyncio.Event) -> CockpitServices:
    """Return the dependencies of the cockpit's pages and actions."""
    return CockpitServices(
        CockpitContext(
            reader=replica.reader,
            bundles=bundles_of(replica, settings),
            exports=replica.exports,
            process=replica.process,
            writer=replica.writer,
            reasons=readiness.reasons,
            stopping=stopping,
            ticker=Ticker(replica.reader, stopping),
        )
    )


@asynccontextmanager
async def running(_app: Litestar, replica: Replica, readiness: Readiness, settings: Settings) -> AsyncIterator[None]:
    """Run the replica while the app runs, and let readiness depend on it."""
    async with replica.running():
        readiness.require(partial(database_answers, replica.pool))
        readiness.require(partial(views_are_fresh, replica, settings.lag_budget_s))
        readiness.require(partial(log_has_room, replica.pool))
        yield


async def database_answers(pool: asyncpg.Pool) -> str | None:
    """Return why the database cannot be used: it does not answer, or has another schema; None when it can."""
    try:
        judge(await current(pool))
    except SchemaRefused as refused:
        return str(refused)
    except LOST as error:
        return f"the database does not answer: {type(error).__name__}"
    return None


async def views_are_fresh(replica: Replica, budget_s: float) -> str | None:
    """Return by how much the views lag when that is more than the budget, None otherwise."""
    try:
        row = await replica.pool.fetchrow(QUERIES.lag, 0)
    except LOST:
        return None  # `database_answers` reports it
    lag_s = 0.0 if row is None or row["oldest_at"] is None else (row["at"] - row["oldest_at"]).total_seconds()
    return f"the views lag by {lag_s:.1f} s, {budget_s:g} s are allowed" if lag_s > budget_s else None


async def log_has_room(pool: asyncpg.Pool) -> str | None:
    """Return how many events the log's partitions have room for when that is too few, None otherwise."""
    try:
        async with pool.acquire() as connection:
            left = await connection.fetchval(event_log.QUERIES.partitions_left, await event_log.head(connection))
    except LOST:
        return None  # as above
    return f"the log's partitions have room for {left} events" if left < LEAST_POSITIONS else None
