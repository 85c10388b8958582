"""One key, one answer: repeated, restarted, refused, expired."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from service.domain import commands as c
from service.domain.rejections import NotFound, StaleClaim, Unprocessable
from service.settings import Settings
from service.submission import Answer
from tests.refold import audit
from tests.replica import NIGHT, Replica, units


@pytest.fixture
async def one(settings: Settings) -> AsyncIterator[Replica]:
    """A replica."""
    async with Replica(settings) as replica:
        yield replica


async def test_a_key_is_answered_once_also_in_one_batch_and_after_a_restart(
    one: Replica, settings: Settings, pool: asyncpg.Pool
) -> None:
    """A4: Idempotency-Key."""
    await one.campaign()
    calls = []

    def render(answer: Answer) -> bytes:
        calls.append(answer)
        return b"first"

    order = c.AddUnits(campaign=NIGHT, units=units("a"))
    answers = await asyncio.gather(*(one.submit(order, key="k", digest=b"1", render=render) for _ in range(5)))
    assert [answer.replayed for answer in answers] == [False, True, True, True, True]
    assert len(calls) == 1
    async with Replica(settings, "restarted") as restarted:
        again = await restarted.submit(order, key="k", digest=b"1", render=render)
        assert (again.replayed, again.body, again.position) == (True, b"first", answers[0].position)
        other = await restarted.submit(order, key="k", digest=b"2")
    assert isinstance(other.results[0], Unprocessable)
    assert [event.body.kind for event in one.committed] == ["campaign.created", "units.added"]
    await audit(pool)


async def test_a_key_whose_commands_were_all_refused_is_free_again(one: Replica) -> None:
    """A4: a rejection leaves nothing behind."""
    missing = await one.submit(c.PauseCampaign(name=NIGHT), key="k", digest=b"1")
    assert isinstance(missing.results[0], NotFound)
    await one.campaign()
    found = await one.submit(c.PauseCampaign(name=NIGHT), key="k", digest=b"1")
    assert (found.replayed, found.results) == (False, (None,))


async def test_a_refusal_that_the_log_keeps_is_kept_once(one: Replica) -> None:
    """A4, B-UNIT-1: a late result that is sent again under its key is the same late result."""
    await one.campaign(units=units("a"))
    (claim,) = await one.claim()
    await one.order(c.ReleaseClaim(token=claim.token, reason="stop"))
    late = c.FailAttempt(token=claim.token, reason="crash")
    first, again = [await one.submit(late, key="k", digest=b"1", render=lambda _: b"stale") for _ in range(2)]
    assert isinstance(first.results[0], StaleClaim)
    assert (again.replayed, again.body, again.position) == (True, b"stale", first.position)
    assert [event.body.kind for event in one.committed].count("unit.late_result") == 1


async def test_an_expired_key_gives_way(one: Replica, owner: asyncpg.Connection) -> None:
    """Kept 24 h."""
    await one.campaign()
    await one.submit(c.PauseCampaign(name=NIGHT), key="k", digest=b"1")
    await owner.execute("UPDATE idempotency SET recorded_at = recorded_at - interval '25 h'")
    fresh = await one.submit(c.ResumeCampaign(name=NIGHT), key="k", digest=b"2")
    assert (fresh.replayed, fresh.results) == (False, (None,))
    assert await owner.fetchval("SELECT count(*) FROM idempotency") == 1
