"""Brings a database's schema up to date with Alembic, which nothing else here imports: that takes a fifth of a second."""

import asyncio
from importlib.resources import files

import asyncpg
from alembic import command
from alembic.config import Config

from service.store.db.pool import CONNECT_TIMEOUT_S
from service.store.db.schema import SchemaRefused, current, judge, known_versions


def migrate(dsn: str, revision: str = "head") -> None:
    """Bring the schema up to *revision*, one deployer at a time; no event loop may run in this thread.

    Raises:
        SchemaRefused: when the schema is newer, or another deployer holds the lock for too long.

    """
    asyncio.run(_refuse_newer(dsn))
    try:
        command.upgrade(alembic_config(dsn), revision)
    except asyncpg.LockNotAvailableError as error:
        raise SchemaRefused(f"another deployer is at work: {error}") from error


async def _refuse_newer(dsn: str) -> None:
    connection = await asyncpg.connect(dsn, timeout=CONNECT_TIMEOUT_S)
    try:
        version = await current(connection)
    finally:
        await connection.close()
    if version is not None and version not in known_versions():
        judge(version)


def alembic_config(dsn: str) -> Config:
    """Return what Alembic needs to find our migrations and the database."""
    config = Config(attributes={"dsn": dsn})
    config.set_main_option("script_location", str(files("migrations")).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
