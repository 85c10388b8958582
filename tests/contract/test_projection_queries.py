"""Every named query of the projections is one that Postgres understands on the migrated schema."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from projections.rebuild import shadow
from service.store.db.queries import load

FILES = ("projections", "reads", "cockpit", "shadow", "difference", "verify")
QUERIES = [(file, name) for file in FILES for name, _ in load(file, package="projections")]
UTILITY = {("shadow", "begin"), ("shadow", "end"), ("shadow", "path"), ("reads", "custom_plans")}
"""Statements that are not prepared."""


@pytest.fixture
async def owner(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection of the tables' owner, with a second set of tables."""
    connection = await asyncpg.connect(dsn)
    await shadow.create_tables(connection, lasting=False)
    yield connection
    await connection.close()


async def test_every_query_is_prepared(owner: asyncpg.Connection) -> None:
    for file, name in QUERIES:
        if (file, name) not in UTILITY:
            await owner.prepare(getattr(load(file, package="projections"), name))
