"""The schema's version: which one a database has, and which one this Muster needs. `migration` brings one to the other."""

import asyncio
import logging
import time
from functools import cache
from importlib.resources import files

import asyncpg

from service.settings import StartRefused, masked
from service.store.db.outage_log import OutageLog
from service.store.db.pool import CONNECT_TIMEOUT_S, LOST, connect

_log = logging.getLogger(__name__)


class SchemaRefused(StartRefused):
    """The database's schema is not the one this Muster was built for."""


class DatabaseAway(StartRefused):
    """The database does not answer."""


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
        DatabaseAway: after *patience_s* seconds without an answer; at once when the address cannot have one.
        SchemaRefused: when the schema is older or newer.

    """
    deadline = time.monotonic() + patience_s
    outage_log = OutageLog(_log, "the database answers")
    while True:
        try:
            connection = await connect(dsn, timeout=CONNECT_TIMEOUT_S, statement_cache_size=0)
        except LOST as error:
            if isinstance(error, asyncpg.ClientConfigurationError):
                raise DatabaseAway(f"{masked(dsn)} is no address of a database: {error}") from error
            if time.monotonic() > deadline:
                raise DatabaseAway(f"{masked(dsn)} does not answer: {error}") from error
            outage_log.report_outage(f"the database does not answer, trying again: {error}")
            await asyncio.sleep(1)
            continue
        outage_log.report_recovery()
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
    if version in known_versions():
        raise SchemaRefused(f"the schema is older: {version}, {needed} is needed: run `muster migrate`")
    raise SchemaRefused(f"the schema is newer: {version}, this Muster knows {needed}: run a newer Muster")


@cache
def head() -> str:
    """Return the version this Muster needs: the newest of its migrations."""
    return max(known_versions())


@cache
def known_versions() -> frozenset[str]:
    """Return the versions that this Muster's migrations make; each is the number at the head of its file's name."""
    names = (path.name for path in files("migrations").joinpath("versions").iterdir())
    return frozenset(name.partition("_")[0] for name in names if name[:1].isdigit())
