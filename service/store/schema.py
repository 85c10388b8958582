"""The schema's version: bring a database to it, and refuse one that is older or newer."""

from importlib.resources import files

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory


class SchemaRefused(RuntimeError):
    """The database's schema is not the one this Muster was built for."""


def migrate(dsn: str, revision: str = "head") -> None:
    """Bring the schema up to *revision*, one deployer at a time; no event loop may run in this thread."""
    command.upgrade(_config(dsn), revision)


def retreat(dsn: str, revision: str = "base") -> None:
    """Bring the schema down to *revision*."""
    command.downgrade(_config(dsn), revision)


def head() -> str:
    """Return the version this Muster needs."""
    return str(ScriptDirectory.from_config(_config("")).get_current_head())


async def current(connection: asyncpg.Connection | asyncpg.Pool) -> str | None:
    """Return the version the database has, None when it has none."""
    try:
        return str(await connection.fetchval("SELECT version_num FROM alembic_version"))
    except asyncpg.UndefinedTableError:
        return None


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
    known = {script.revision for script in ScriptDirectory.from_config(_config("")).walk_revisions()}
    if version in known:
        raise SchemaRefused(f"the schema is older: {version}, {needed} is needed: run `muster migrate`")
    raise SchemaRefused(f"the schema is newer: {version}, this Muster knows {needed}: run a newer Muster")


def _config(dsn: str) -> Config:
    config = Config(attributes={"dsn": dsn})
    config.set_main_option("script_location", str(files("migrations")).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
