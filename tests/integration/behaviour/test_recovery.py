"""Recovery plans on a real database: the scheduler makes them; returning work, a decision or a time-out ends them."""

from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest

from service.domain import commands as c
from service.domain import events as e
from service.domain import ids
from service.domain.rejections import Conflict
from service.loops.scheduler import Scheduler
from service.settings import Settings
from tests.fleet import rebuilt
from tests.refold import audit, kinds, now
from tests.replica import NIGHT, Replica, eventually, lapsed, units

WORKER = ids.WorkerId("w")
LEASE_S = 3.0


async def dead(replica: Replica, pool: asyncpg.Pool, **policy: Any) -> tuple[c.Grant, ...]:  # noqa: ANN401 - of a policy
    """Let a campaign's claims die, all of whose leases have lapsed then."""
    policy |= {"lease_s": LEASE_S, "heartbeat": {"warn_s": 0.1, "stale_s": 0.2, "dead_s": 0.3, "dead_ticks": 1}}
    await replica.campaign(units=units("a", "b", "c", "d"), **policy)
    grants = await replica.claim(count=3)
    await replica.order(c.CompleteUnit(token=grants[0].token))
    await lapsed(pool)
    return grants


async def lately(pool: asyncpg.Pool) -> datetime:
    """Return a time since when workers can be heard: a warning ago, and much less than the lease by which they are judged."""
    return await now(pool) - timedelta(seconds=0.2)


async def plan(pool: asyncpg.Pool) -> ids.RecoveryId:
    """Return the only plan."""
    found: str = await pool.fetchval("SELECT id FROM recoveries")
    return ids.RecoveryId(found)


async def test_the_scheduler_plans_for_a_campaign_that_died_with_the_service(
    replica: Replica, scheduler: Scheduler, pool: asyncpg.Pool, dsn: str
) -> None:
    """B-RECOV-1, B-RECOV-2, A5."""
    await dead(replica, pool)
    last = (await replica.submit()).position
    await scheduler.sweep(await lately(pool), tick=False)
    await scheduler.sweep(await lately(pool), tick=False)
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


async def test_declining_a_plan_cancels_every_open_unit(replica: Replica, scheduler: Scheduler, pool: asyncpg.Pool) -> None:
    """B-RECOV-2."""
    await dead(replica, pool)
    await scheduler.sweep(await lately(pool), tick=False)
    await replica.order(c.DeclineRecovery(id=await plan(pool)))
    state = await audit(pool)
    assert state.campaigns[NIGHT].state == "cancelled"
    assert {unit.state for unit in state.units.values()} == {"done", "cancelled"}
    (cancelled,) = (event.body for event in replica.committed if isinstance(event.body, e.CampaignCancelled))
    assert cancelled.reason == "interrupted-not-resumed"


EXPIRED = ["recovery.detected", "recovery.closed", "unit.lease_expired", "unit.lease_expired"]


async def long_since(pool: asyncpg.Pool) -> datetime:
    """Return a time since when workers can be heard, a lease ago: their leases are due to expire."""
    return await now(pool) - timedelta(seconds=LEASE_S)


async def end(pool: asyncpg.Pool) -> list[str]:
    """Return the state of the plan and of its leases."""
    return await kinds(pool, "recovery.", "unit.lease_expired", "unit.attempt_failed")


async def test_leases_that_are_due_to_expire_give_a_plan_first(
    replica: Replica, scheduler: Scheduler, pool: asyncpg.Pool
) -> None:
    """B-RECOV-1: however short a lease is."""
    await dead(replica, pool)
    for _ in range(3):
        await scheduler.sweep(await long_since(pool))
    assert await end(pool) == ["recovery.detected"]
    await audit(pool)


async def test_sweeps_leave_the_claims_of_an_open_plan_alone(replica: Replica, scheduler: Scheduler, pool: asyncpg.Pool) -> None:
    """B-RECOV-1, B-CLAIM-3, B-BEAT-4, B-RETRY-9: and the watcher rests meanwhile."""
    await dead(replica, pool, max_duration_s=1)
    await scheduler.sweep(await lately(pool))
    for hours in range(1, 4):
        await scheduler.sweep(await now(pool) - timedelta(hours=hours))
    assert await end(pool) == ["recovery.detected"]
    assert await scheduler.seconds_to_deadline(await long_since(pool)) == 1.0
    [level] = await pool.fetch("SELECT level FROM workers")
    assert level["level"] == "dead"
    await replica.order(c.ApplyRecovery(id=await plan(pool)))
    assert await end(pool) == ["recovery.detected", "recovery.applied"]
    await audit(pool)


async def test_a_watcher_that_looked_before_the_plan_was_made_takes_nothing_either(
    replica: Replica, scheduler: Scheduler, pool: asyncpg.Pool
) -> None:
    """B-RECOV-1, A7: leadership may change hands between a look and its orders."""
    grants = await dead(replica, pool, max_duration_s=1)
    tokens = tuple(grant.token for grant in grants)
    await scheduler.sweep(await lately(pool))
    since = await now(pool) - timedelta(hours=1)
    await replica.order(c.JudgeWorkers(workers=(WORKER,), heard_since=since, retire_s=3600))
    await replica.order(c.ExpireLeases(tokens=tokens, heard_since=since))
    await replica.order(c.RevokeClaims(tokens=tokens, heard_since=since, tick_s=0.001))
    assert await end(pool) == ["recovery.detected"]
    await audit(pool)


async def test_a_plan_without_a_decision_is_closed_after_a_while_and_its_leases_expire(
    replica: Replica, scheduler: Scheduler, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B-RECOV-1, B-CLAIM-3."""
    await dead(replica, pool)
    await scheduler.sweep(await lately(pool), tick=False)
    await scheduler.sweep(await lately(pool), tick=False)
    assert await end(pool) == ["recovery.detected"]
    monkeypatch.setattr("service.domain.recovery.PATIENCE", timedelta(seconds=0.75))

    async def closed() -> bool:
        await scheduler.sweep(await long_since(pool), tick=False)
        return "recovery.closed" in await end(pool)

    await eventually(closed)
    await scheduler.sweep(await long_since(pool), tick=False)
    assert await kinds(pool, "recovery.", "unit.lease_expired") == EXPIRED
    await audit(pool)


@pytest.mark.parametrize("names", [(), (NIGHT,)], ids=["any", "its own"])
async def test_an_empty_claim_lets_the_leases_of_a_plan_expire(
    replica: Replica, settings: Settings, scheduler: Scheduler, pool: asyncpg.Pool, names: tuple[str, ...]
) -> None:
    """B-RECOV-1: through another replica; the watcher is woken, and plans no more for the same death."""
    await dead(replica, pool)
    await replica.order(c.CancelUnit(campaign=NIGHT, key=ids.UnitKey("d")))
    await scheduler.sweep(await lately(pool), tick=False)
    async with Replica(settings, "other") as other:
        assert await other.claim("new", 1, *names) == ()
        assert [type(event.body) for event in other.committed] == [e.RecoveryClosed]
        assert e.RecoveryClosed in e.DEADLINES
        assert await other.claim("new", 1, *names) == ()
    await scheduler.sweep(await lately(pool), tick=False)
    assert await end(pool) == ["recovery.detected", "recovery.closed"]
    await scheduler.sweep(await long_since(pool), tick=False)
    assert await kinds(pool, "recovery.", "unit.lease_expired") == EXPIRED
    with pytest.raises(Conflict):
        await replica.order(c.ApplyRecovery(id=await plan(pool)))
    await audit(pool)


async def test_a_claim_of_another_campaign_leaves_a_plan_open(replica: Replica, scheduler: Scheduler, pool: asyncpg.Pool) -> None:
    """B-RECOV-1."""
    await dead(replica, pool)
    await replica.campaign("other")
    await scheduler.sweep(await lately(pool), tick=False)
    assert await replica.claim("new", 1, "other") == ()
    await scheduler.sweep(await long_since(pool))
    assert await end(pool) == ["recovery.detected"]
    [grant] = await replica.claim("new", 1)
    assert grant.key == "d"
    await scheduler.sweep(await long_since(pool))
    assert await kinds(pool, "recovery.", "unit.lease_expired") == EXPIRED
    await audit(pool)


@pytest.mark.parametrize("word", ["beat", "hello", "done", "failed"])
async def test_a_report_of_one_of_its_workers_closes_a_plan(
    replica: Replica, scheduler: Scheduler, pool: asyncpg.Pool, word: str
) -> None:
    """B-RECOV-1, B-CLAIM-5."""
    grants = await dead(replica, pool)
    words: dict[str, c.Command] = {
        "beat": c.RecordHeartbeat(token=grants[1].token),
        "hello": c.BeatWorker(worker=WORKER),
        "done": c.CompleteUnit(token=grants[1].token),
        "failed": c.FailAttempt(token=grants[1].token, reason="crash"),
    }
    await scheduler.sweep(await lately(pool), tick=False)
    await replica.order(words[word])
    await scheduler.sweep(await lately(pool), tick=False)
    assert await kinds(pool, "recovery.") == ["recovery.detected", "recovery.closed"]
    await audit(pool)


async def test_a_worker_that_is_heard_again_makes_a_plan_needless(
    replica: Replica, scheduler: Scheduler, pool: asyncpg.Pool
) -> None:
    """B-RECOV-1."""
    await dead(replica, pool)
    since = await lately(pool)
    await replica.order(c.BeatWorker(worker=WORKER))
    await scheduler.sweep(since, tick=False)
    assert await kinds(pool, "recovery.") == []
