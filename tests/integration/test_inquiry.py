"""Investigations, recovery plans and exports on a real Postgres: through the Writer, and by the watcher's clock."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest

from projections.rebuild import check
from service.bell import Bell
from service.domain import commands as c
from service.domain import events as e
from service.domain import ids
from service.domain.rejections import Conflict, NotFound, Rejection
from service.loops.watcher import Watcher
from service.settings import Settings
from service.store import log
from tests.fleet import rebuilt
from tests.refold import audit, events
from tests.replica import NIGHT, Replica, eventually, lapsed, units

WORKER = ids.WorkerId("w")


@pytest.fixture
async def replica(settings: Settings) -> AsyncIterator[Replica]:
    """A replica."""
    async with Replica(settings) as replica:
        yield replica


@pytest.fixture
def watcher(pool: asyncpg.Pool, replica: Replica) -> Watcher:
    """A watcher that looks when it is told to."""
    return Watcher(pool, replica.writer, Bell(), tick_s=5)


async def now(pool: asyncpg.Pool) -> datetime:
    """Return the database's time."""
    at: datetime = await pool.fetchval(log.QUERIES.now)
    return at


async def kinds(pool: asyncpg.Pool, *prefixes: str) -> list[str]:
    """Return the kinds of the log's events that begin so, in order."""
    async with pool.acquire() as connection:
        return [event.body.kind for event in await events(connection) if event.body.kind.startswith(prefixes)]


async def lost(replica: Replica, *keys: str, screen: str = "", concurrency: int = 4) -> None:
    """Let a campaign lose units, each at its first attempt."""
    await replica.campaign(
        units=units(*keys), investigate=True, max_attempts=1, breaker={"threshold": 100}, concurrency=concurrency
    )
    for grant in await replica.claim(count=len(keys)):
        failed = c.FailAttempt(token=grant.token, reason="crash", error="exit 3", exit_code=3, screen_id="5c" if screen else None)
        await replica.order(failed, screens={"5c": screen} if screen else {})


async def looked(replica: Replica, count: int = 1) -> tuple[c.Grant, ...]:
    """Claim investigations."""
    return await replica.claim("sherlock", count, kind="investigation")


async def test_an_investigation_goes_its_whole_way(replica: Replica, pool: asyncpg.Pool, dsn: str) -> None:
    """B-INVEST-1, B-INVEST-2, A5."""
    await lost(replica, "a", screen="Traceback\n" * 5000 + "SyntaxError\n")
    (grant,) = await looked(replica)
    assert isinstance(grant.screen, str)
    assert isinstance(grant.investigation, str)
    assert grant.screen.endswith("Traceback\nSyntaxError\n")
    assert 16 * 1024 - 10 <= len(grant.screen) <= 16 * 1024
    assert (grant.key, grant.exit_code, grant.error) == ("a", 3, "exit 3")
    conclusion = c.ConcludeInvestigation(id=grant.investigation, fix=c.Fix(), root_cause="typo")
    await replica.order(conclusion)
    with pytest.raises(Conflict):
        await replica.order(conclusion)
    (fix,) = await replica.claim()
    assert fix.key == "a.fix"
    await replica.order(c.FailAttempt(token=fix.token, reason="crash"))
    assert await looked(replica) == ()
    await replica.order(c.ClearQuarantine(campaign=NIGHT, keys=(ids.UnitKey("a"),), bulk_id="b"))
    (again,) = await replica.claim()
    await replica.order(c.FailAttempt(token=again.token, reason="crash"))
    state = await audit(pool)
    assert [row.state for row in state.investigations.values()] == ["produced", "skipped"]
    assert await check(dsn) is None


async def test_racing_investigators_each_get_another_one(replica: Replica, settings: Settings, pool: asyncpg.Pool) -> None:
    """B-INVEST-1: two replicas, one investigation each for twelve units, however many ask."""
    await lost(replica, *(f"u{number}" for number in range(12)), concurrency=12)
    async with Replica(settings, "other") as other:
        asked = [looked(one, 2) for one in (replica, other) * 10]
        got = [grant.investigation for grants in await asyncio.gather(*asked) for grant in grants]
    assert len(got) == len(set(got)) == 12
    await audit(pool)


async def test_two_results_at_once_make_one_fix(replica: Replica, settings: Settings, pool: asyncpg.Pool) -> None:
    """B-INVEST-2."""
    await lost(replica, "a")
    (grant,) = await looked(replica)
    assert isinstance(grant.investigation, str)
    conclusion = c.ConcludeInvestigation(id=grant.investigation, fix=c.Fix())
    async with Replica(settings, "other") as other:
        said = await asyncio.gather(*(one.submit(conclusion) for one in (replica, other) * 4))
    refusals = [answer.results[0] for answer in said if isinstance(answer.results[0], Rejection)]
    assert (len(refusals), {type(refusal) for refusal in refusals}) == (7, {Conflict})
    assert (await kinds(pool, "investigation.")).count("investigation.produced") == 1
    await audit(pool)


async def test_a_failure_and_the_look_into_it_in_one_batch(replica: Replica, pool: asyncpg.Pool) -> None:
    """B-INVEST-1: what a batch writes is there for the rest of it, its screens too."""
    await replica.campaign(units=units("a"), investigate=True, max_attempts=1)
    (grant,) = await replica.claim()
    failed = c.FailAttempt(token=grant.token, reason="crash", screen_id="5c")
    claim = c.ClaimWork(worker=WORKER, campaigns=(NIGHT,), kind="investigation")
    answer = await replica.submit(failed, claim, screens={"5c": "boom"})
    (looked_into,) = answer.results[1].claims
    assert looked_into.screen == "boom"
    await audit(pool)


async def test_the_watcher_ends_an_investigation_after_30_minutes(
    replica: Replica, watcher: Watcher, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B-INVEST-3."""
    monkeypatch.setattr("service.domain.decide.investigation.LEASE", timedelta(milliseconds=50))
    await lost(replica, "a", "b")
    assert len(await looked(replica)) == 1
    at = await now(pool)
    assert await watcher.nap(at) <= 0.05

    async def ended() -> bool:
        await watcher.look(at)
        return "investigation.empty" in await kinds(pool, "investigation.")

    await eventually(ended)
    state = await audit(pool)
    assert [(row.unit, row.state, row.why) for row in state.investigations.values()] == [
        ("a", "empty", "timeout"),
        ("b", "requested", None),
    ]


async def test_the_watcher_ends_the_investigations_of_a_cancelled_campaign(
    replica: Replica, watcher: Watcher, pool: asyncpg.Pool
) -> None:
    """B-INVEST-1, B-CAMP-4."""
    await lost(replica, "a", "b", "c")
    await replica.order(c.AddUnits(campaign=NIGHT, units=units("open")))
    assert len(await looked(replica)) == 1
    await replica.order(c.CancelCampaign(name=NIGHT))
    await watcher.look(await now(pool))
    state = await audit(pool)
    assert [(row.state, row.why) for row in state.investigations.values()] == [("skipped", "cancelled")] * 3


async def dead(replica: Replica, pool: asyncpg.Pool, **policy: Any) -> tuple[c.Grant, ...]:  # noqa: ANN401 - of a policy
    """Let a campaign's claims die, all of whose leases have lapsed then."""
    policy |= {"lease_s": 1, "heartbeat": {"warn_s": 0.1, "stale_s": 0.2, "dead_s": 0.3, "dead_ticks": 1}}
    await replica.campaign(units=units("a", "b", "c", "d"), **policy)
    grants = await replica.claim(count=3)
    await replica.order(c.CompleteUnit(token=grants[0].token))
    await lapsed(pool)
    return grants


async def lately(pool: asyncpg.Pool) -> datetime:
    """Return a time since when workers can be heard, half a lease ago: too late to judge them by."""
    return await now(pool) - timedelta(seconds=0.5)


async def plan(pool: asyncpg.Pool) -> ids.RecoveryId:
    """Return the only plan."""
    found: str = await pool.fetchval("SELECT id FROM recoveries")
    return ids.RecoveryId(found)


async def test_the_watcher_plans_for_a_campaign_that_died_with_the_service(
    replica: Replica, watcher: Watcher, pool: asyncpg.Pool, dsn: str
) -> None:
    """B-RECOV-1, B-RECOV-2, A5."""
    await dead(replica, pool)
    last = (await replica.submit()).position
    await watcher.look(await lately(pool), tick=False)
    await watcher.look(await lately(pool), tick=False)
    state = await audit(pool)
    (row,) = state.recoveries.values()
    assert (row.campaign, row.resumable, row.preserved, row.last_position) == (NIGHT, ["b", "c"], 1, last)
    await replica.order(c.ApplyRecovery(id=row.id))
    state = await audit(pool)
    assert {key: unit.state for (_, key), unit in state.units.items()} == {"a": "done", "b": "ready", "c": "ready", "d": "ready"}
    assert all(unit.attempts == 0 for unit in state.units.values() if unit.state == "ready")
    for order in (c.ApplyRecovery(id=row.id), c.DeclineRecovery(id=row.id)):
        with pytest.raises(Conflict):
            await replica.order(order)
    assert (await rebuilt(dsn)).difference is None
    await audit(pool)


async def test_to_decline_cancels_every_open_unit(replica: Replica, watcher: Watcher, pool: asyncpg.Pool) -> None:
    """B-RECOV-2."""
    await dead(replica, pool)
    await watcher.look(await lately(pool), tick=False)
    await replica.order(c.DeclineRecovery(id=await plan(pool)))
    state = await audit(pool)
    assert state.campaigns[NIGHT].state == "cancelled"
    assert {unit.state for unit in state.units.values()} == {"done", "cancelled"}
    (cancelled,) = (event.body for event in replica.committed if isinstance(event.body, e.CampaignCancelled))
    assert cancelled.reason == "interrupted-not-resumed"


EXPIRED = ["recovery.detected", "recovery.closed", "unit.lease_expired", "unit.lease_expired"]


async def long_since(pool: asyncpg.Pool) -> datetime:
    """Return a time since when workers can be heard, a lease ago: their leases are due to expire."""
    return await now(pool) - timedelta(seconds=1)


async def end(pool: asyncpg.Pool) -> list[str]:
    """Return what became of the plan and its leases."""
    return await kinds(pool, "recovery.", "unit.lease_expired", "unit.attempt_failed")


async def test_leases_that_are_due_to_expire_give_a_plan_first(replica: Replica, watcher: Watcher, pool: asyncpg.Pool) -> None:
    """B-RECOV-1: however short a lease is."""
    await dead(replica, pool)
    for _ in range(3):
        await watcher.look(await long_since(pool))
    assert await end(pool) == ["recovery.detected"]
    await audit(pool)


async def test_no_clock_takes_what_a_person_is_asked_about(replica: Replica, watcher: Watcher, pool: asyncpg.Pool) -> None:
    """B-RECOV-1, B-CLAIM-3, B-BEAT-4, B-RETRY-9: and the watcher rests meanwhile."""
    await dead(replica, pool, max_duration_s=1)
    await watcher.look(await lately(pool))
    for hours in range(1, 4):
        await watcher.look(await now(pool) - timedelta(hours=hours))
    assert await end(pool) == ["recovery.detected"]
    assert await watcher.nap(await long_since(pool)) == 1.0
    [level] = await pool.fetch("SELECT level FROM workers")
    assert level["level"] == "dead"
    await replica.order(c.ApplyRecovery(id=await plan(pool)))
    assert await end(pool) == ["recovery.detected", "recovery.applied"]
    await audit(pool)


async def test_a_watcher_that_looked_before_the_plan_was_made_takes_nothing_either(
    replica: Replica, watcher: Watcher, pool: asyncpg.Pool
) -> None:
    """B-RECOV-1, A7: leadership may change hands between a look and its orders."""
    grants = await dead(replica, pool, max_duration_s=1)
    tokens = tuple(grant.token for grant in grants)
    await watcher.look(await lately(pool))
    since = await now(pool) - timedelta(hours=1)
    await replica.order(c.JudgeWorkers(workers=(WORKER,), heard_since=since, retire_s=3600))
    await replica.order(c.ExpireLeases(tokens=tokens, heard_since=since))
    await replica.order(c.RevokeClaims(tokens=tokens, heard_since=since, tick_s=0.001))
    assert await end(pool) == ["recovery.detected"]
    await audit(pool)


async def test_a_plan_without_a_decision_is_closed_after_a_while_and_its_leases_expire(
    replica: Replica, watcher: Watcher, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B-RECOV-1, B-CLAIM-3."""
    await dead(replica, pool)
    await watcher.look(await lately(pool), tick=False)
    monkeypatch.setattr("service.domain.recovery.PATIENCE", timedelta(seconds=0.75))
    await watcher.look(await lately(pool), tick=False)
    assert await end(pool) == ["recovery.detected"]

    async def closed() -> bool:
        await watcher.look(await long_since(pool), tick=False)
        return "recovery.closed" in await end(pool)

    await eventually(closed)
    await watcher.look(await long_since(pool), tick=False)
    assert await kinds(pool, "recovery.", "unit.lease_expired") == EXPIRED
    await audit(pool)


@pytest.mark.parametrize("names", [(), (NIGHT,)], ids=["any", "its own"])
async def test_who_asks_for_work_in_vain_lets_the_leases_of_a_plan_expire(
    replica: Replica, settings: Settings, watcher: Watcher, pool: asyncpg.Pool, names: tuple[str, ...]
) -> None:
    """B-RECOV-1: through another replica; the watcher is woken, and plans no more for the same death."""
    await dead(replica, pool)
    await replica.order(c.CancelUnit(campaign=NIGHT, key=ids.UnitKey("d")))
    since = await lately(pool)
    await watcher.look(since, tick=False)
    async with Replica(settings, "other") as other:
        assert await other.claim("new", 1, *names) == ()
        assert [type(event.body) for event in other.committed] == [e.RecoveryClosed]
        assert e.RecoveryClosed in e.DEADLINES
        assert await other.claim("new", 1, *names) == ()
    await watcher.look(since, tick=False)
    assert await end(pool) == ["recovery.detected", "recovery.closed"]
    await watcher.look(await long_since(pool), tick=False)
    assert await kinds(pool, "recovery.", "unit.lease_expired") == EXPIRED
    with pytest.raises(Conflict):
        await replica.order(c.ApplyRecovery(id=await plan(pool)))
    await audit(pool)


async def test_who_asks_for_work_of_another_campaign_leaves_a_plan_alone(
    replica: Replica, watcher: Watcher, pool: asyncpg.Pool
) -> None:
    """B-RECOV-1."""
    await dead(replica, pool)
    await replica.campaign("other")
    await watcher.look(await lately(pool), tick=False)
    assert await replica.claim("new", 1, "other") == ()
    await watcher.look(await long_since(pool))
    assert await end(pool) == ["recovery.detected"]
    [grant] = await replica.claim("new", 1)
    assert grant.key == "d"
    await watcher.look(await long_since(pool))
    assert await kinds(pool, "recovery.", "unit.lease_expired") == EXPIRED
    await audit(pool)


@pytest.mark.parametrize("word", ["beat", "hello", "done", "failed"])
async def test_a_plan_is_closed_by_a_word_of_one_of_its_workers(
    replica: Replica, watcher: Watcher, pool: asyncpg.Pool, word: str
) -> None:
    """B-RECOV-1, B-CLAIM-5."""
    grants = await dead(replica, pool)
    words: dict[str, c.Command] = {
        "beat": c.RecordHeartbeat(token=grants[1].token),
        "hello": c.BeatWorker(worker=WORKER),
        "done": c.CompleteUnit(token=grants[1].token),
        "failed": c.FailAttempt(token=grants[1].token, reason="crash"),
    }
    await watcher.look(await lately(pool), tick=False)
    await replica.order(words[word])
    await watcher.look(await lately(pool), tick=False)
    assert await kinds(pool, "recovery.") == ["recovery.detected", "recovery.closed"]
    await audit(pool)


async def test_a_worker_that_is_heard_again_makes_a_plan_needless(replica: Replica, watcher: Watcher, pool: asyncpg.Pool) -> None:
    """B-RECOV-1."""
    await dead(replica, pool)
    await replica.order(c.BeatWorker(worker=WORKER))
    await watcher.look(await lately(pool), tick=False)
    assert await kinds(pool, "recovery.") == []


async def test_an_unknown_plan_or_investigation_is_not_found(replica: Replica) -> None:
    """B-RECOV-2, B-INVEST-2."""
    for order in (
        c.ApplyRecovery(id=ids.RecoveryId("r1")),
        c.DeclineRecovery(id=ids.RecoveryId("r1")),
        c.ConcludeInvestigation(id=ids.InvestigationId("i1")),
    ):
        with pytest.raises(NotFound):
            await replica.order(order)


async def test_racing_exports_leave_one_bundle_a_minute(replica: Replica, settings: Settings, pool: asyncpg.Pool) -> None:
    """B-DIAG-1: the log says when the last one was taken, not a process."""
    await replica.campaign()
    export = c.ExportDiagnostic(campaign=NIGHT, sha256="5c")
    async with Replica(settings, "other") as other:
        await asyncio.gather(*(one.submit(export) for one in (replica, other) * 4))
    assert await kinds(pool, "diagnostic.") == ["diagnostic.exported"]
    await audit(pool)
