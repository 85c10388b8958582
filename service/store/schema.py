"""The schema's version: bring a database to it, and refuse one that is older or newer."""

import asyncio
import logging
import time
from functools import cache
from importlib.resources import files

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from service.settings import StartRefused, masked
from service.store.pool import CONNECT_TIMEOUT_S, LOST

_log = logging.getLogger(__name__)


class SchemaRefused(StartRefused):
    """The database's schema is not the one this Muster was built for."""


class DatabaseAway(StartRefused):
    """The database does not answer."""


def migrate(dsn: str, revision: str = "head") -> None:
    """Bring the schema up to *revision*, one deployer at a time; no event loop may run in this thread.

    Raises:
        SchemaRefused: when the schema is newer, or another deployer holds the lock for too long.

    """
    asyncio.run(_refuse_newer(dsn))
    try:
        command.upgrade(_config(dsn), revision)
    except asyncpg.LockNotAvailableError as error:
        raise SchemaRefused(f"another deployer is at work: {error}") from error


def retreat(dsn: str, revision: str = "base") -> None:
    """Bring the schema down to *revision*."""
    command.downgrade(_config(dsn), revision)


async def current(connection: asyncpg.Connection | asyncpg.Pool) -> str | None:
    """Return the version the database has, None when it has none."""
    try:
        version: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
    except asyncpg.UndefinedTableError:
        return None
    return version


async def require_head(dsn: str, patience_s: float = 60.0) -> None:
    """Wait for the database, then accept no schema but the one this Muster needs.

    Raises:
        DatabaseAway: after *patience_s* seconds without an answer.
        SchemaRefused: when the schema is older or newer.

    """
    deadline = time.monotonic() + patience_s
    while True:
        try:
            connection = await asyncpg.connect(dsn, timeout=CONNECT_TIMEOUT_S)
        except LOST as error:
            if time.monotonic() > deadline:
                raise DatabaseAway(f"{masked(dsn)} does not answer: {error}") from error
            _log.warning("the database does not answer, trying again: %s", error)
            await asyncio.sleep(1)
            continue
        try:
            judge(await current(connection))
        finally:
            await connection.close()
        return


def judge(version: str | None) -> None:
    """Accept the version this Muster needs.

    Raises:
        SchemaRefused: saying whether the database is empty, older or newer, and what to do.

    """
    needed = head()
    if version == needed:
        return
    if version is None:
        raise SchemaRefused(f"the database has no schema, {needed} is needed: run `muster migrate`")
    if version in _known():
        raise SchemaRefused(f"the schema is older: {version}, {needed} is needed: run `muster migrate`")
    raise SchemaRefused(f"the schema is newer: {version}, this Muster knows {needed}: run a newer Muster")


async def _refuse_newer(dsn: str) -> None:
    connection = await asyncpg.connect(dsn, timeout=CONNECT_TIMEOUT_S)
    try:
        version = await current(connection)
    finally:
        await connection.close()
    if version is not None and version not in _known():
        judge(version)


@cache
def head() -> str:
    """Return the version this Muster needs."""
    return str(ScriptDirectory.from_config(_config("")).get_current_head())


@cache
def _known() -> frozenset[str]:
    return frozenset(script.revision for script in ScriptDirectory.from_config(_config("")).walk_revisions())


def _config(dsn: str) -> Config:
    config = Config(attributes={"dsn": dsn})
    config.set_main_option("script_location", str(files("migrations")).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
