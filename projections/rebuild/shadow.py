"""The second set of the state tables: laid bare, filled, hardened, and put in the place of the first."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import asyncpg

from projections.views.measurement import MICROSECOND
from service.settings import StartRefused
from service.store.db.queries import load

SHADOW = load("shadow", package="projections")
SCHEMA = "muster_shadow"
PATIENCE = "60s"
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


MILLENNIUM = datetime(2000, 1, 1, tzinfo=UTC)
"""From when Postgres counts."""


class AnotherAtWork(StartRefused):
    """Another rebuild, check or verification works on the same database."""


@asynccontextmanager
async def alone(dsn: str, session: dict[str, str]) -> AsyncIterator[asyncpg.Connection]:
    """Yield a connection, once no other session has a second set of tables: each would take the other's for its own.

    Raises:
        AnotherAtWork: when that takes longer than a minute.

    """
    connection = await asyncpg.connect(dsn, server_settings=session)
    try:
        await outwait(connection)
        yield connection
    finally:
        await connection.close()


async def outwait(connection: asyncpg.Connection) -> None:
    """Take the lock that the others hold; a session that ends, however it does, frees it."""
    await connection.execute(f"SET lock_timeout = '{PATIENCE}'")
    try:
        await connection.execute(SHADOW.alone)
    except asyncpg.LockNotAvailableError as error:
        raise AnotherAtWork("another rebuild, check or verification is at work on this database: wait for its end") from error
    await connection.execute("RESET lock_timeout")


async def encode_microseconds(connection: asyncpg.Connection) -> None:
    """Let instants pass as microseconds, as Postgres keeps them: a COPY of units is full of them, and so each costs half."""
    await connection.set_type_codec(
        "timestamptz",
        schema="pg_catalog",
        format="tuple",
        encoder=lambda at: ((at - MILLENNIUM) // MICROSECOND,),
        decoder=lambda counted: MILLENNIUM + timedelta(microseconds=counted[0]),
    )


async def lay(connection: asyncpg.Connection, *, lasting: bool) -> None:
    """Make the tables; those that are only compared need not survive a crash of the server."""
    await connection.execute(SHADOW.end)
    await connection.execute(SHADOW.begin)
    await execute(connection, SHADOW.lay, TABLES, "" if lasting else "UNLOGGED")


async def key(connection: asyncpg.Connection) -> None:
    """Give the units their constraints early, so that single ones are found."""
    await execute(connection, SHADOW.constrain, ("units",))


async def harden(connection: asyncpg.Connection) -> None:
    """Give the filled tables everything that the others have."""
    for query in (SHADOW.constrain, SHADOW.index, SHADOW.grant):
        await execute(connection, query, TABLES)
    for table in TABLES:
        await connection.execute(f"ANALYZE {SCHEMA}.{table}")


async def execute(connection: asyncpg.Connection, query: str, *parameters: object) -> None:
    """Run the statements that *query* answers."""
    for (statement,) in await connection.fetch(query, *parameters):
        await connection.execute(statement)


async def open_generation(connection: asyncpg.Connection, shard: int, live: int) -> int:
    """Begin a generation of cards and series that nobody reads yet, and return its number."""
    async with connection.transaction():
        await connection.execute(SHADOW.forget, shard)
        await forget_cards(connection, shard, live)
        await connection.execute(SHADOW.open_generation, shard, live + 1)
    return live + 1


async def forget_cards(connection: asyncpg.Connection, shard: int, kept: int) -> None:
    """Remove the cards and series of every other generation than *kept*."""
    for query in CARDS:
        await connection.execute(query, shard, kept)


async def retire(connection: asyncpg.Connection, shard: int) -> None:
    """Let nobody fold the live generation any further."""
    await connection.execute(SHADOW.retire, shard)


async def swap(connection: asyncpg.Connection, shard: int, generation: int) -> None:
    """Put the second set in the place of the first, which is retired; the caller holds the shard's lock and commits."""
    fleeting = await connection.fetchval(SHADOW.fleeting)
    assert not fleeting, "tables that a crash empties are never put in place"
    await connection.execute(SHADOW.enliven, shard, generation)
    await connection.execute(SHADOW.forget, shard)
    await forget_cards(connection, shard, generation)
    await execute(connection, SHADOW.swap, TABLES)
