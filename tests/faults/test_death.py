"""Backends killed, a Postgres that dies, a process that stands still: every answer once, nothing doubled, nothing lost."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg

from service.domain import commands as c
from service.embedded import postmaster
from service.settings import Settings
from service.store.db.migration import migrate
from service.store.db.pool import open_pool
from service.writer.writer import PATIENCE_S
from tests.faults.history import Clients, doubted, grown, harried, held_against_the_log
from tests.postgres import Server, folder
from tests.refold import audit
from tests.replica import NIGHT, Replica, eventually


async def test_killed_backends_under_load_cost_no_answer(
    settings: Settings, pool: asyncpg.Pool, owner: asyncpg.Connection
) -> None:
    """A4: pg_terminate_backend at any moment."""
    async with Replica(settings) as one, Replica(settings, "two") as two:
        await one.campaign()
        crowds = [Clients(one, "one"), Clients(two, "two")]
        kills = await harried(crowds, owner, "application_name IN ('writer', 'two')")
        retried = one.failures["db_unavailable"] + two.failures["db_unavailable"]
    crowds[0].told += crowds[1].told
    await held_against_the_log(crowds[0], pool)
    assert kills >= 5
    assert retried >= 3


async def test_a_postgres_that_dies_under_load_and_comes_back_has_all_that_was_promised() -> None:
    """A4, promise 5: immediate stop and start, twice; the service goes on by itself."""
    with folder() as place, Server(Path(place) / "postgres") as server:
        name = await asyncio.to_thread(server.create)
        dsn = server.dsn(name)
        await asyncio.to_thread(migrate, dsn)
        settings = Settings(dsn=dsn)
        async with Replica(settings, patience_s=1) as one:
            await one.campaign()
            clients = Clients(one)
            loading = asyncio.ensure_future(clients.work(8, 400))
            for deaths in (1, 2):
                await eventually(grown(clients, 150 * deaths))
                found = server.cluster.ready()
                assert found is not None
                os.kill(found.pid, signal.SIGQUIT)
                await eventually(gone(found.pid, server))
                await eventually(doubted(clients, 8 * deaths))
                await asyncio.to_thread(server.cluster.stop)
                await asyncio.to_thread(server.cluster.start)
            await loading
            async with await open_pool(settings, name="test") as pool:
                await held_against_the_log(clients, pool)
        assert len(clients.told) == 3200
        assert one.failures["db_unavailable"] >= 2
        assert all(told.refused or told.position for told in clients.told)


def gone(pid: int, server: Server) -> Callable[[], Awaitable[object]]:
    """Return the condition that a server has ended."""

    async def holds() -> bool:
        return not postmaster.serves(pid, server.cluster.folder)

    return holds


HOLDER = """
import asyncio, sys
from service.settings import Settings
from service.store.log import event_log
from service.store.db.pool import is_lost, open_connection

async def main():
    connection = await open_connection(Settings(dsn=sys.argv[1]), name="holder")
    await connection.execute("BEGIN")
    await connection.fetchval(event_log.QUERIES.lock, 0)
    print("locked", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    try:
        await connection.execute("COMMIT")
    except Exception as error:
        print("lost" if is_lost(error) else f"misjudged {error!r}", flush=True)
    else:
        print("committed", flush=True)

asyncio.run(main())
"""


async def test_a_stopped_process_that_holds_the_shard_is_cut_off_and_the_others_go_on(
    settings: Settings, pool: asyncpg.Pool, dsn: str
) -> None:
    """Session time-outs: SIGSTOP in the middle of a transaction; within the patience of the service."""
    async with Replica(settings, patience_s=PATIENCE_S) as one:
        await one.campaign()
        holder = await asyncio.create_subprocess_exec(
            sys.executable, "-c", HOLDER, dsn, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        assert holder.stdin is not None
        assert holder.stdout is not None
        assert await holder.stdout.readline() == b"locked\n"
        holder.send_signal(signal.SIGSTOP)
        await one.order(c.PauseCampaign(name=NIGHT))
        holder.send_signal(signal.SIGCONT)
        holder.stdin.write(b"go on\n")
        assert await holder.stdout.readline() == b"lost\n"
        await holder.wait()
        await one.order(c.ResumeCampaign(name=NIGHT))
    await audit(pool)
