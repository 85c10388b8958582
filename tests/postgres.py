"""A Postgres for the tests: the embedded 18 or Debian's 15, one server a run, one database a test."""

import asyncio
import itertools
import os
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

import asyncpg

from service.embedded.cluster import Cluster, embedded_binaries

VERSION = os.environ.get("MUSTER_TEST_POSTGRES", "18")
BINARIES = {"18": embedded_binaries(), "15": Path("/usr/lib/postgresql/15/bin")}
QUICK = {
    "fsync": "off",  # only here: a test's database is thrown away
    "full_page_writes": "off",
    "shared_buffers": "128MB",
    "max_connections": "200",
    "max_wal_size": "256MB",
}
MEMORY = Path("/dev/shm")
ROOMY = 4 * 2**30  # what all runners' databases take stays far below


class Server:
    """A running Postgres whose databases come and go."""

    def __init__(self, folder: Path) -> None:
        self.binaries = BINARIES[VERSION]
        self.cluster = Cluster(folder, binaries=self.binaries, overrides=QUICK)
        self._numbers = itertools.count(1)

    def __enter__(self) -> Self:
        self.cluster.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.cluster.stop()

    def create(self, template: str = "template0") -> str:
        """Make a database from *template* and return its name."""
        name = f"test_{next(self._numbers)}"
        self._order(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return name

    def drop(self, name: str) -> None:
        """Drop the database *name* with whoever is still connected."""
        self._order(f"DROP DATABASE {name} WITH (FORCE)")

    def dsn(self, database: str) -> str:
        """Return the owner's address of *database*."""
        return self.cluster.dsn(database)

    def _order(self, order: str) -> None:
        with ThreadPoolExecutor(1) as aside:  # where Playwright's loop runs in ours
            aside.submit(asyncio.run, self._obeyed(order)).result()

    async def _obeyed(self, order: str) -> None:
        connection = await asyncpg.connect(self.dsn("postgres"))
        try:
            await connection.execute(order)
        finally:
            await connection.close()


def folder() -> tempfile.TemporaryDirectory[str]:
    """Return a short folder for a server, in memory where there is room, gone at the end."""
    roomy = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= ROOMY
    return tempfile.TemporaryDirectory(prefix="muster-test-", dir=MEMORY if roomy else None, ignore_cleanup_errors=True)
