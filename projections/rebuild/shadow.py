"""The second set of the state tables: created without indexes, filled, given constraints and indexes, and swapped in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import asyncpg

from projections.views.measurement import MICROSECOND
from service.settings import StartRefused
from service.store.db.queries import load

SHADOW = load("shadow", package="projections")
SCHEMA = "muster_shadow"
LOCK_TIMEOUT = "60s"
TABLES = (
    "engine",
    "quotas",
    "campaigns",
    "groups",
    "units",
    "dependencies",
    "fanouts",
    "claims",
    "workers",
    "investigations",
    "recoveries",
)
CARDS = (
    SHADOW.forget_engine,
    SHADOW.forget_campaigns,
    SHADOW.forget_workers,
    SHADOW.forget_quotas,
    SHADOW.forget_quarantine,
    SHADOW.forget_waves,
    SHADOW.forget_unit_waves,
    SHADOW.forget_snapshots,
    SHADOW.forget_dead_times,
    SHADOW.forget_groups,
    SHADOW.forget_series,
)


POSTGRES_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
"""The epoch of Postgres."""


class AnotherAtWork(StartRefused):
    """Another rebuild, check or verification is running on the same database."""


@asynccontextmanager
async def alone(dsn: str, session: dict[str, str]) -> AsyncIterator[asyncpg.Connection]:
    """Yield a connection once no other session has a second set of tables: both would use the same schema.

    Raises:
        AnotherAtWork: another session holds it for a minute.

    """
    connection = await asyncpg.connect(dsn, server_settings=session)
    try:
        await take_lock(connection)
        yield connection
    finally:
        await connection.close()


async def take_lock(connection: asyncpg.Connection) -> None:
    """Take the lock of rebuilds; it is freed when the session ends, however it ends.

    Raises:
        AnotherAtWork: another session holds it for a minute.

    """
    await connection.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
    try:
        await connection.execute(SHADOW.alone)
    except asyncpg.LockNotAvailableError as error:
        raise AnotherAtWork("another rebuild, check or verification is at work on this database: wait for its end") from error
    await connection.execute("RESET lock_timeout")


async def encode_microseconds(connection: asyncpg.Connection) -> None:
    """Encode timestamptz as raw microseconds. COPY of units is dominated by timestamps; this halves their cost."""
    await connection.set_type_codec(
        "timestamptz",
        schema="pg_catalog",
        format="tuple",
        encoder=lambda at: ((at - POSTGRES_EPOCH) // MICROSECOND,),
        decoder=lambda counted: POSTGRES_EPOCH + timedelta(microseconds=counted[0]),
    )


async def create_tables(connection: asyncpg.Connection, *, lasting: bool) -> None:
    """Create the tables; unless *lasting*, they are only compared, and need not survive a crash of the server."""
    await connection.execute(SHADOW.end)
    await connection.execute(SHADOW.begin)
    await execute(connection, SHADOW.create_tables, TABLES, "" if lasting else "UNLOGGED")


async def constrain_units(connection: asyncpg.Connection) -> None:
    """Give the table of units its primary key early, so that single units can be looked up."""
    await execute(connection, SHADOW.constrain, ("units",))


async def finish_tables(connection: asyncpg.Connection) -> None:
    """Give the filled tables the constraints, indexes and grants of the live ones."""
    for query in (SHADOW.constrain, SHADOW.index, SHADOW.grant):
        await execute(connection, query, TABLES)
    for table in TABLES:
        await connection.execute(f"ANALYZE {SCHEMA}.{table}")


async def execute(connection: asyncpg.Connection, query: str, *parameters: object) -> None:
    """Run the statements that *query* returns."""
    for (statement,) in await connection.fetch(query, *parameters):
        await connection.execute(statement)


async def open_generation(connection: asyncpg.Connection, shard: int, live: int) -> int:
    """Create a generation of cards and series that nobody reads yet; return its number."""
    async with connection.transaction():
        await connection.execute(SHADOW.forget, shard)
        await forget_cards(connection, shard, live)
        await connection.execute(SHADOW.open_generation, shard, live + 1)
    return live + 1


async def forget_cards(connection: asyncpg.Connection, shard: int, kept: int) -> None:
    """Delete the cards and series of all generations but *kept*."""
    for query in CARDS:
        await connection.execute(query, shard, kept)


async def retire(connection: asyncpg.Connection, shard: int) -> None:
    """Stop the projector from folding the live generation further."""
    await connection.execute(SHADOW.retire, shard)


async def swap(connection: asyncpg.Connection, shard: int, generation: int) -> None:
    """Replace the first set, which is retired, by the second; the caller holds the shard's lock and commits."""
    unlogged = await connection.fetchval(SHADOW.unlogged)
    assert not unlogged, "tables that a crash empties are never swapped in"
    await connection.execute(SHADOW.make_live, shard, generation)
    await connection.execute(SHADOW.forget, shard)
    await forget_cards(connection, shard, generation)
    await execute(connection, SHADOW.swap, TABLES)
