"""A Postgres as an operator has it, with the roles and the database of the handbook."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self
from urllib.parse import quote

from service.embedded.os_user import os_user
from tests.postgres import Server, folder
from tests.service import Program, free_port

ROLES = Path(__file__).parents[1] / "ops/postgres/roles.sql"
OWNER, REPLICA = "an owner's, with ' and $", "a replica's, with \" and \\"
PASSWORDS = {"MUSTER_OWNER_PASSWORD": OWNER, "MUSTER_REPLICA_PASSWORD": REPLICA}
DATABASE = "production"


class Site:
    """A running Postgres with a superuser, and with our roles."""

    def __init__(self, server: Server) -> None:
        self.server = server
        found = server.cluster.ready()
        assert found is not None
        self.place = {"PGHOST": str(found.sockets), "PGPORT": str(found.port)}

    def run(self, program: str, *words: str, user: str = "muster", password: str | None = None, given: bytes = b"") -> bytes:
        """Run a program of Postgres to its good end."""
        secret = password or self.server.cluster.password.read_text(encoding="utf-8").strip()
        login = {**self.place, "PGUSER": user, "PGPASSWORD": secret, **PASSWORDS, "LC_ALL": "C", "PATH": os.environ["PATH"]}
        who = os_user()
        ended = subprocess.run(
            [self.server.binaries / program, *words], input=given, capture_output=True, env=login, cwd="/",
            user=who.uid, group=who.gid, extra_groups=who.groups, check=False, timeout=120,
        )  # fmt: skip
        assert ended.returncode == 0, ended.stderr.decode()
        return ended.stdout

    def muster(self, *words: str, user: str, password: str, database: str = DATABASE) -> Program:
        """Start a command of ours with the address of one of the roles, its password apart."""
        dsn = f"postgresql://{user}@/{database}?host={self.place['PGHOST']}&port={self.place['PGPORT']}"
        return Program(*words, MUSTER_DSN=dsn, PGPASSWORD=password, MUSTER_PORT=str(free_port()))

    def owner(self, *words: str, database: str = DATABASE) -> str:
        """Return what a command of the owner prints, once it has ended well."""
        with self.muster(*words, user="muster_owner", password=OWNER, database=database) as program:
            printed = program.printed()
        assert program.process.returncode == 0, printed
        return printed

    def dsn(self, user: str, password: str, database: str = DATABASE) -> str:
        """Return the address of *database* for one of the roles."""
        login = f"{user}:{quote(password, safe='')}"
        return f"postgresql://{login}@/{database}?host={self.place['PGHOST']}&port={self.place['PGPORT']}"

    @classmethod
    @contextmanager
    def prepared(cls) -> Iterator[Self]:
        """Run a server of its own, for roles are the whole cluster's, until the end."""
        with folder() as place, Server(Path(place) / "postgres") as server:
            site = cls(server)
            site.run("psql", "--set", "ON_ERROR_STOP=1", "--set", f"database={DATABASE}", "postgres", given=ROLES.read_bytes())
            yield site
