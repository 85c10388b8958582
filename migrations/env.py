"""How Alembic reaches the database: short locks, one deployer at a time, one transaction a migration."""

import asyncio
import os

import asyncpg
from alembic import context
from sqlalchemy import Connection, NullPool
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

DEPLOYER_LOCK = 0x6D7573746572
LOCK_WAIT = "60s"
SESSION = {
    "application_name": "muster migrate",
    "timezone": "UTC",
    "lock_timeout": "5s",
    "statement_timeout": "10min",
}


def migrate(connection: Connection) -> None:
    """Run the migrations that are due, each in its own transaction."""
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()


async def connect() -> asyncpg.Connection:
    """Open a connection that no other deployer holds at the same time."""
    dsn = context.config.attributes.get("dsn") or os.environ["MUSTER_DSN"]
    connection = await asyncpg.connect(dsn, server_settings=SESSION)
    await connection.execute(f"SET lock_timeout = '{LOCK_WAIT}'")
    await connection.fetchval("SELECT pg_advisory_lock($1::bigint)", DEPLOYER_LOCK)
    await connection.execute("RESET lock_timeout")
    return connection


async def deploy() -> None:
    """Bring the database to the asked version; an error of Postgres is raised as asyncpg has it, not as SQLAlchemy wraps it."""
    held = await connect()

    async def given() -> asyncpg.Connection:
        return held

    engine = create_async_engine("postgresql+asyncpg://", async_creator=given, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(migrate)
    except DBAPIError as error:
        raise getattr(error.orig, "__cause__", None) or error from None
    finally:
        await engine.dispose()


asyncio.run(deploy())
