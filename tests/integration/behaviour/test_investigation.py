"""Investigations and exports on a real Postgres: through the Writer, and by the watcher's clock."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest

from projections.rebuild import check
from service.domain import commands as c
from service.domain import ids
from service.domain.rejections import Conflict, NotFound, Rejection
from service.loops.scheduler import Scheduler
from service.settings import Settings
from tests.refold import audit, kinds, now
from tests.replica import NIGHT, Replica, eventually, units

WORKER = ids.WorkerId("w")


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


async def test_racing_investigators_get_distinct_investigations(replica: Replica, settings: Settings, pool: asyncpg.Pool) -> None:
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


async def test_a_failure_and_its_investigation_fit_one_batch(replica: Replica, pool: asyncpg.Pool) -> None:
    """B-INVEST-1: what a batch writes is there for the rest of it, its screens too."""
    await replica.campaign(units=units("a"), investigate=True, max_attempts=1)
    (grant,) = await replica.claim()
    failed = c.FailAttempt(token=grant.token, reason="crash", screen_id="5c")
    claim = c.ClaimWork(worker=WORKER, campaigns=(NIGHT,), kind="investigation")
    answer = await replica.submit(failed, claim, screens={"5c": "boom"})
    (looked_into,) = answer.results[1].claims
    assert looked_into.screen == "boom"
    await audit(pool)


async def test_the_scheduler_ends_an_investigation_after_30_minutes(
    replica: Replica, scheduler: Scheduler, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B-INVEST-3."""
    monkeypatch.setattr("service.domain.decide.investigation.LEASE", timedelta(milliseconds=50))
    await lost(replica, "a", "b")
    assert len(await looked(replica)) == 1
    at = await now(pool)
    assert await scheduler.seconds_to_deadline(at) <= 0.05

    async def ended() -> bool:
        await scheduler.sweep(at)
        return "investigation.empty" in await kinds(pool, "investigation.")

    await eventually(ended)
    state = await audit(pool)
    assert [(row.unit, row.state, row.why) for row in state.investigations.values()] == [
        ("a", "empty", "timeout"),
        ("b", "requested", None),
    ]


async def test_the_scheduler_ends_investigations_of_a_cancelled_campaign(
    replica: Replica, scheduler: Scheduler, pool: asyncpg.Pool
) -> None:
    """B-INVEST-1, B-CAMP-4."""
    await lost(replica, "a", "b", "c")
    await replica.order(c.AddUnits(campaign=NIGHT, units=units("open")))
    assert len(await looked(replica)) == 1
    await replica.order(c.CancelCampaign(name=NIGHT))
    await scheduler.sweep(await now(pool))
    state = await audit(pool)
    assert [(row.state, row.why) for row in state.investigations.values()] == [("skipped", "cancelled")] * 3


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
