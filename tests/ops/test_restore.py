"""What ops/README.md tells an operator of Postgres: the roles, a replica's rights, a backup, and a restore that is proved."""

import signal
from collections.abc import Iterator

import httpx
import pytest

from tests.patience import PATIENCE_S
from tests.production import DATABASE, OWNER, REPLICA, Site
from tests.service import get


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A server of its own: roles are the whole cluster's."""
    with Site.prepared() as site:
        yield site


def work(url: str) -> None:
    """Let a campaign run: units done, failed, held and waiting."""
    with httpx.Client(base_url=url, trust_env=False, timeout=PATIENCE_S) as client:
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
        assert get(f"{program.url()}/v1/campaigns/night").json()["name"] == "night"
