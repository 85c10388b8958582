"""Dependencies, imports and cancellations through the loader: the right rows, at the size of real campaigns."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from itertools import pairwise

import asyncpg
import pytest
from msgspec import Raw

from service.domain import commands as c
from service.domain import events as e
from service.domain import ids
from service.domain.rejections import StaleClaim, Unprocessable
from service.domain.state import State
from service.loops.scheduler import Scheduler
from service.settings import Settings
from tests.refold import audit
from tests.replica import NIGHT, Replica, eventually, unit, units


@pytest.fixture
async def one(settings: Settings) -> AsyncIterator[Replica]:
    """A replica."""
    async with Replica(settings) as replica:
        yield replica


def states(state: State) -> dict[str, str]:
    """Return the state of each unit."""
    return {key: row.state for (_, key), row in state.units.items()}


async def finish(replica: Replica) -> str:
    """Claim the next unit, complete it, and return its key."""
    [grant] = await replica.claim()
    await replica.order(c.CompleteUnit(token=grant.token))
    return grant.key


@pytest.mark.parametrize("order", ["ABCD", "DCBA", "CDAB"])
async def test_a_diamond_runs_in_the_order_of_its_waves_however_it_is_listed(
    one: Replica, pool: asyncpg.Pool, order: str
) -> None:
    """B-DAG-1, B-DAG-4, A9."""
    parents = {"A": "", "B": "A", "C": "A", "D": "BC"}
    await one.campaign(units=[unit(key, *parents[key]) for key in order])
    keys = [await finish(one) for _ in "ABCD"]
    assert (keys[0], {*keys[1:3]}, keys[3]) == ("A", {"B", "C"}, "D")
    state = await audit(pool)
    assert state.campaigns[NIGHT].outcome == "achieved"


async def test_a_quarantine_skips_the_whole_descent_and_a_retry_brings_it_back(one: Replica, pool: asyncpg.Pool) -> None:
    """B-DAG-2, B-DAG-3, B-RETRY-7: a diamond with a tail, and a second parent that is lost too."""
    graph = [unit("A"), unit("X"), unit("B", "A"), unit("C", "A", "X"), unit("D", "B", "C"), unit("E", "D"), unit("F")]
    await one.campaign(units=graph, retry={"retryable_errors": ["flaky"]}, breaker={"threshold": 100})
    first, second = (grant for grant in await one.claim("w", 3) if grant.key in "AX")
    await one.order(c.FailAttempt(token=first.token, reason="crash", error="broken"))
    assert Counter(states(await audit(pool)).values()) == {"running": 2, "quarantined": 1, "skipped": 4}
    await one.order(c.FailAttempt(token=second.token, reason="crash", error="broken"))
    await one.order(c.RetryUnit(campaign=NIGHT, key=ids.UnitKey("A")))
    state = await audit(pool)
    assert states(state) == dict(zip("AXBCDEF", ["ready", "quarantined", "blocked", *["skipped"] * 3, "running"], strict=True))
    await one.order(c.ClearQuarantine(campaign=NIGHT, keys=(ids.UnitKey("X"),), bulk_id="b"))
    assert Counter(states(await audit(pool)).values()) == {"ready": 2, "blocked": 4, "running": 1}
    assert [await finish(one) for _ in range(6)][-2:] == ["D", "E"]
    assert not any(isinstance(event.body, e.RetryScheduled) for event in one.committed)
    await audit(pool)


async def test_a_thousand_dependents_of_one_unit_are_freed_by_its_completion(one: Replica, pool: asyncpg.Pool) -> None:
    """B-DAG-1, B-UNIT-5: wide, then narrow."""
    wide = [f"w{n:04}" for n in range(1000)]
    await one.campaign(units=[unit("root"), *(unit(key, "root") for key in wide), unit("end", *wide)], concurrency=1000)
    assert await finish(one) == "root"
    assert Counter(states(await audit(pool)).values()) == {"done": 1, "ready": 1000, "blocked": 1}
    grants = await one.claim("w", 1000)
    assert len(grants) == 1000
    await one.submit(*(c.CompleteUnit(token=grant.token) for grant in grants))
    assert await finish(one) == "end"
    assert (await audit(pool)).campaigns[NIGHT].outcome == "achieved"


async def test_a_deep_chain_is_skipped_to_its_end_and_comes_back(one: Replica, pool: asyncpg.Pool) -> None:
    """B-DAG-2, B-DAG-3."""
    keys = [f"k{n:03}" for n in range(300)]
    await one.campaign(units=[unit(keys[0]), *(unit(key, before) for before, key in pairwise(keys))])
    await one.order(c.QuarantineUnit(campaign=NIGHT, key=ids.UnitKey(keys[0])))
    state = await audit(pool)
    assert Counter(states(state).values()) == {"quarantined": 1, "skipped": 299}
    assert state.campaigns[NIGHT].outcome == "failed"
    await one.order(c.RetryUnit(campaign=NIGHT, key=ids.UnitKey(keys[0])))
    assert Counter(states(await audit(pool)).values()) == {"ready": 1, "blocked": 299}


async def test_a_fence_that_exhausts_a_claim_of_its_own_batch_skips_the_descent(one: Replica, pool: asyncpg.Pool) -> None:
    """B-UNIT-6, B-BEAT-7, B-DAG-2."""
    worker = ids.WorkerId("w")
    await one.campaign(units=[unit("A"), unit("B", "A")], max_claims=1)
    await one.order(c.BeatWorker(worker=worker))
    await one.submit(c.ClaimWork(worker=worker), c.FenceWorker(worker=worker))
    assert states(await audit(pool)) == {"A": "quarantined", "B": "skipped"}


async def test_a_circle_is_refused_with_its_path_and_nothing_is_stored(one: Replica, pool: asyncpg.Pool) -> None:
    """B-DAG-1."""
    await one.campaign()
    with pytest.raises(Unprocessable) as refused:
        await one.order(c.AddUnits(campaign=NIGHT, units=(unit("A", "B"), unit("B", "A"))))
    assert refused.value.fields["path"] == ["A", "B", "A"]
    assert not (await audit(pool)).units


async def test_twenty_thousand_units_come_in_chunks_beside_each_other_and_in_one_array(one: Replica, pool: asyncpg.Pool) -> None:
    """Imports: a batch stays as small as its weight allows, and one request stays whole."""
    await one.campaign(concurrency=1000)
    chunks = [units(*(f"u{n:05}" for n in range(start, start + 1000))) for start in range(0, 20_000, 1000)]
    answers = await asyncio.gather(*(one.order(c.AddUnits(campaign=NIGHT, units=chunk)) for chunk in chunks))
    assert set(answers) == {c.ImportReply(1000, 0, 0)}
    assert one.batches >= 10
    again = tuple(spec for chunk in chunks for spec in chunk)
    assert await one.order(c.AddUnits(campaign=NIGHT, units=again)) == c.ImportReply(0, 0, 20_000)
    more = units(*(f"v{n:05}" for n in range(20_000)), payload=Raw(b'{"file": "a.py"}'))
    assert await one.order(c.AddUnits(campaign=NIGHT, units=more)) == c.ImportReply(20_000, 0, 0)
    assert [grant.key for grant in await one.claim("w", 3)] == ["u00000", "u00001", "u00002"]
    assert (await audit(pool)).campaigns[NIGHT].counts.ready == 39_997


async def test_a_unit_imported_again_is_changed_only_where_it_says_something_else(one: Replica, pool: asyncpg.Pool) -> None:
    """Imports: an upsert; the same document in another order is the same."""
    await one.campaign(units=[unit("a", payload=b'{"x":1,"y":[1.0]}')])
    same = await one.order(c.AddUnits(campaign=NIGHT, units=(unit("a", payload=b'{ "y": [1.0], "x": 1 }'),)))
    assert same == c.ImportReply(0, 0, 1)
    other = await one.order(c.AddUnits(campaign=NIGHT, units=(unit("a", payload=b'{"x":2}', group=1),)))
    assert other == c.ImportReply(0, 1, 0)
    [grant] = await one.claim()
    assert bytes(grant.payload) == b'{"x": 2}'
    started = await one.order(c.AddUnits(campaign=NIGHT, units=(unit("a", payload=b"3"),)))
    assert started == c.ImportReply(0, 0, 1)
    await audit(pool)


async def test_the_scheduler_finishes_the_cancellation_of_three_thousand_units(one: Replica, pool: asyncpg.Pool) -> None:
    """B-CAMP-4, B-UNIT-1: who still runs one is told to stop, and what it brings is kept."""
    await one.campaign(units=units(*(f"u{n}" for n in range(3000))), concurrency=10)
    grants = await one.claim("w", 10)
    await one.order(c.CancelCampaign(name=NIGHT, reason="enough"))
    state = await audit(pool)
    assert 0 < state.campaigns[NIGHT].counts.cancelled < 3000
    scheduler = Scheduler(pool, one.writer, one.wakeup, 60)
    watching = asyncio.create_task(scheduler.run(lambda: state.campaigns[NIGHT].created_at))

    async def all_cancelled() -> bool:
        return bool(await pool.fetchval("SELECT cancelled = 3000 FROM campaigns"))

    await eventually(all_cancelled)
    watching.cancel()
    await asyncio.wait([watching])
    with pytest.raises(StaleClaim) as stale:
        await one.order(c.CompleteUnit(token=grants[0].token))
    assert stale.value.fields["signal"] == "stop"
    state = await audit(pool)
    assert not state.claims
    assert state.engine.in_use == 0
    assert sum(isinstance(event.body, e.LateResult) for event in one.committed) == 1


async def test_a_cancellation_ends_the_claims_of_units_that_came_along_for_another_command(
    one: Replica, pool: asyncpg.Pool
) -> None:
    """A5, B-CAMP-4: a running parent, loaded for its child's retry, beyond the first round of the cancellation."""
    await one.campaign(units=units(*(f"u{n:04}" for n in range(1500))), concurrency=4)
    parent, child = ids.UnitKey("zz"), ids.UnitKey("zzz")
    await one.order(c.AddUnits(campaign=NIGHT, units=(unit(parent, group=1), unit(child, parent))))
    await one.order(c.QuarantineUnit(campaign=NIGHT, key=child))
    [grant] = await one.claim()
    assert grant.key == parent
    await one.submit(c.RetryUnit(campaign=NIGHT, key=child), c.CancelCampaign(name=NIGHT))
    state = await audit(pool)
    assert not state.claims
    assert state.engine.in_use == 0


async def test_an_import_cannot_close_a_circle_over_units_that_are_already_there(one: Replica) -> None:
    """B-DAG-1."""
    await one.campaign()
    chain = ["a", "b", "c", "d"]
    await one.order(c.AddUnits(NIGHT, (unit("a"), *(unit(child, parent) for parent, child in pairwise(chain)))))
    for again in (unit("a", "d"), unit("b", "a", "d")):
        answer = await one.submit(c.AddUnits(NIGHT, (again,)))
        (refusal,) = answer.results
        assert isinstance(refusal, Unprocessable)
        assert refusal.fields["path"] == [again.key, "d", "c", "b", "a"][: 5 if again.key == "a" else 4]
    answer = await one.submit(c.AddUnits(NIGHT, tuple(unit(child, parent) for parent, child in pairwise(chain))))
    assert answer.only() == c.ImportReply(added=0, updated=0, unchanged=3)
