"""What every test may ask for: a server a run, a migrated database a test."""

import faulthandler
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from service.embedded.cluster import Cluster
from service.settings import PREFIX, Settings
from service.store.db.migration import migrate
from service.store.db.pool import open_pool
from tests.postgres import VERSION, Server, folder


def pytest_configure() -> None:
    """Keep the settings of the shell out of the tests."""
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]


def pytest_report_header() -> str:
    return f"postgres: {VERSION}"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """The Postgres of this run."""
    with folder() as place, Server(Path(place) / "postgres") as server:
        yield server


@pytest.fixture(scope="session")
def migrated(postgres: Server) -> str:
    """The name of a database at the head of the schema, from which others are copied."""
    name = postgres.create()
    migrate(postgres.dsn(name))
    return name


@pytest.fixture
def empty_dsn(postgres: Server) -> Iterator[str]:
    """The owner's address of a database without a schema."""
    name = postgres.create()
    yield postgres.dsn(name)
    postgres.drop(name)


@pytest.fixture
def dsn(postgres: Server, migrated: str) -> Iterator[str]:
    """The owner's address of a database of this test's own, at the head of the schema."""
    name = postgres.create(migrated)
    yield postgres.dsn(name)
    postgres.drop(name)


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A data folder short enough for a socket, whose Postgres ends with the test."""
    with folder() as place:
        data_dir = Path(place) / "data"
        yield data_dir
        Cluster(data_dir / "postgres").stop()


@pytest.fixture
async def owner(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection to this test's database as its owner."""
    connection = await asyncpg.connect(dsn)
    yield connection
    await connection.close()


@pytest.fixture
def patience() -> None:
    """Give a large test forty minutes, where others are ended after ten."""
    faulthandler.dump_traceback_later(2400, exit=True)


@pytest.fixture
def settings(dsn: str) -> Settings:
    """The settings of a service on this test's database."""
    return Settings(dsn=dsn)


@pytest.fixture
async def pool(settings: Settings) -> AsyncIterator[asyncpg.Pool]:
    """Connections to this test's database, as the service's role."""
    async with await open_pool(settings, name="test") as connections:
        yield connections
