"""Two replicas on one database, as operators run them: slots, breaker and tokens are exact whoever is asked."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from itertools import cycle
from typing import Any

import asyncpg
import httpx
import pytest

from tests.property.books import Ledger
from tests.property.ledger import TAKERS
from tests.refold import audit, events
from tests.service import Program, free_port

CLAIMERS, CONCURRENCY, UNITS = 16, 7, 150
RACES = 600
ROADS = 8


@pytest.fixture
async def replicas(dsn: str) -> AsyncIterator[list[httpx.AsyncClient]]:
    """A client of each of two running replicas."""
    async with AsyncExitStack() as stack:
        environment = {"MUSTER_AUTH": "off"}
        programs = [
            stack.enter_context(Program("serve", "--dsn", dsn, "--port", str(free_port()), **environment)) for _ in range(2)
        ]
        urls = [await asyncio.to_thread(program.url) for program in programs]
        clients = (httpx.AsyncClient(base_url=url, timeout=30, trust_env=False) for url in urls)
        yield [await stack.enter_async_context(client) for client in clients]


async def post(client: httpx.AsyncClient, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Order something and return the answer."""
    answer = await client.post(path, json=body or {})
    assert answer.is_success, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def checked(pool: asyncpg.Pool) -> Ledger:
    """Hold the tables against the log, and every event against the account of what may happen."""
    await audit(pool)
    ledger = Ledger(TAKERS)
    async with pool.acquire() as connection:
        for event in await events(connection):
            ledger.take(event)
    return ledger


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

    roads = cycle([(replicas[0], replicas[1]), (replicas[1], replicas[0])])
    async with asyncio.TaskGroup() as claimers:
        for number in range(CLAIMERS):
            claimers.create_task(work(f"w{number}", *next(roads)))
    assert 1 < widest <= CONCURRENCY
    assert done == Counter(unit["key"] for unit in units)
    ledger = await checked(pool)
    assert ledger.books["n"].ended == "completed"
    assert (await running(pool))[1] == CONCURRENCY


async def running(pool: asyncpg.Pool) -> tuple[int, int]:
    """Return how many units run at the end of the log, and how many did at most."""
    now = most = 0
    async with pool.acquire() as connection:
        for event in await events(connection):
            now += (event.body.kind == "unit.claimed") - (event.body.kind == "unit.completed")
            most = max(most, now)
    return now, most


async def test_a_failure_that_races_a_reset_is_never_lost_nor_is_the_reset(
    replicas: list[httpx.AsyncClient], pool: asyncpg.Pool
) -> None:
    """B-BREAK-7, B-BREAK-1, B-BREAK-2, A7: 600 races; the count is what the log says, and every trip is exact."""
    policy = {"concurrency": RACES, "max_attempts": 1, "breaker": {"threshold": 3}}
    await post(replicas[0], "/v1/campaigns", {"name": "n", "policy": policy})
    answer = await replicas[0].post("/v1/campaigns/n/units", json=[{"key": f"u{number}"} for number in range(RACES)])
    assert answer.is_success
    tokens = [claim["token"] for claim in (await post(replicas[0], "/v1/claims", {"worker": "w", "max": RACES}))["claims"]]
    assert len(tokens) == RACES

    async def race(mine: list[str], one: httpx.AsyncClient, other: httpx.AsyncClient) -> None:
        for token in mine:
            failing = post(one, f"/v1/claims/{token}/fail", {"reason": "crash", "error": "exit 1"})
            await asyncio.gather(failing, post(other, "/v1/campaigns/n/breaker/reset"))

    async with asyncio.TaskGroup() as racers:
        for road in range(ROADS):
            pair = replicas if road % 2 else replicas[::-1]
            racers.create_task(race(tokens[road::ROADS], *pair))
    ledger = await checked(pool)
    book = ledger.books["n"]
    view = (await replicas[1].get("/v1/campaigns/n", params={"at_least": ledger.position})).json()
    assert book.states["quarantined"] == RACES, "every failure is in the log"
    assert (view["breaker"]["consecutive_failures"], view["breaker"]["tripped"]) == (len(book.failures), book.tripped)


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
    assert (await checked(pool)).books["n"].ended == "completed"
