"""A pgbouncer in transaction mode before Postgres: where Muster is told so, everything works; where it is not, nothing starts."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from projections.verify import verify
from service.domain import commands as c
from service.domain import ids
from service.replica import Replica as Whole
from service.settings import SettingRefused, Settings
from service.store.db.pool import open_pool, require_sessions
from tests.faults.bouncer import Bouncer
from tests.faults.history import Clients, harried, held_against_the_log
from tests.patience import PATIENCE_S
from tests.postgres import folder
from tests.production import DATABASE, REPLICA, Site
from tests.replica import Replica, eventually
from tests.service import Program, free_port, get

BEAT = c.BeatWorker(worker=ids.WorkerId("w"))


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A Postgres with the roles of the handbook, at the head of the schema."""
    with Site.prepared() as site:
        site.owner("migrate")
        yield site


@pytest.fixture
async def bouncer(site: Site) -> AsyncIterator[Bouncer]:
    """A pooler that knows one database, with fewer connections to it than are asked for."""
    with folder() as place:
        async with Bouncer(Path(place), site.dsn("muster_replica", REPLICA)) as bouncer:
            yield bouncer


@pytest.fixture
def settings(site: Site, bouncer: Bouncer) -> Settings:
    """The settings of a replica behind the pooler."""
    return Settings(dsn=bouncer.dsn, direct_dsn=site.dsn("muster_replica", REPLICA))


def asked(whole: Whole, name: str) -> Clients:
    """Return clients of a replica."""
    replica = Replica(Settings(), name)
    replica.writer = whole.writer
    return Clients(replica, name)


def rung(heard: list[Whole], whole: Whole) -> Callable[[], Awaitable[object]]:
    """Return the condition that a replica has heard of another's commit."""

    async def holds() -> bool:
        return whole in heard

    return holds


async def test_two_replicas_behind_a_pooler_lose_nothing_when_its_connections_are_killed(
    site: Site, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A1, A4, A5, A6, promise 5: they write, lead, fold and listen as they do without one."""
    await require_sessions(settings)
    heard: list[Whole] = []
    wake = Whole._heard

    def hear(whole: Whole) -> None:
        heard.append(whole)
        wake(whole)

    monkeypatch.setattr(Whole, "_heard", hear)
    one, two = Whole(settings), Whole(settings)

    async def led() -> bool:
        return one.leader.leads != two.leader.leads

    async def listening() -> object:
        idle = "application_name = 'muster notices' AND state = 'idle'"
        return await owner.fetchval(f"SELECT count(*) = 2 FROM pg_stat_activity WHERE {idle}")

    owner = await asyncpg.connect(site.server.dsn(DATABASE))
    async with one.running(), two.running():
        crowds = [asked(one, "one"), asked(two, "two")]
        kills = await harried(crowds, owner, "usename = 'muster_replica'")
        await eventually(led)
        await eventually(listening)
        for whole, other in ((one, two), (two, one)):
            heard.clear()
            latest = await asked(whole, "last").replica.submit(BEAT)
            await other.projector.at_least(latest.position, patience_s=PATIENCE_S)
            await eventually(rung(heard, other))
    crowds[0].told += crowds[1].told
    async with await open_pool(settings.direct, name="test") as pool:
        await held_against_the_log(crowds[0], pool)
    assert [finding.line() for finding in await verify(site.server.dsn(DATABASE)) if finding.detail] == []
    await owner.close()
    assert kills >= 10


async def test_behind_a_pooler_that_it_was_not_told_of_muster_does_not_start(site: Site, bouncer: Bouncer) -> None:
    """Nothing that a session holds would last: neither the time-outs, nor LISTEN, nor a prepared statement."""
    with pytest.raises(SettingRefused, match=r"MUSTER_DSN=.*MUSTER_DIRECT_DSN"):
        await require_sessions(Settings(dsn=bouncer.dsn))
    with pytest.raises(SettingRefused, match=r"MUSTER_DIRECT_DSN=.*an address of Postgres itself"):
        await require_sessions(Settings(dsn=bouncer.dsn, direct_dsn=bouncer.dsn))
    await require_sessions(Settings(dsn=site.dsn("muster_replica", REPLICA)))


async def test_behind_a_pooler_a_role_without_our_time_outs_is_refused(site: Site) -> None:
    """One stopped process would hold its shard for ever."""
    settings = Settings(dsn=site.server.dsn(DATABASE), direct_dsn=site.server.dsn(DATABASE))
    with pytest.raises(SettingRefused, match=r"role = 'muster_service', .*lock_timeout = '2s'"):
        await require_sessions(settings)


def test_a_replica_starts_behind_a_pooler_when_it_was_told_so(site: Site, bouncer: Bouncer) -> None:
    """The program refuses in a line, or is ready."""
    with Program("serve", MUSTER_DSN=bouncer.dsn, MUSTER_PORT=str(free_port())) as program:
        assert "MUSTER_DIRECT_DSN" in program.printed()
    assert program.process.returncode == 1
    direct = site.dsn("muster_replica", REPLICA)
    with Program("serve", MUSTER_DSN=bouncer.dsn, MUSTER_DIRECT_DSN=direct, MUSTER_PORT=str(free_port())) as program:
        assert get(f"{program.url()}/readyz").is_success
