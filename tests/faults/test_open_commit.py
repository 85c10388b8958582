"""A commit of unknown outcome, and a question about it that fails: nothing is decided before the answer, nothing twice."""

import asyncio
import struct
from collections.abc import AsyncIterator
from time import monotonic

import asyncpg
import pytest

from projections.verify import verify
from service.domain import commands as c
from service.domain.rejections import WriteUnavailable
from service.settings import Settings
from service.store.db.pool import COMMAND_TIMEOUT_S
from service.store.log import event_log
from service.writer.batch import Batch
from service.writer.writer import Writer
from tests.faults.history import Clients, held_against_the_log
from tests.faults.proxy import Line
from tests.faults.question import STATEMENTS, Disturbance
from tests.postgres import Server
from tests.refold import audit, events, kinds
from tests.replica import NIGHT, Replica, eventually

ROUNDS = 4
SQLSTATES = ("57014", "57P01", "57P05", "53300", "58030", "25P04", "42501", "XX000")
"""A cancelled statement, two ways for a backend to end, no connection left, a failing disk, a transaction that takes too long,
a missing right, a bug of Postgres."""


@pytest.fixture
async def line(dsn: str) -> AsyncIterator[Line]:
    """A line to this test's database."""
    async with Line(dsn) as line:
        yield line


@pytest.mark.parametrize("sqlstate", SQLSTATES)
@pytest.mark.parametrize("statement", STATEMENTS)
async def test_a_question_about_a_commit_that_fails_is_asked_again(
    line: Line, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch, statement: str, sqlstate: str
) -> None:
    """A4: whatever Postgres answers to any statement of it, twice in a row; nothing is decided before the answer."""
    disturbance = Disturbance(monkeypatch, statement, sqlstate)
    async with Replica(Settings(dsn=line.dsn), patience_s=60) as one:
        await one.campaign()
        clients = Clients(one, keyed=False)
        for _ in range(ROUNDS):
            disturbance.armed = 2
            line.faults.append("after_commit")
            await clients.work(8, 3)
            assert disturbance.armed == 0
        assert one.failures == {}
    await held_against_the_log(clients, pool)
    assert not any(told.doubts for told in clients.told)
    assert disturbance.verdicts == [True] * ROUNDS


async def test_an_open_commit_is_queried_until_the_database_accepts_connections(
    line: Line, pool: asyncpg.Pool, postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A4: SQLSTATE 55000, which speaks of no lost connection, when a connection for the question is opened."""
    refused = 0
    connect = Replica._connect

    async def counted(replica: Replica) -> asyncpg.Connection:
        nonlocal refused
        try:
            return await connect(replica)
        except asyncpg.ObjectNotInPrerequisiteStateError:
            refused += 1
            if refused == 3:
                await aside.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
            raise

    monkeypatch.setattr(Replica, "_connect", counted)
    name = await pool.fetchval("SELECT current_database()")
    aside = await asyncpg.connect(postgres.dsn("postgres"))
    async with Replica(Settings(dsn=line.dsn), patience_s=60) as one:
        clients = Clients(one, keyed=False)
        await clients.work(1, 1)
        await aside.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        line.faults.append("after_commit")
        await clients.work(8, 3)
    await aside.close()
    await held_against_the_log(clients, pool)
    assert refused == 3
    assert not any(told.doubts for told in clients.told)


def said(sqlstate: str) -> bytes:
    """Return an error and the end of a statement as Postgres or a pooler says them."""
    fields = b"SFATAL\0VFATAL\0C" + sqlstate.encode() + b"\0Mthe server is gone\0\0"
    return b"E" + struct.pack("!i", 4 + len(fields)) + fields + b"Z" + struct.pack("!i", 5) + b"I"


@pytest.mark.parametrize("sqlstate", SQLSTATES)
async def test_a_commit_that_an_error_answered_is_asked_about(line: Line, pool: asyncpg.Pool, sqlstate: str) -> None:
    """A4: Postgres has committed, and what stands between says an error in its place."""
    line.instead = said(sqlstate)
    async with Replica(Settings(dsn=line.dsn)) as one:
        await one.campaign()
        clients = Clients(one, keyed=False)
        for _ in range(ROUNDS):
            line.faults.append("after_commit")
            await clients.work(8, 3)
        assert one.failures == {}
    await held_against_the_log(clients, pool)
    assert line.reached["after_commit"] == ROUNDS
    assert not any(told.doubts for told in clients.told)


async def test_a_commit_that_failed_is_decided_again_when_the_log_says_so(
    line: Line, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A4: the other answer, after a question that was cancelled."""
    disturbance = Disturbance(monkeypatch, "causation", "57014")
    async with Replica(Settings(dsn=line.dsn)) as one:
        clients = Clients(one, keyed=False)
        for _ in range(ROUNDS):
            disturbance.armed = 1
            line.faults.append("before_commit")
            await clients.work(8, 3)
        assert one.failures == {"db_unavailable": ROUNDS}
    await held_against_the_log(clients, pool)
    assert disturbance.verdicts == [False] * ROUNDS
    assert not any(told.doubts for told in clients.told)


async def test_a_writer_that_decides_again_after_a_failed_question_is_found_out(
    line: Line, dsn: str, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The checkers themselves are tested: the clients' history against the log, and the log alone (A4)."""

    async def asked_once(writer: Writer, batch: Batch) -> bool:
        return await batch.happened(await writer._connected())

    monkeypatch.setattr(Writer, "_happened", asked_once)
    disturbance = Disturbance(monkeypatch, "lock", "57014")
    async with Replica(Settings(dsn=line.dsn)) as one:
        await one.campaign()
        clients = Clients(one, keyed=False)
        disturbance.armed = 1
        line.faults.append("after_commit")
        await clients.work(8, 3)
    assert disturbance.armed == 0
    with pytest.raises(AssertionError):
        await audit(pool)
    async with pool.acquire() as connection:
        recorded = await events(connection)
    with pytest.raises(AssertionError):
        clients.check(recorded)
    findings = {finding.invariant: finding.detail for finding in await verify(dsn)}
    assert "is recorded at position" in (findings["A4"] or "")


async def test_a_writer_that_ends_while_the_outcome_is_open_says_so_at_once_and_decides_nothing(
    line: Line, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A4: 503, and the same key finds the answer, once; the end does not wait for a silent line."""
    asked = asyncio.Event()
    fetchval = asyncpg.Connection.fetchval

    async def unheard(connection: asyncpg.Connection, query: str, *args: object) -> object:
        if line.reached["after_commit"]:
            line.deaf = True
            asked.set()
        return await fetchval(connection, query, *args)

    monkeypatch.setattr(asyncpg.Connection, "fetchval", unheard)
    pause = c.PauseCampaign(name=NIGHT)
    async with Replica(Settings(dsn=line.dsn), patience_s=60) as one:
        await one.campaign()
        line.faults.append("after_commit")
        asking = asyncio.create_task(one.submit(pause, key="k", digest=b"1"))
        await asked.wait()
        waiting = asyncio.create_task(one.submit(c.ResumeCampaign(name=NIGHT)))
        await asyncio.sleep(0)
        begun = monotonic()
    assert monotonic() - begun < COMMAND_TIMEOUT_S / 2
    for task in (asking, waiting):
        with pytest.raises(WriteUnavailable, match="stopping"):
            await task
    line.cut()
    line.deaf = False
    monkeypatch.undo()
    assert await kinds(pool, "campaign.") == ["campaign.created", "campaign.paused"]
    async with Replica(Settings(dsn=line.dsn)) as two:
        assert (await two.submit(pause, key="k", digest=b"1")).replayed
    assert await kinds(pool, "campaign.") == ["campaign.created", "campaign.paused"]


async def test_while_the_outcome_is_open_the_others_are_refused_and_forgotten(
    line: Line, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A4, A13: nobody waits for ever, nothing piles up, and what was refused is never decided."""
    happened = Batch.happened

    async def away(batch: Batch, connection: event_log.Connection) -> bool:
        line.away = True
        line.cut()
        return await happened(batch, connection)

    monkeypatch.setattr(Batch, "happened", away)
    async with Replica(Settings(dsn=line.dsn), patience_s=0.2) as one:
        clients = Clients(one, resolve=False, keyed=False)
        await clients.work(1, 1)
        line.faults.append("after_commit")
        await clients.work(8, 10)
        assert sum(told.doubts for told in clients.told) == 80

        async def forgotten() -> bool:
            return not one.writer._waiting

        await eventually(forgotten)
        monkeypatch.undo()
        line.away = False
        await clients.work(4, 3)
    await held_against_the_log(clients, pool)
    there = {event.actor for event in one.committed}
    assert len([told for told in clients.told if told.doubts and told.name in there]) <= 8
