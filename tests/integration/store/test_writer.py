"""The Writer on a real Postgres: order, isolation of neighbours, group commit, idempotency."""

import asyncio
from collections.abc import AsyncIterator, Awaitable

import asyncpg
import pytest
from msgspec import Raw

from service.domain import commands as c
from service.domain import events as e
from service.domain import ids
from service.domain.rejections import Conflict, NotFound, Rejection, StaleClaim, Validation, WriteUnavailable
from service.settings import Settings
from service.submission import Answer
from tests.patience import PATIENCE_S
from tests.refold import audit, events
from tests.replica import NIGHT, Replica, units


@pytest.fixture
async def one(settings: Settings) -> AsyncIterator[Replica]:
    """A replica."""
    async with Replica(settings, "one") as replica:
        yield replica


@pytest.fixture
async def two(settings: Settings) -> AsyncIterator[Replica]:
    """Another replica on the same database."""
    async with Replica(settings, "two") as replica:
        yield replica


async def outcome(answer: Awaitable[object]) -> object:
    """Return what came of *answer*, a rejection among it."""
    try:
        return await answer
    except Rejection as rejection:
        return rejection


async def test_two_replicas_racing_leave_no_hole_and_every_answer_is_at_its_place(
    one: Replica, two: Replica, pool: asyncpg.Pool
) -> None:
    """A1, A4."""
    await one.campaign()

    async def submitter(replica: Replica, name: int) -> list[Answer]:
        orders = (c.PauseCampaign(name=NIGHT), c.ResumeCampaign(name=NIGHT))
        return [await replica.submit(orders[(name + index) % 2], actor=f"{name}:{index}") for index in range(250)]

    racers = [submitter(replica, name) for name, replica in enumerate([one, two] * 8)]
    answers = [answer for given in await asyncio.gather(*racers) for answer in given]
    state = await audit(pool)
    assert len(answers) == 4000
    assert one.failures == two.failures == {}
    actors = {event.actor: event.position for event in one.committed + two.committed}
    async with pool.acquire() as connection:
        assert {event.actor: event.position for event in await events(connection)} == actors
    assert max(answer.position for answer in answers) == max(actors.values())
    assert state.campaigns[NIGHT].version == len(actors)
    assert one.batches + two.batches < len(answers) / 2


async def test_sixteen_claimers_never_pass_the_concurrency_nor_get_one_unit_twice(
    one: Replica, two: Replica, pool: asyncpg.Pool
) -> None:
    """A3, A11, B-CLAIM-1, B-CLAIM-7, B-GROUP-4."""
    await one.campaign(units=units(*(f"u{n}" for n in range(300))), concurrency=7)
    granted: list[str] = []

    async def claimer(replica: Replica, worker: str) -> None:
        while len(granted) < 300:
            for grant in await replica.claim(worker, 3, NIGHT):
                granted.append(grant.key)
                await replica.order(c.CompleteUnit(token=grant.token))

    await asyncio.gather(*(claimer(replica, f"w{index}") for index, replica in enumerate([one, two] * 8)))
    assert len(granted) == len(set(granted)) == 300
    state = await audit(pool)
    assert state.campaigns[NIGHT].outcome == "achieved"
    assert state.engine.in_use == 0


async def test_the_log_remembers_the_report_that_ended_a_claim(one: Replica, two: Replica, pool: asyncpg.Pool) -> None:
    """B-UNIT-8: the other replica answers the same report as the first time, and refuses another ending."""
    await one.campaign(units=units(*"abcde"), concurrency=5, breaker={"threshold": 9})
    a, b, cc, d, lapsed = [grant.token for grant in await one.claim("w", 5)]
    ends: dict[str, c.Command] = {
        "done": c.CompleteUnit(token=a),
        "delayed": c.FailAttempt(token=b, reason="crash", error="exit 1"),
        "quarantined": c.FailAttempt(token=cc, reason="crash", retryable=False),
        "parked": c.ParkClaim(token=d, reason="busy"),
    }
    assert [(await one.order(end)).state for end in ends.values()] == [*ends]
    await one.order(c.StopUnit(campaign=NIGHT, key=ids.UnitKey("e")))
    assert [(await two.order(end)).state for end in ends.values()] == [*ends]
    for token in (a, b, cc, d):
        assert isinstance(await outcome(two.order(c.CompleteUnit(token=token, exit_code=3))), StaleClaim)
    assert (await two.order(c.CompleteUnit(token=lapsed))).state == "done"
    state = await audit(pool)
    assert [state.units[NIGHT, ids.UnitKey(key)].state for key in "abcde"] == ["done", "delayed", "quarantined", "parked", "done"]


async def test_the_pool_is_exact_over_campaigns_and_replicas(one: Replica, two: Replica, pool: asyncpg.Pool) -> None:
    """A11, B-CLAIM-7."""
    await one.order(c.ResizePool(pool_size=5))
    for name in ("a", "b", "c"):
        await one.campaign(name, units(*(f"u{n}" for n in range(40))), concurrency=20)
    done = 0

    async def claimer(replica: Replica, worker: str) -> None:
        nonlocal done
        while done < 120:
            for grant in await replica.claim(worker, 2):
                await replica.order(c.CompleteUnit(token=grant.token))
                done += 1

    await asyncio.gather(*(claimer(replica, f"w{index}") for index, replica in enumerate([one, two] * 8)))
    state = await audit(pool)
    assert {campaign.outcome for campaign in state.campaigns.values()} == {"achieved"}


async def test_a_worker_whose_labels_exclude_the_neediest_campaign_gets_work_of_another(one: Replica, pool: asyncpg.Pool) -> None:
    """B-CLAIM-4."""
    await one.campaign("busy", units("a", "b"), labels={"gpu": "no"})
    await one.claim("w0", 1, "busy")
    await one.campaign("idle", units("a", "b"), labels={"gpu": "yes"})
    [grant] = await one.claim("w1", 1, labels={"gpu": "no"})
    assert (grant.campaign, grant.key) == ("busy", "b")
    await one.order(c.BeatWorker(worker=ids.WorkerId("w2"), labels={"gpu": "yes"}))
    [grant] = await one.claim("w2", 1)
    assert (grant.campaign, grant.key) == ("idle", "a")
    await audit(pool)


async def test_a_slot_that_a_neighbour_frees_is_handed_out_in_the_same_batch(one: Replica, pool: asyncpg.Pool) -> None:
    """B-CLAIM-7, B-GROUP-4."""
    await one.campaign(units=units("a", "b"), concurrency=1)
    [first] = await one.claim()
    answer = await one.submit(c.CompleteUnit(token=first.token), c.ClaimWork(worker=ids.WorkerId("other")))
    assert [grant.key for grant in answer.results[1].claims] == ["b"]
    await audit(pool)


async def test_a_rejection_is_the_answer_of_one_command_and_stores_nothing(one: Replica, pool: asyncpg.Pool) -> None:
    """A4."""
    await one.campaign(units=units("a"))
    good, bad, missing = await asyncio.gather(
        outcome(one.order(c.PauseCampaign(name=NIGHT))),
        outcome(one.campaign()),
        outcome(one.order(c.CompleteUnit(token=ids.Token("f.0")))),
    )
    assert good is None
    assert isinstance(bad, Conflict)
    assert isinstance(missing, NotFound)
    answer = await one.submit(c.ResumeCampaign(name=NIGHT), c.PauseCampaign(name=ids.CampaignName("none")))
    assert [type(result) for result in answer.results] == [type(None), NotFound]
    assert [event.body.kind for event in one.committed] == [
        "campaign.created",
        "units.added",
        "campaign.paused",
        "campaign.resumed",
    ]
    await audit(pool)


POISON = [
    c.AddUnits(campaign=NIGHT, units=units("nul", payload=Raw(b'"\\u0000"'))),
    c.AddUnits(campaign=NIGHT, units=units("half", payload=Raw(b'"\\ud800"'))),
    c.AddUnits(campaign=NIGHT, units=units("x\0y")),
    c.AddUnits(campaign=NIGHT, units=units("\ud800")),
    c.AddUnits(campaign=NIGHT, units=units("far", group=2**40)),
    c.AddUnits(campaign=NIGHT, units=units("deep", payload=Raw(b"[" * 50_000 + b"]" * 50_000))),
    c.PauseCampaign(name=NIGHT, reason="\ud800"),
    c.PauseCampaign(name=NIGHT, reason="\0"),
    c.ClaimWork(worker=ids.WorkerId("w\ud800")),
    c.BeatWorker(worker=ids.WorkerId("w\0")),
    c.BeatWorker(worker=ids.WorkerId("w"), capacity=2**31),
]


async def test_a_value_that_cannot_be_stored_is_refused_and_no_neighbour_notices(one: Replica, pool: asyncpg.Pool) -> None:
    """No input gives a 5xx: a refusal, at once, on the same connection."""
    await one.campaign(units=units("a"))
    for number, poison in enumerate(POISON, start=1):
        neighbours = [c.AddUnits(campaign=NIGHT, units=units(f"n{number}.{index}")) for index in range(20)]
        orders = [one.order(command) for command in (*neighbours[:10], poison, *neighbours[10:])]
        results = await asyncio.gather(*(outcome(order) for order in orders))
        assert isinstance(results.pop(10), Validation), poison
        assert results == [c.ImportReply(1, 0, 0)] * 20
        assert one.failures == {"invalid": number}
    assert len(one.connections) == 1
    assert len((await audit(pool)).units) == 1 + 20 * len(POISON)


async def test_commands_that_wait_go_together_in_one_transaction(one: Replica, pool: asyncpg.Pool) -> None:
    """Group commit: far fewer transactions than submissions."""
    await one.campaign()
    async with pool.acquire() as connection:
        before = await connection.fetchval("SELECT count(DISTINCT recorded_at) FROM events")
        await asyncio.gather(*(one.order(c.AddUnits(campaign=NIGHT, units=units(f"u{n}"))) for n in range(500)))
        after = await connection.fetchval("SELECT count(DISTINCT recorded_at) FROM events")
    assert after - before <= 3
    assert len({event.at for event in one.committed}) == after
    await audit(pool)


async def test_commands_within_a_few_loop_iterations_share_a_transaction(one: Replica) -> None:
    await one.campaign()
    before = one.batches

    async def late() -> Answer:
        for _ in range(2):
            await asyncio.sleep(0)
        return await one.submit(c.PauseEngine())

    first, second = await asyncio.gather(one.submit(c.PauseCampaign(name=NIGHT)), late())
    assert second.position == first.position + 1
    assert one.batches == before + 1


async def test_an_edit_to_a_quota_and_a_claim_in_one_batch_see_the_closed_gate(one: Replica, pool: asyncpg.Pool) -> None:
    """B-PARK-2, A5."""
    quota = ids.QuotaKey("api")
    await one.order(c.RecordReading(quota=quota, failure="auth"))
    await one.campaign(units=units("a"))
    edit = c.EditCampaign(name=NIGHT, patch={"quota": quota})
    answer = await one.submit(edit, c.ClaimWork(worker=ids.WorkerId("w")))
    assert answer.results[1].blocked == (c.BlockedCampaign(NIGHT, "quota"),)
    state = await audit(pool)
    assert state.quotas[quota].reason == "auth"


async def test_a_completion_after_the_lease_counts_until_somebody_else_has_the_unit(one: Replica, pool: asyncpg.Pool) -> None:
    """B-CLAIM-5, B-UNIT-1, A3: one late completion accepted, one refused and kept."""
    await one.campaign(units=units("a", "b"), retry={"backoff_ms": 100, "jitter": {"kind": "none"}}, lease_s=1)
    first, second = await one.claim("w1", 2)
    await lapse(one, pool, first.token, second.token)
    assert (await one.order(c.CompleteUnit(token=first.token))).state == "done"
    assert (await one.order(c.CompleteUnit(token=first.token))).state == "done"
    await one.order(c.RetryUnit(campaign=NIGHT, key=second.key))
    [again] = await one.claim("w2")
    wrong = ids.Token(second.token.partition(".")[0] + ".00000000000000")
    late = await one.submit(c.CompleteUnit(token=second.token), c.CompleteUnit(token=wrong))
    assert [type(result) for result in late.results] == [StaleClaim, NotFound]
    assert late.results[0].fields["current"] == "running"
    assert isinstance(one.committed[-1].body, e.LateResult)
    assert one.committed[-1].body.owner == "w2"
    assert (await one.order(c.CompleteUnit(token=again.token))).state == "done"
    assert isinstance(await outcome(one.order(c.RecordHeartbeat(token=second.token))), StaleClaim)
    await audit(pool)


async def lapse(replica: Replica, pool: asyncpg.Pool, *tokens: ids.Token) -> None:
    """Order the end of leases until their time has come."""
    async with pool.acquire() as connection:
        begun = await connection.fetchval("SELECT min(claimed_at) FROM claims")
    async with asyncio.timeout(PATIENCE_S):
        while not any(isinstance(event.body, e.LeaseExpired) for event in replica.committed):
            await replica.order(c.ExpireLeases(tokens=tokens, heard_since=begun))


async def test_a_stopping_writer_refuses_queued_and_new_commands(settings: Settings) -> None:
    """No answer is left open."""
    async with Replica(settings) as replica:
        await replica.campaign()
        waiting = [asyncio.ensure_future(replica.order(c.PauseCampaign(name=NIGHT))) for _ in range(3)]
        await asyncio.sleep(0)
    for answer in [*waiting, replica.order(c.PauseCampaign(name=NIGHT))]:
        with pytest.raises(WriteUnavailable, match="stopping"):
            await answer
