"""What ops/README.md tells an operator of Postgres: the roles, a replica's rights, a backup, and a restore that is proved."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from service.embedded.account import account
from tests.postgres import Server, folder
from tests.service import Program, free_port

ROLES = Path(__file__).parents[2] / "ops/postgres/roles.sql"
OWNER, REPLICA = "an owner's, with ' and $", "a replica's, with \" and \\"
PASSWORDS = {"MUSTER_OWNER_PASSWORD": OWNER, "MUSTER_REPLICA_PASSWORD": REPLICA}
DATABASE = "production"


class Site:
    """A Postgres as an operator has it: a superuser, and no roles of ours."""

    def __init__(self, server: Server) -> None:
        self.server = server
        found = server.cluster.ready()
        assert found is not None
        self.place = {"PGHOST": str(found.sockets), "PGPORT": str(found.port)}

    def run(self, program: str, *words: str, user: str = "muster", password: str | None = None, given: bytes = b"") -> bytes:
        """Run a program of Postgres to its good end."""
        secret = password or self.server.cluster.password.read_text(encoding="utf-8").strip()
        login = {**self.place, "PGUSER": user, "PGPASSWORD": secret, **PASSWORDS, "LC_ALL": "C", "PATH": os.environ["PATH"]}
        who = account()
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


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A server of its own: roles are the whole cluster's."""
    with folder() as place, Server(Path(place) / "postgres") as server:
        site = Site(server)
        site.run("psql", "--set", "ON_ERROR_STOP=1", "--set", f"database={DATABASE}", "postgres", given=ROLES.read_bytes())
        yield site


def work(url: str) -> None:
    """Let a campaign run: units done, failed, held and waiting."""
    with httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
        units = [{"key": f"u{number}", "payload": {"n": number}} for number in range(40)]
        assert client.post("/v1/campaigns", json={"name": "night", "units": units}).status_code == 201
        claims = client.post("/v1/claims", json={"worker": "w", "max": 30}).json()["claims"]
        assert len(claims) >= 2
        assert client.get("/readyz").is_success


def test_a_restored_database_is_proved_and_served_with_the_roles_of_the_handbook(site: Site) -> None:
    """An owner without CREATEROLE migrates; a replica that owns nothing serves; a dump comes back and is what the log says."""
    assert "The schema is at" in site.owner("migrate")
    with site.muster("serve", user="muster_replica", password=REPLICA) as program:
        work(program.url())
        dump = site.run("pg_dump", "--format=custom", DATABASE, user="muster_owner", password=OWNER)
        program.stop(signal.SIGTERM)
    site.run("createdb", "--owner=muster_owner", "--template=template0", "restored")
    words = ("--exit-on-error", "--single-transaction", "--dbname=restored")
    site.run("pg_restore", *words, user="muster_owner", password=OWNER, given=dump)
    site.owner("verify", database="restored")
    assert "equal, row for row" in site.owner("rebuild", "--check", database="restored")
    with site.muster("serve", user="muster_replica", password=REPLICA, database="restored") as program:
        assert httpx.get(f"{program.url()}/v1/campaigns/night", trust_env=False).json()["name"] == "night"
