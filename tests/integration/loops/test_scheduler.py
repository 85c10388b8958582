"""The watcher on a real clock: everything happens when it is due, once, and to nobody who could not be heard."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, TypeVar

import asyncpg
import pytest

from service.domain import commands as c
from service.domain import events as e
from service.domain import ids
from service.domain.rules import heartbeat
from service.loops.scheduler import Scheduler
from service.settings import Settings
from service.wakeup import Wakeup
from tests.refold import audit
from tests.replica import Replica, eventually, lapsed, units

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
LATE = timedelta(seconds=30)
"""What a slow machine may need: a watcher that does not know when something is due looks for it after `UNHURRIED_S`."""
UNHURRIED_S = 300.0
QUICK: dict[str, Any] = {"retry": {"backoff_ms": 100, "jitter": {"kind": "none"}}, "breaker": {"threshold": 1000}}
BEATS: dict[str, Any] = {"heartbeat": {"warn_s": 0.2, "stale_s": 0.4, "dead_s": 0.6, "dead_ticks": 3}}
W = ids.WorkerId("w")
Body = TypeVar("Body", bound=e.Event)


@pytest.fixture
async def one(settings: Settings) -> AsyncIterator[Replica]:
    """A replica."""
    async with Replica(settings) as replica:
        yield replica


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a watcher look only when it is called, or when it knows that something is due."""
    monkeypatch.setattr("service.loops.scheduler.LONGEST_NAP_S", UNHURRIED_S)


@asynccontextmanager
async def watching(
    pool: asyncpg.Pool, replica: Replica, tick_s: float = UNHURRIED_S, wakeup: Wakeup | None = None
) -> AsyncIterator[None]:
    """Run a watcher, which hears workers since long ago."""
    scheduler = Scheduler(pool, replica.writer, wakeup or replica.wakeup, tick_s)
    task = asyncio.create_task(scheduler.run(lambda: LONG_AGO))
    yield
    task.cancel()
    await asyncio.wait([task])


def recorded(replica: Replica, kind: type[Body]) -> list[tuple[datetime, Body]]:
    """Return time and body of every event of *kind*."""
    return [(event.at, event.body) for event in replica.committed if isinstance(event.body, kind)]


def comes(replica: Replica, kind: type[e.Event], count: int = 1) -> Callable[[], Awaitable[object]]:
    """Return the condition that *count* events of *kind* are in the log."""

    async def holds() -> bool:
        return len(recorded(replica, kind)) >= count

    return holds


@pytest.mark.usefixtures("unhurried")
async def test_a_retry_is_ready_when_its_rest_is_over_and_not_a_tick_later(one: Replica, pool: asyncpg.Pool) -> None:
    """B-RETRY-1, B-RETRY-2."""
    await one.campaign(units=units("a", "b"), **QUICK)
    async with watching(pool, one):
        for grant in await one.claim("w", 2):
            await one.order(c.FailAttempt(token=grant.token, reason="crash"))
        await eventually(comes(one, e.RetryDue, 2))
    dues = [body.due_at for _, body in recorded(one, e.RetryScheduled)]
    assert all(due <= at < due + LATE for due, (at, _) in zip(dues, recorded(one, e.RetryDue), strict=True))
    await audit(pool)


async def test_without_notifications_the_scheduler_finds_due_work(one: Replica, pool: asyncpg.Pool) -> None:
    """Notices are never needed: the command came through another replica, and nobody rings."""
    await one.campaign(units=units("a"), **QUICK)
    async with watching(pool, one, wakeup=Wakeup()):
        [grant] = await one.claim()
        await one.order(c.FailAttempt(token=grant.token, reason="crash"))
        await eventually(comes(one, e.RetryDue))
    await audit(pool)


@pytest.mark.usefixtures("unhurried")
async def test_a_parked_unit_resumes_by_itself_and_its_gate_opens(one: Replica, pool: asyncpg.Pool) -> None:
    """B-PARK-1, B-PARK-2."""
    await one.campaign(units=units("a"), quota="api", **QUICK)
    [grant] = await one.claim()
    until = datetime.now(UTC) + timedelta(seconds=2)
    await one.order(c.ParkClaim(token=grant.token, reason="rate_limit", resume_at=until))
    async with watching(pool, one):
        assert await one.claim() == ()
        await eventually(comes(one, e.UnitUnparked))
        await eventually(comes(one, e.QuotaGateOpened))
    assert [body.cause for _, body in recorded(one, e.UnitUnparked)] == ["due"]
    [(at, opened)] = recorded(one, e.QuotaGateOpened)
    assert opened.cause == "due"
    assert until <= at < until + LATE
    assert [grant.attempt for grant in await one.claim()] == [1]
    await audit(pool)


async def test_a_gate_that_a_reading_opens_takes_its_parked_units_along(one: Replica, pool: asyncpg.Pool) -> None:
    """B-QUOTA-2, B-PARK-1: hours before their time."""
    await one.campaign(units=units("a", "b"), quota="api", **QUICK)
    limited, night = await one.claim("w", 2)
    until = datetime.now(UTC) + timedelta(hours=3)
    await one.order(c.ParkClaim(token=limited.token, reason="rate_limit", resume_at=until))
    await one.order(c.ParkClaim(token=night.token, reason="night", resume_at=until))
    await one.order(c.RecordReading(quota=ids.QuotaKey("api"), utilization=0.1))
    async with watching(pool, one):
        await eventually(comes(one, e.UnitUnparked))
    state = await audit(pool)
    assert [body.cause for _, body in recorded(one, e.UnitUnparked)] == ["gate"]
    assert {key: row.state for (_, key), row in state.units.items()} == {limited.key: "ready", night.key: "parked"}


@pytest.mark.usefixtures("unhurried")
async def test_a_lease_ends_in_one_failed_attempt_when_its_time_is_over(one: Replica, pool: asyncpg.Pool) -> None:
    """B-CLAIM-2, B-CLAIM-3: the one that beats keeps its lease."""
    await one.campaign(units=units("a", "b"), lease_s=4, **QUICK)
    silent, beating = await one.claim("w", 2)
    async with watching(pool, one):
        await asyncio.sleep(2)  # the point of this test is that time passes between claim and heartbeat
        heard = await one.order(c.RecordHeartbeat(token=beating.token))
        await eventually(comes(one, e.LeaseExpired))
    [(at, expired)] = recorded(one, e.LeaseExpired)
    assert expired.token == silent.token
    assert silent.lease_until <= at < silent.lease_until + LATE
    assert heard.lease_until > beating.lease_until
    assert [body.reason for _, body in recorded(one, e.AttemptFailed)] == ["lease_expired"]
    await audit(pool)


@pytest.mark.usefixtures("unhurried")
async def test_levels_wait_a_full_lease_after_the_service_starts(one: Replica, pool: asyncpg.Pool) -> None:
    """B-CLAIM-3, B-BEAT-4, A10: after an outage of our own, silence is no proof."""
    beats = {"warn_s": 3, "stale_s": 3.2, "dead_s": 3.4, "dead_ticks": 3}  # less than the lease; more than the looks take
    await one.campaign(units=units("a"), lease_s=4, **QUICK, heartbeat=beats)
    [grant] = await one.claim()
    scheduler = Scheduler(pool, one.writer, one.wakeup, 0.01)
    await lapsed(pool)
    heard_since = await pool.fetchval("SELECT clock_timestamp()")
    for _ in range(5):
        await scheduler.sweep(heard_since)
    assert not any(isinstance(event.body, e.LeaseExpired | e.AttemptFailed) for event in one.committed)
    nap = timedelta(seconds=await scheduler.seconds_to_deadline(heard_since))
    assert await pool.fetchval("SELECT clock_timestamp()") + nap >= heard_since + timedelta(seconds=4)
    await scheduler.sweep(LONG_AGO, tick=False)
    assert [body.token for _, body in recorded(one, e.LeaseExpired)] == [grant.token]
    await audit(pool)


async def test_a_dead_worker_loses_its_claims_soon_after_a_restart_however_long_its_lease_is(
    one: Replica, pool: asyncpg.Pool
) -> None:
    """B-BEAT-4, A10: the time of a dead silence since workers could be heard, then the count of ticks."""
    await one.campaign(units=units("a"), lease_s=600, **QUICK, **BEATS)
    [grant] = await one.claim()
    back = await pool.fetchval("SELECT clock_timestamp()")
    scheduler = Scheduler(pool, one.writer, one.wakeup, 0.02)

    async def revoked() -> bool:
        await scheduler.sweep(back)
        return bool(recorded(one, e.LeaseExpired))

    await eventually(revoked)
    [(at, expired)] = recorded(one, e.LeaseExpired)
    assert expired.token == grant.token
    assert back + timedelta(seconds=0.6) < at < back + timedelta(seconds=0.6) + LATE
    assert [body.reason for _, body in recorded(one, e.AttemptFailed)] == ["heartbeat_dead"]
    await audit(pool)


async def test_workers_spared_after_a_restart_take_no_room_in_a_sweep(
    one: Replica, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B-BEAT-4: a look takes a thousand suspects, none of them in vain."""
    monkeypatch.setattr("service.loops.scheduler.ROUND", 1)
    await one.campaign("patient", units("a", "b"), lease_s=600, heartbeat={"dead_s": 500}, max_duration_s=1, **QUICK)
    await one.campaign("strict", units("a"), lease_s=600, max_duration_s=1, **QUICK, **BEATS)
    for worker in "xyz":
        await one.claim(worker)
    scheduler = Scheduler(pool, one.writer, one.wakeup, 0.02)
    back = await pool.fetchval("SELECT clock_timestamp()")

    async def revoked() -> bool:
        await scheduler.sweep(back)
        return bool(recorded(one, e.AttemptFailed))

    await eventually(revoked)
    [failed] = [event for event in one.committed if isinstance(event.body, e.AttemptFailed)]
    assert failed.campaign == "strict"
    await audit(pool)


async def test_levels_fall_one_by_one_each_once_and_the_dead_lose_their_claims_once(one: Replica, pool: asyncpg.Pool) -> None:
    """B-BEAT-1, B-BEAT-3, B-BEAT-4, A10."""
    await one.campaign(units=units("a", "b"), **QUICK, **BEATS)
    await one.claim("w", 2)
    async with watching(pool, one, tick_s=0.02):
        await eventually(comes(one, e.AttemptFailed, 2))
    changes = [level for _, body in recorded(one, e.LevelChanged) for level in (body.from_, body.to)]
    levels = list(dict.fromkeys(changes))
    assert changes == [level for pair in pairwise(levels) for level in pair]
    assert levels == [level for level in heartbeat.LEVELS if level in levels]
    assert levels[-1] == "dead"
    assert [body.reason for _, body in recorded(one, e.AttemptFailed)] == ["heartbeat_dead"] * 2
    (dead_at, _), (first, _) = recorded(one, e.LevelChanged)[-1], recorded(one, e.AttemptFailed)[0]
    assert first - dead_at >= timedelta(seconds=0.02)
    await audit(pool)


async def test_a_heartbeat_between_dead_ticks_resets_the_count(one: Replica, pool: asyncpg.Pool) -> None:
    """B-BEAT-4: dead, heard again, not revoked."""
    beats = {"warn_s": 2, "stale_s": 2.2, "dead_s": 2.4, "dead_ticks": 3}  # a beat is no warning before the next look
    await one.campaign(units=units("a"), **QUICK, heartbeat=beats)
    [grant] = await one.claim()
    scheduler = Scheduler(pool, one.writer, one.wakeup, 3600)

    async def dead() -> bool:
        await scheduler.sweep(LONG_AGO)
        return (e.LevelChanged.kind, "dead") in [(body.kind, body.to) for _, body in recorded(one, e.LevelChanged)]

    await eventually(dead)
    await one.order(c.RecordHeartbeat(token=grant.token))
    await scheduler.sweep(LONG_AGO)
    assert [body.to for _, body in recorded(one, e.LevelChanged)][-1] == "healthy"
    assert recorded(one, e.AttemptFailed) == []
    await audit(pool)


async def test_a_thousand_ready_units_without_a_worker_are_no_news(one: Replica, pool: asyncpg.Pool) -> None:
    """B-BEAT-2."""
    await one.campaign(units=units(*(f"u{n}" for n in range(1000))), **QUICK, **BEATS)
    head = one.committed[-1].position
    scheduler = Scheduler(pool, one.writer, one.wakeup, 0.01)
    for _ in range(20):
        await scheduler.sweep(LONG_AGO)
    assert one.committed[-1].position == head
    assert await scheduler.seconds_to_deadline(LONG_AGO) == 1.0


async def test_watchdogs_take_back_what_runs_too_long_and_what_stands_still(one: Replica, pool: asyncpg.Pool) -> None:
    """B-RETRY-9: told apart."""
    await one.campaign("long", units("a"), max_duration_s=1, **QUICK)
    await one.campaign("still", units("a"), idle_output_s=1, **QUICK)
    grants = {grant.campaign: grant for grant in await one.claim("w", 2)}
    moved = c.RecordHeartbeat(token=grants[ids.CampaignName("still")].token, output_at=datetime.now(UTC))
    await one.order(moved)
    async with watching(pool, one, tick_s=0.05):
        await eventually(comes(one, e.AttemptFailed, 2))
    failed = {event.campaign: event.body for event in one.committed if isinstance(event.body, e.AttemptFailed)}
    assert {name: body.reason for name, body in failed.items()} == {"long": "max_duration", "still": "idle_output"}
    await audit(pool)
