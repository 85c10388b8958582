"""A Postgres for the tests: the embedded 18 or Debian's 15, one server a run, one database a test."""

import itertools
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Self

from service.embedded.cluster import Cluster, embedded_binaries

VERSION = os.environ.get("MUSTER_TEST_POSTGRES", "18")
BINARIES = {"18": embedded_binaries(), "15": Path("/usr/lib/postgresql/15/bin")}
QUICK = {
    "fsync": "off",  # only here: a test's database is thrown away
    "full_page_writes": "off",
    "shared_buffers": "128MB",
    "max_connections": "200",
    "max_wal_size": "1GB",
}


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
        self._run("createdb", "--template", template, name)
        return name

    def drop(self, name: str) -> None:
        """Drop the database *name* with whoever is still connected."""
        self._run("dropdb", "--force", name)

    def dsn(self, database: str) -> str:
        """Return the owner's address of *database*."""
        return self.cluster.dsn(database)

    def _run(self, program: str, *words: str) -> None:
        found = self.cluster.ready()
        assert found is not None, f"the server ended; see {self.cluster.log}"
        login = {
            "PGHOST": str(found.sockets),
            "PGPORT": str(found.port),
            "PGUSER": "muster",
            "PGPASSWORD": self.cluster.password.read_text(encoding="utf-8"),
        }
        subprocess.run([str(self.binaries / program), *words], check=True, env=login)


def folder() -> tempfile.TemporaryDirectory[str]:
    """Return a short folder for a server, gone at the end."""
    return tempfile.TemporaryDirectory(prefix="muster-test-", ignore_cleanup_errors=True)
