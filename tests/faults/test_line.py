"""The Writer on a line that breaks, and on a Postgres that dies: every answer once, nothing doubled, nothing lost."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from time import monotonic

import asyncpg
import pytest

from service.domain import commands as c
from service.domain.rejections import WriteUnavailable
from service.loops.leader import Leader
from service.settings import Settings
from service.store.db.pool import COMMAND_TIMEOUT_S, open_pool
from service.store.log import event_log
from service.writer.batch import Batch
from tests.faults.history import Clients, doubted, grown, held_against_the_log
from tests.faults.proxy import Fault, Line
from tests.patience import PATIENCE_S
from tests.refold import audit, events
from tests.replica import NIGHT, Replica, eventually

ROUNDS = 8
LEASE_S = 4.5
"""A sixth of it is what a query of the leader may take."""


@pytest.fixture
async def line(dsn: str) -> AsyncIterator[Line]:
    """A line to this test's database."""
    async with Line(dsn) as line:
        yield line


@pytest.fixture
def verdicts(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """What the Writer found out about each commit of unknown outcome."""
    found: list[bool] = []
    happened = Batch.happened

    async def spied(batch: Batch, connection: event_log.Connection) -> bool:
        found.append(await happened(batch, connection))
        return found[-1]

    monkeypatch.setattr(Batch, "happened", spied)
    return found


@pytest.mark.parametrize("fault", ["before_commit", "after_commit", "before_query"])
async def test_a_line_cut_around_a_commit_gives_every_answer_once(
    line: Line, pool: asyncpg.Pool, verdicts: list[bool], fault: Fault
) -> None:
    """A4: an ambiguous commit is resolved exactly, and nobody but the Writer notices."""
    async with Replica(Settings(dsn=line.dsn)) as one:
        await one.campaign()
        clients = Clients(one, keyed=False)
        for _ in range(ROUNDS):
            line.faults.append(fault)
            await clients.work(8, 3)
            assert line.faults == []
        opened = len(one.connections)
    await held_against_the_log(clients, pool)
    assert not any(told.doubts for told in clients.told)
    assert line.reached[fault] == ROUNDS < opened
    assert one.failures["db_unavailable"] == (0 if fault == "after_commit" else ROUNDS)
    assert verdicts == {"before_commit": [False], "after_commit": [True], "before_query": []}[fault] * ROUNDS


@pytest.mark.parametrize(("fault", "verdict"), [("after_commit", False), ("before_commit", True)])
async def test_a_writer_that_guesses_is_found_out(
    line: Line, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch, fault: Fault, verdict: bool
) -> None:
    """The checker itself is tested: a retry that doubles, an answer without a commit."""

    async def guessed(_batch: Batch, _connection: event_log.Connection) -> bool:
        return verdict

    monkeypatch.setattr(Batch, "happened", guessed)
    async with Replica(Settings(dsn=line.dsn)) as one:
        clients = Clients(one, keyed=False)
        line.faults.append(fault)
        await clients.work(8, 3)
    assert line.reached[fault] == 1
    with pytest.raises(AssertionError):
        await held_against_the_log(clients, pool)


async def test_an_outage_of_the_database_and_its_end_are_logged_once(line: Line, caplog: pytest.LogCaptureFixture) -> None:
    """Promise 5: whoever reads the log learns what changed, not how often it was tried."""
    async with Replica(Settings(dsn=line.dsn), patience_s=1) as one:
        await one.campaign()
        for times in (1, 2):
            line.away = True
            line.cut()
            for _ in range(2):
                with pytest.raises(WriteUnavailable):
                    await one.order(c.PauseCampaign(name=NIGHT))
            line.away = False
            await one.order(c.PauseCampaign(name=NIGHT))
            lines = [record.getMessage().partition(":")[0] for record in caplog.records]
            assert lines == ["the database is away", "the database is back"] * times
    assert one.failures["db_unavailable"] > 8


async def test_a_commit_without_events_whose_answer_is_lost_is_answered_too(line: Line, pool: asyncpg.Pool) -> None:
    """A4: it changed nothing but its key, and is told as a repetition."""
    async with Replica(Settings(dsn=line.dsn)) as one:
        await one.campaign()
        await one.order(c.PauseCampaign(name=NIGHT))
        line.faults.append("after_commit")
        answer = await one.submit(c.PauseCampaign(name=NIGHT), key="k", digest=b"1")
    assert line.reached["after_commit"] == 1
    assert answer.position == 2
    await audit(pool)


async def test_on_a_silent_line_everybody_is_refused_in_time_and_asking_again_gives_one_outcome(
    line: Line, pool: asyncpg.Pool
) -> None:
    """A4, promise 5: 503, and the service returns by itself."""
    async with Replica(Settings(dsn=line.dsn)) as patient:
        await patient.campaign()
    patience_s = 1.5
    async with Replica(Settings(dsn=line.dsn), patience_s=patience_s) as one:
        clients = Clients(one, resolve=False)
        for _ in range(3):
            before = sum(told.doubts for told in clients.told)
            loading = asyncio.ensure_future(clients.work(8, 1000))
            await eventually(grown(clients, len(clients.told) + 30))
            line.deaf = True
            begun = monotonic()
            await eventually(doubted(clients, before + 8))
            assert patience_s <= monotonic() - begun < COMMAND_TIMEOUT_S
            loading.cancel()
            await asyncio.wait([loading])
            line.cut()
            line.deaf = False
        doubtful = [told for told in clients.told if told.position is None and not told.refused]
        async with pool.acquire() as connection:
            clients.check(await events(connection))
        again = Clients(one)
        for told in doubtful:
            again.told.append(told)
            await again.ask(told)
    assert sum(told.doubts for told in clients.told) >= 8
    await held_against_the_log(clients, pool)


async def test_a_leader_on_a_silent_line_steps_down_before_another_takes_over(line: Line, pool: asyncpg.Pool) -> None:
    """Work that must happen once: its own clock tells it, nobody else can."""
    doing = asyncio.Event()

    async def duty(_heard_since: Callable[[], datetime]) -> None:
        doing.set()
        try:
            await asyncio.Event().wait()
        finally:
            doing.clear()

    async def over() -> bool:
        return not doing.is_set()

    far = await open_pool(Settings(dsn=line.dsn), name="far")
    leader, near = Leader(far, "far", LEASE_S, [duty]), Leader(pool, "near", LEASE_S, [])
    leading = asyncio.create_task(leader.run())
    try:
        await asyncio.wait_for(doing.wait(), PATIENCE_S)
        line.deaf = True
        await eventually(over, LEASE_S)
        assert not leader.leads
        assert await near._attempt() is None
        line.cut()
        line.deaf = False
        await asyncio.wait_for(doing.wait(), PATIENCE_S)
    finally:
        line.deaf = False
        leading.cancel()
        await asyncio.wait([leading])
        far.terminate()


async def test_with_the_line_down_a_request_is_refused_when_its_patience_ends(line: Line) -> None:
    """Promise 5: not sooner, not much later."""
    patience_s = 2
    async with Replica(Settings(dsn=line.dsn), patience_s=patience_s) as one:
        await one.campaign()
        line.faults = ["before_query"] * 1000
        begun = monotonic()
        with pytest.raises(WriteUnavailable, match="the database is away"):
            await one.order(c.PauseCampaign(name=NIGHT))
        assert patience_s <= monotonic() - begun < 2 * patience_s
        assert line.reached["before_query"] >= 2
        line.faults.clear()
        await one.order(c.PauseCampaign(name=NIGHT))


async def test_on_a_silent_line_a_request_is_refused_after_twice_its_patience(line: Line) -> None:
    """Promise 5: also when the database takes the question and never answers."""
    patience_s = 1
    async with Replica(Settings(dsn=line.dsn), patience_s=patience_s) as one:
        await one.campaign()
        line.deaf = True
        begun = monotonic()
        with pytest.raises(WriteUnavailable, match="takes too long"):
            await one.order(c.PauseCampaign(name=NIGHT))
        assert 2 * patience_s <= monotonic() - begun < COMMAND_TIMEOUT_S
        line.deaf = False
