"""A primary that is lost and a standby that is promoted: the service goes on by itself, with every promise that can be kept."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import monotonic
from urllib.parse import urlsplit

import asyncpg
import pytest

from projections import projector as projecting
from projections import store
from projections.measures.process import Process
from projections.projector import Projector
from projections.verify import verify
from service.domain import commands as c
from service.domain import ids
from service.domain.rejections import ProjectionLagging, WriteUnavailable
from service.loops.leader import Leader
from service.settings import Settings
from service.store.db.pool import CONNECT_TIMEOUT_S, HEAD_START_S, LOST, open_pool
from service.store.db.schema import require_head
from tests.faults.bouncer import Bouncer
from tests.faults.history import Clients, Told, grown, held_against_the_log
from tests.faults.pair import Pair
from tests.postgres import folder
from tests.refold import audit, events
from tests.replica import NIGHT, Replica, eventually

WITHIN_S = CONNECT_TIMEOUT_S
"""Nobody has waited for an attempt to connect that is given up."""
BEAT = c.BeatWorker(worker=ids.WorkerId("w"))


def cut_off(one: Replica) -> Callable[[], Awaitable[object]]:
    """Return the condition that the Writer has noticed a loss: no answer of before it is still on its way."""

    async def holds() -> bool:
        return one.writer._connection is None

    return holds


async def loss_under_load(pair: Pair, clients: Clients) -> list[Told]:
    """Lose the primary and promote the standby while *clients* work; return what was acknowledged before."""
    await pair.lose_primary()
    await eventually(cut_off(clients.replica))
    before = [told for told in clients.told if told.position is not None]
    await pair.promote()
    begun = monotonic()
    await eventually(grown(clients, len(clients.told) + 100))
    assert monotonic() - begun < WITHIN_S
    return before


async def test_after_a_promotion_all_is_there_but_what_was_never_replicated() -> None:
    """A4, promise 5, asynchronous: the end of the log may be lost, and nothing else; what came after it is there exactly once."""
    async with Pair.streaming() as pair:
        settings = Settings(dsn=pair.dsn)
        async with Replica(settings) as one:
            await one.campaign()
            clients = Clients(one)
            loading = asyncio.ensure_future(clients.work(8, 100_000))
            await eventually(grown(clients, 200))
            pair.line.deaf = True
            await eventually(grown(clients, 400))
            before = await loss_under_load(pair, clients)
            clients.tired = True
            await loading
        async with await open_pool(settings, name="test") as pool:
            async with pool.acquire() as connection:
                there = {event.actor for event in await events(connection)}
            lost = [told for told in before if told.name not in there]
            kept = [told for told in before if told.name in there]
            clients.told = [told for told in clients.told if told not in lost]
            await held_against_the_log(clients, pool)
    assert len(kept) >= 100
    assert len(lost) >= 100
    assert max(told.position or 0 for told in kept) < min(told.position or 0 for told in lost)


async def test_after_a_promotion_nothing_acknowledged_is_lost_where_a_standby_has_to_confirm() -> None:
    """A4, promise 5, synchronous: the answer to a commit that waited for the standby is found out from the standby."""
    async with Pair.streaming() as pair:
        for order in ("ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()"):
            await pair.order(pair.primary, order)

        async def waits() -> object:
            return await pair.order(pair.primary, "SELECT true FROM pg_stat_activity WHERE wait_event = 'SyncRep'")

        settings = Settings(dsn=pair.dsn)
        async with Replica(settings) as one:
            await one.campaign()
            clients = Clients(one, keyed=False)
            loading = asyncio.ensure_future(clients.work(8, 100_000))
            await eventually(grown(clients, 200))
            pair.line.deaf = True
            await eventually(waits)
            before = await loss_under_load(pair, clients)
            clients.tired = True
            await loading
        async with await open_pool(settings, name="test") as pool:
            await held_against_the_log(clients, pool)
    assert len(before) >= 100


@pytest.mark.parametrize("folded", [True, False])
async def test_the_views_hold_nothing_of_what_was_lost(monkeypatch: pytest.MonkeyPatch, folded: bool) -> None:
    """Promise 3, A5, A6: neither what was folded of the lost end of the log, nor what waited in memory to be."""
    monkeypatch.setattr(projecting, "PAUSE_S", 60.0)  # what is committed waits until somebody asks for it
    async with Pair.streaming() as pair:
        settings = Settings(dsn=pair.dsn)
        async with await open_pool(settings, name="test") as pool, Replica(settings) as one:
            leader, follower = (Projector(pool, Process()) for _ in range(2))
            one.writer._committed = leader.committed
            leading = asyncio.create_task(leader.run())
            await one.submit(BEAT)
            head = (await one.submit(BEAT)).position
            await leader.at_least(head)
            await eventually(pair.caught_up)
            pair.line.deaf = True
            lost = [(await one.submit(BEAT)).position for _ in range(4)][-1]
            if folded:
                await leader.at_least(lost)
                await follower.at_least(lost)
            await pair.lose_primary()
            await pair.promote()
            with pytest.raises(ProjectionLagging):
                await leader.at_least(lost + 1, patience_s=0.3)
            assert (await store.live(pool, 0)).position == head
            now = [(await one.submit(BEAT)).position for _ in range(2)][-1]
            await leader.at_least(now)
            await follower.at_least(now)
            leading.cancel()
            await asyncio.wait([leading])
        assert follower.position == now < lost
        assert [finding.line() for finding in await verify(pair.standby.dsn(pair.name)) if finding.detail] == []


async def test_a_silent_lost_host_does_not_block_startup() -> None:
    """Promise 5: whoever is named after it is asked too, soon enough for the leader's lease."""
    async with Pair.streaming() as pair:
        login, port = urlsplit(pair.line.dsn).netloc.split("@127.0.0.1:")
        place = f"host=127.0.0.1,{pair.standby.folder}&port={port},5432&sslmode=disable"
        settings = Settings(dsn=f"postgresql://{login}@/{pair.name}?{place}")
        pair.line.deaf = True
        await pair.promote()
        await require_head(settings.dsn, patience_s=0)
        async with Replica(settings) as one, await open_pool(settings) as pool:
            leader = Leader(pool, "one", 30, [])
            await asyncio.wait_for(one.submit(BEAT), CONNECT_TIMEOUT_S / 2)
            assert await leader._attempt() is not None
    assert Settings().leader_lease_s / 12 > HEAD_START_S, "a host in turn, and half of what the leader waits is left"


async def test_behind_a_pooler_the_service_returns_when_a_standby_takes_over() -> None:
    """Promise 5: 503 while there is none, and while it is a standby; what the pooler said of it then is not believed."""
    with folder() as place:
        async with Pair.streaming() as pair, Bouncer(Path(place), pair.primary.dsn(pair.name)) as bouncer:
            settings = Settings(dsn=bouncer.dsn, direct_dsn=pair.dsn)
            async with Replica(settings, patience_s=1) as one:
                await one.campaign()
                await eventually(pair.caught_up)
                await pair.lose_primary()
                with pytest.raises(WriteUnavailable):
                    await one.submit(BEAT)
                bouncer.lead(pair.standby.dsn(pair.name))
                await eventually(leads(bouncer, "standby"))
                with pytest.raises(WriteUnavailable):
                    await one.submit(BEAT)
                await pair.promote()
                await asyncio.wait_for(Clients(one).work(1, 3), WITHIN_S)
            assert one.failures["other"] == 0


async def test_a_writer_uses_nothing_that_it_remembers_of_a_lost_end_of_the_log() -> None:
    """A4, A5: its connection goes on behind one address, and the log that is left ends at the same position again."""
    with folder() as place:
        async with Pair.streaming() as pair, Bouncer(Path(place), pair.primary.dsn(pair.name)) as bouncer:
            settings = Settings(dsn=bouncer.dsn, direct_dsn=pair.dsn)
            async with Replica(settings) as one, Replica(settings) as two:
                await one.campaign()
                await two.submit(BEAT)
                await eventually(pair.caught_up)
                pair.line.deaf = True
                lost = await one.submit(c.PauseCampaign(name=NIGHT))
                await pair.lose_primary()
                await pair.promote()
                bouncer.lead(pair.standby.dsn(pair.name))
                await eventually(leads(bouncer, "standby"))
                other = await two.submit(BEAT)
                again = await one.submit(c.PauseCampaign(name=NIGHT))
                assert other.position == lost.position
                assert again.position == lost.position + 1
                assert (len(one.connections), one.failures.total()) == (1, 0)
            async with await open_pool(settings, name="test") as pool:
                state = await audit(pool)
    assert state.campaigns[NIGHT].paused_at is not None


def leads(bouncer: Bouncer, folder: str) -> Callable[[], Awaitable[object]]:
    """Return the condition that a pooler leads to the Postgres of *folder*."""

    async def holds() -> bool:
        try:
            connection = await asyncpg.connect(bouncer.dsn, statement_cache_size=0)
            found = await connection.fetchval("SELECT current_setting('data_directory')")
            await connection.close()
        except LOST:
            return False
        return Path(found).name == folder

    return holds
