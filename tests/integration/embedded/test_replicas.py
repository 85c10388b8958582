"""Two replicas on one database, as operators run them: slots, breaker and tokens are exact on either."""

import asyncio
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from itertools import cycle
from typing import Any

import asyncpg
import httpx
import pytest

from tests.patience import PATIENCE_S
from tests.property.log_checks import TAKERS
from tests.property.log_model import LogModel
from tests.refold import audit, events
from tests.service import Program, free_port

CLAIMERS, CONCURRENCY, UNITS = 16, 7, 150
RACES, CAMPAIGNS, AT_ONCE = 10_000, 200, 5
ROADS = 4


@pytest.fixture
async def replicas(dsn: str) -> AsyncIterator[list[httpx.AsyncClient]]:
    """A client of each of two running replicas."""
    async with AsyncExitStack() as stack:
        environment = {"MUSTER_AUTH": "off"}
        programs = [
            stack.enter_context(Program("serve", "--dsn", dsn, "--port", str(free_port()), **environment)) for _ in range(2)
        ]
        urls = [await asyncio.to_thread(program.url) for program in programs]
        clients = (httpx.AsyncClient(base_url=url, timeout=PATIENCE_S, trust_env=False) for url in urls)
        yield [await stack.enter_async_context(client) for client in clients]


async def post(client: httpx.AsyncClient, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Order something and return the answer."""
    answer = await client.post(path, json=body or {})
    assert answer.is_success, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def checked(pool: asyncpg.Pool) -> LogModel:
    """Hold the tables against the log, and every event against the account of what may happen."""
    await audit(pool)
    model = LogModel(TAKERS)
    async with pool.acquire() as connection:
        for event in await events(connection):
            model.take(event)
    return model


async def test_sixteen_claimers_on_two_replicas_never_hold_more_than_seven_slots(
    replicas: list[httpx.AsyncClient], pool: asyncpg.Pool
) -> None:
    """B-CLAIM-7, B-CLAIM-1, A11: and the seven are used."""
    units = [{"key": f"u{number}"} for number in range(UNITS)]
    await post(replicas[0], "/v1/campaigns", {"name": "n", "policy": {"concurrency": CONCURRENCY}, "units": units})
    held: set[str] = set()
    widest = 0
    done: Counter[str] = Counter()

    async def work(name: str, here: httpx.AsyncClient, there: httpx.AsyncClient) -> None:
        nonlocal widest
        while sum(done.values()) < UNITS:
            claims = (await post(here, "/v1/claims", {"worker": name, "campaigns": ["n"], "wait_s": 1}))["claims"]
            for claim in claims:
                held.add(claim["token"])
                widest = max(widest, len(held))
                await post(here, f"/v1/claims/{claim['token']}/heartbeat")
                done[claim["key"]] += 1
                held.remove(claim["token"])
                await post(there, f"/v1/claims/{claim['token']}/complete")

    router = cycle([(replicas[0], replicas[1]), (replicas[1], replicas[0])])
    async with asyncio.TaskGroup() as claimers:
        for number in range(CLAIMERS):
            claimers.create_task(work(f"w{number}", *next(router)))
    assert 1 < widest <= CONCURRENCY
    assert done == Counter(unit["key"] for unit in units)
    model = await checked(pool)
    assert model.campaigns["n"].ended == "completed"
    assert (await running(pool))[1] == CONCURRENCY


async def running(pool: asyncpg.Pool) -> tuple[int, int]:
    """Return how many units run at the end of the log, and how many did at most."""
    now = most = 0
    async with pool.acquire() as connection:
        for event in await events(connection):
            now += (event.body.kind == "unit.claimed") - (event.body.kind == "unit.completed")
            most = max(most, now)
    return now, most


@pytest.mark.usefixtures("patience")
async def test_ten_thousand_failures_that_race_a_reset_are_never_lost_nor_is_a_reset(
    replicas: list[httpx.AsyncClient], pool: asyncpg.Pool
) -> None:
    """B-BREAK-7, B-BREAK-1, B-BREAK-2, A7: the count is what the log says, each trip is exact, each reset is a zero."""
    await replicas[0].patch("/v1/engine", json={"pool_size": RACES})
    await asyncio.gather(*(begin(replicas[number % 2], f"n{number}") for number in range(CAMPAIGNS)))
    resets: list[tuple[str, int]] = []

    async def reset(client: httpx.AsyncClient, name: str) -> None:
        resets.append((name, (await post(client, f"/v1/campaigns/{name}/breaker/reset"))["position"]))

    async def race(road: int) -> None:
        names = [f"n{number}" for number in range(CAMPAIGNS) if number % ROADS == road]
        tokens = [await claim_all(replicas[road % 2], name) for name in names]
        for start in range(0, len(tokens[0]), AT_ONCE):
            failed = [{"type": "failed", "token": one, "reason": "crash"} for of in tokens for one in of[start : start + AT_ONCE]]
            one, other = replicas if (start // AT_ONCE + road) % 2 else replicas[::-1]
            [told, *_] = await asyncio.gather(report(one, failed), *(reset(other, name) for name in names))
            assert told == [True] * len(failed)

    await asyncio.gather(*(race(road) for road in range(ROADS)))
    model = await checked(pool)
    assert sum(expected.states["quarantined"] for expected in model.campaigns.values()) == RACES, "every failure is in the log"
    assert len(resets) == RACES // AT_ONCE
    counts = await counted(pool)
    for name, position in resets:
        place = bisect_right(counts[name], (position, RACES))
        assert place == 0 or counts[name][place - 1][1] == 0, "after a reset the count is zero"
    for name, expected in model.campaigns.items():
        view = (await replicas[1].get(f"/v1/campaigns/{name}", params={"at_least": model.position})).json()
        assert (view["breaker"]["consecutive_failures"], view["breaker"]["tripped"]) == (len(expected.failures), expected.tripped)


async def begin(client: httpx.AsyncClient, name: str) -> None:
    """Make a campaign whose units fail for good at once."""
    units = [{"key": f"u{number}"} for number in range(RACES // CAMPAIGNS)]
    await post(client, "/v1/campaigns", {"name": name, "policy": {"concurrency": RACES, "max_attempts": 1}, "units": units})


async def claim_all(client: httpx.AsyncClient, name: str) -> list[str]:
    """Claim everything in a campaign."""
    answer = await post(client, "/v1/claims", {"worker": "w", "campaigns": [name], "max": 1000})
    return [claim["token"] for claim in answer["claims"]]


async def report(client: httpx.AsyncClient, items: list[dict[str, Any]]) -> list[bool]:
    """Report, and return what was accepted."""
    answer = await post(client, "/v1/reports", {"worker": "w", "reports": items})
    return [result["ok"] for result in answer["results"]]


async def counted(pool: asyncpg.Pool) -> dict[str, list[tuple[int, int]]]:
    """Return of each campaign how many failures in a row there were, from each position on."""
    counts: dict[str, list[tuple[int, int]]] = defaultdict(list)
    async with pool.acquire() as connection:
        for event in await events(connection):
            if event.body.kind == "unit.attempt_failed":
                before = counts[event.campaign or ""][-1:]
                counts[event.campaign or ""].append((event.position, before[0][1] + 1 if before else 1))
            elif event.body.kind == "campaign.breaker_reset":
                counts[event.campaign or ""].append((event.position, 0))
    return counts


async def test_a_token_is_worth_the_same_at_every_replica(replicas: list[httpx.AsyncClient], pool: asyncpg.Pool) -> None:
    """B-CLAIM-1, A3: of two completions at once one counts, and both are told so; a superseded token is refused by both."""
    await post(replicas[0], "/v1/campaigns", {"name": "n", "units": [{"key": "a"}, {"key": "b"}]})
    first, second = (await post(replicas[0], "/v1/claims", {"worker": "w", "max": 2}))["claims"]
    path = f"/v1/claims/{first['token']}/complete"
    answers = await asyncio.gather(*(post(replica, path) for replica in replicas * 8))
    assert {answer["state"] for answer in answers} == {"done"}
    await post(replicas[1], f"/v1/claims/{second['token']}/release", {"reason": "worker"})
    [again] = (await post(replicas[1], "/v1/claims", {"worker": "other"}))["claims"]
    refusals = await asyncio.gather(*(replica.post(f"/v1/claims/{second['token']}/complete", json={}) for replica in replicas))
    assert [(answer.status_code, answer.json()["type"]) for answer in refusals] == [(409, "/problems/stale-claim")] * 2
    await post(replicas[0], f"/v1/claims/{again['token']}/complete")
    assert (await checked(pool)).campaigns["n"].ended == "completed"
