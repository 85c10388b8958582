"""Claims over HTTP, and how they wait."""

import asyncio
from typing import Any

import httpx
import pytest

from service.http.context import WriteContext
from service.http.handlers import claims
from service.http.middleware import Middleware
from tests.http.parts import of, post
from tests.http.shard import Shard

Http = httpx.AsyncClient
PATH = "/v1/claims"
SOONER_S = 30
"""Half of what the longest claim would wait."""


@pytest.fixture(autouse=True)
async def campaign(http: Http) -> None:
    """A campaign with one unit."""
    await http.post("/v1/campaigns", json={"name": "n", "brief": "do it", "units": [{"key": "a", "payload": {"n": 1}}]})


async def waiting(context: WriteContext, count: int = 1) -> None:
    """Return when *count* claims wait."""
    while len(context.waiting) != count:  # noqa: ASYNC110 - nothing notifies a test
        await asyncio.sleep(0)


async def test_a_claim_carries_what_the_worker_needs(http: Http) -> None:
    """B-CLAIM-1."""
    answer = await http.post(PATH, json={"worker": "w"})
    (claim,) = answer.json()["claims"]
    assert answer.json()["position"] == int(answer.headers["Muster-Position"])
    assert claim.pop("token")
    assert claim.pop("lease_until").endswith("Z")
    assert claim == {
        "campaign": "n",
        "key": "a",
        "payload": {"n": 1},
        "attempt": 1,
        "brief": "do it",
        "brief_rev": 1,
        "lease_s": 300.0,
        "resume_session": None,
        "kind": "unit",
    }


async def test_an_empty_claim_says_why(http: Http) -> None:
    await http.post("/v1/campaigns/n/pause")
    answer = await http.post(PATH, json={"worker": "w", "campaigns": ["n"]})
    assert answer.json()["claims"] == []
    assert [blocked["campaign"] for blocked in answer.json()["blocked"]] == ["n"]
    assert (await http.post(PATH, json={"worker": "w", "campaigns": ["other"]})).status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "worker"),
        ({"worker": ""}, "worker"),
        ({"worker": "a\nb"}, "worker"),
        ({"worker": "w" * 129}, "worker"),
        ({"worker": "w", "max": 0}, "max"),
        ({"worker": "w", "max": 1001}, "max"),
        ({"worker": "w", "wait_s": 61}, "wait_s"),
        ({"worker": "w", "wait_s": -1}, "wait_s"),
        ({"worker": "w", "mode": "any"}, "mode"),
        ({"worker": "w", "campaigns": ["N"]}, "campaigns[0]"),
        ({"worker": "w", "labels": {"": "x"}}, "labels"),
    ],
)
async def test_a_wish_outside_its_limits_is_refused_by_its_field(http: Http, body: dict[str, Any], field: str) -> None:
    answer = await http.post(PATH, json=body)
    assert (answer.status_code, answer.json()["field"]) == (400, field)


async def test_a_waiting_claim_is_woken_by_what_it_waits_for(
    http: Http, context: WriteContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B-CLAIM-9: no look that is made now and then finds it; `make bench` measures how soon."""
    monkeypatch.setattr(claims, "POLL_S", 3600.0)
    await http.post(PATH, json={"worker": "w"})
    wish = asyncio.create_task(http.post(PATH, json={"worker": "w", "wait_s": 60}))
    await waiting(context)
    await http.post("/v1/campaigns/n/units", json=[{"key": "b"}])
    async with asyncio.timeout(SOONER_S):
        answer = await wish
    assert [claim["key"] for claim in answer.json()["claims"]] == ["b"]


async def test_a_waiting_claim_ends_empty_when_its_time_is_over(http: Http) -> None:
    await http.post(PATH, json={"worker": "w"})
    answer = await http.post(PATH, json={"worker": "w", "wait_s": 0.05})
    assert (answer.status_code, answer.json()["claims"]) == (200, [])


async def test_a_waiting_claim_polls_even_without_a_notification(
    http: Http, context: WriteContext, shard: Shard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "POLL_S", 0.01)
    await http.post("/v1/engine/pause")
    wish = asyncio.create_task(http.post(PATH, json={"worker": "w", "wait_s": 30}))
    await waiting(context)
    shard.wakeup.notify = lambda: None  # type: ignore[method-assign]
    await http.post("/v1/engine/resume")
    assert len((await wish).json()["claims"]) == 1


async def test_waiting_claims_are_answered_when_the_service_stops(
    http: Http, context: WriteContext, stopping: asyncio.Event
) -> None:
    await http.post(PATH, json={"worker": "w"})
    wish = asyncio.create_task(http.post(PATH, json={"worker": "w", "wait_s": 60}))
    await waiting(context)
    stopping.set()
    async with asyncio.timeout(SOONER_S):
        assert (await wish).json()["claims"] == []


async def test_a_worker_that_left_is_given_nothing(http: Http, app: Middleware, shard: Shard) -> None:
    """A13."""
    await http.post(PATH, json={"worker": "w"})
    async with asyncio.timeout(SOONER_S):
        await post(app, PATH, of([b'{"worker":"w2","wait_s":60}']), {"Content-Type": "application/json"})
    await http.post("/v1/campaigns/n/units", json=[{"key": "b"}])
    assert shard.state.units["n", "b"].state == "ready"  # type: ignore[index]


async def test_the_number_of_waiting_claims_is_limited(http: Http, context: WriteContext, stopping: asyncio.Event) -> None:
    """A13."""
    await http.post(PATH, json={"worker": "w"})
    wishes = [asyncio.create_task(http.post(PATH, json={"worker": "w", "wait_s": 60})) for _ in range(2)]
    await waiting(context, 2)
    refused = await http.post(PATH, json={"worker": "w", "wait_s": 1})
    assert (refused.status_code, refused.json()["type"]) == (429, "/problems/too-many-requests")
    assert refused.headers["Retry-After"] == "1"
    assert (await http.post(PATH, json={"worker": "w"})).status_code == 200
    stopping.set()
    await asyncio.gather(*wishes)


async def test_a_repeated_claim_request_gets_the_same_grant(http: Http, shard: Shard) -> None:
    first = await http.post(PATH, json={"worker": "w"}, headers={"Idempotency-Key": "k"})
    head = len(shard.log)
    again = await http.post(PATH, json={"worker": "w"}, headers={"Idempotency-Key": "k"})
    assert again.content == first.content
    assert (again.headers["Idempotency-Replayed"], again.headers["Muster-Position"]) == ("true", first.headers["Muster-Position"])
    assert "Idempotency-Replayed" not in first.headers
    assert len(shard.log) == head
    other = await http.post(PATH, json={"worker": "w2"}, headers={"Idempotency-Key": "k"})
    assert (other.status_code, other.json()["field"]) == (422, "Idempotency-Key")


async def test_a_repeated_waiting_claim_gets_its_grant(http: Http, context: WriteContext, shard: Shard) -> None:
    await http.post(PATH, json={"worker": "w"})
    wish = {"worker": "w", "wait_s": 30}
    first = asyncio.create_task(http.post(PATH, json=wish, headers={"Idempotency-Key": "k"}))
    await waiting(context)
    await http.post("/v1/campaigns", json={"name": "m"})
    await http.post("/v1/campaigns/n/units", json=[{"key": "b"}])
    granted = (await first).json()
    assert [claim["key"] for claim in granted["claims"]] == ["b"]
    again = await http.post(PATH, json=wish, headers={"Idempotency-Key": "k"})
    assert (again.json(), again.headers["Idempotency-Replayed"]) == (granted, "true")
    assert list(shard.kept) == ["k"]
