"""Investigations, recovery plans and diagnostics over HTTP, on a shard in memory."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from service.domain import commands as c
from service.domain import ids
from service.submission import Origin
from tests.http.shard import START, Shard

Http = httpx.AsyncClient


@pytest.fixture
async def lost(http: Http) -> dict[str, Any]:
    """A unit that was lost, and the claim of its investigation."""
    policy = {"investigate": True, "max_attempts": 1}
    await http.post("/v1/campaigns", json={"name": "n", "policy": policy, "units": [{"key": "a", "payload": {"n": 1}}]})
    token = (await http.post("/v1/claims", json={"worker": "w"})).json()["claims"][0]["token"]
    await http.post(
        f"/v1/claims/{token}/fail", json={"reason": "crash", "error": "token=abcdefgh", "exit_code": 3, "screen": "x"}
    )
    return await looked(http)


async def looked(http: Http) -> dict[str, Any]:
    """Claim an investigation."""
    (claim,) = (await http.post("/v1/claims", json={"worker": "s", "kind": "investigation"})).json()["claims"]
    assert isinstance(claim, dict)
    return claim


async def test_a_claim_of_an_investigation_says_what_was_left_behind(lost: dict[str, Any]) -> None:
    """B-INVEST-1, B-DIAG-2."""
    assert lost.keys() >= {"investigation", "token", "campaign", "key", "payload", "error", "exit_code", "screen", "lease_until"}
    assert (lost["kind"], lost["key"], lost["payload"], lost["exit_code"]) == ("investigation", "a", {"n": 1}, 3)
    assert (lost["error"], lost["lease_s"]) == ("token=[redacted]", 1800)


async def test_a_result_adds_the_fix_and_a_second_one_is_a_conflict(http: Http, shard: Shard, lost: dict[str, Any]) -> None:
    """B-INVEST-2."""
    path = f"/v1/investigations/{lost['investigation']}/result"
    body = {"unit": {"key": "a.fix", "payload": {"do": "it"}}, "root_cause": "a typo"}
    answer = await http.post(path, json=body)
    assert (answer.status_code, answer.json()["state"], answer.json()["fix_unit"]) == (200, "produced", "a.fix")
    assert answer.json()["position"] == len(shard.log) == int(answer.headers["Muster-Position"])
    fix = shard.state.units[ids.CampaignName("n"), ids.UnitKey("a.fix")]
    assert (bytes(fix.payload), fix.fix_of) == (b'{"do":"it"}', "a")
    again = await http.post(path, json=body)
    assert (again.status_code, again.json()["type"], again.json()["current"]) == (409, "/problems/conflict", "produced")


@pytest.mark.usefixtures("lost")
async def test_an_investigation_that_is_not_there_is_not_found(http: Http) -> None:
    """B-INVEST-2."""
    answer = await http.post("/v1/investigations/i999/result", json={})
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"unit": {"key": ""}}, 400, "unit.key"),
        ({"unit": {"key": "a", "colour": 1}}, 400, "unit.colour"),
        ({"cause": "x"}, 400, "cause"),
        ({"unit": {"key": "other"}}, 422, "unit.key"),
        ({"root_cause": 1}, 400, "root_cause"),
        ([], 400, None),
    ],
)
async def test_a_misshapen_result_names_its_field(
    http: Http, shard: Shard, lost: dict[str, Any], body: object, status: int, field: str | None
) -> None:
    """B-INVEST-2."""
    before = len(shard.log)
    answer = await http.post(f"/v1/investigations/{lost['investigation']}/result", json=body)
    assert (answer.status_code, answer.json().get("field")) == (status, field)
    assert len(shard.log) == before


async def test_a_cause_is_kept_without_its_secrets(http: Http, shard: Shard, lost: dict[str, Any]) -> None:
    """B-DIAG-2."""
    await http.post(f"/v1/investigations/{lost['investigation']}/result", json={"root_cause": "password=hunter22 is wrong"})
    (row,) = shard.state.investigations.values()
    assert (row.state, row.root_cause) == ("empty", "password=[redacted] is wrong")


@pytest.fixture
async def plan(http: Http, shard: Shard) -> str:
    """A plan for a campaign whose worker is gone."""
    await http.post("/v1/campaigns", json={"name": "n", "units": [{"key": "a"}, {"key": "b"}]})
    await http.post("/v1/claims", json={"worker": "w"})
    shard.at = START + timedelta(hours=1)
    detect = c.DetectRecovery(campaign=ids.CampaignName("n"), last_position=3, heard_since=shard.at - timedelta(seconds=31))
    await shard.submit([detect], Origin(actor="watcher"))
    (row,) = shard.state.recoveries
    return row


@pytest.mark.parametrize(("way", "state", "unit"), [("apply", "applied", "ready"), ("decline", "declined", "cancelled")])
async def test_a_plan_is_decided_once(http: Http, shard: Shard, plan: str, way: str, state: str, unit: str) -> None:
    """B-RECOV-2."""
    answer = await http.post(f"/v1/recovery/{plan}/{way}")
    assert (answer.status_code, answer.json()["state"]) == (200, state)
    assert shard.state.units[ids.CampaignName("n"), ids.UnitKey("a")].state == unit
    for again in ("apply", "decline"):
        answer = await http.post(f"/v1/recovery/{plan}/{again}", json={})
        assert (answer.status_code, answer.json()["current"]) == (409, state)


@pytest.mark.usefixtures("plan")
async def test_a_plan_that_is_not_there_is_not_found(http: Http) -> None:
    """B-RECOV-2."""
    for way in ("apply", "decline"):
        assert (await http.post(f"/v1/recovery/r999/{way}")).status_code == 404


async def test_a_decision_takes_nothing_but_itself(http: Http, plan: str) -> None:
    """B-RECOV-2."""
    answer = await http.post(f"/v1/recovery/{plan}/apply", json={"why": "x"})
    assert (answer.status_code, answer.json()["field"]) == (400, "why")


async def test_a_bundle_is_a_file_with_a_time_in_its_name(http: Http) -> None:
    """B-DIAG-1."""
    await http.post("/v1/campaigns", json={"name": "n"})
    answer = await http.post("/v1/campaigns/n/diagnostics")
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"] == 'attachment; filename="muster-n-2026-01-01T000000Z.json"'
    assert int(answer.headers["Muster-Position"]) == 2


async def test_a_second_bundle_within_a_minute_needs_force(http: Http, shard: Shard) -> None:
    """B-DIAG-1."""
    await http.post("/v1/campaigns", json={"name": "n"})
    path = "/v1/campaigns/n/diagnostics"
    statuses = [(await http.post(path)).status_code, (await http.post(path)).status_code]
    statuses += [(await http.post(path, json={"force": True})).status_code, (await http.post(path)).status_code]
    statuses += [(await http.post(path, params={"force": "true"})).status_code]
    shard.at += timedelta(seconds=60)
    statuses += [(await http.post(path, json={"force": False})).status_code]
    assert statuses == [200, 409, 200, 409, 200, 200]


async def test_an_unknown_bundle_is_404_and_a_wrong_force_is_named(http: Http) -> None:
    """B-DIAG-1."""
    assert (await http.post("/v1/campaigns/n/diagnostics")).status_code == 404
    await http.post("/v1/campaigns", json={"name": "n"})
    answer = await http.post("/v1/campaigns/n/diagnostics", params={"force": "maybe"})
    assert (answer.status_code, answer.json()["field"]) == (400, "force")


async def test_a_repeated_request_for_a_bundle_gets_the_first_one_again(http: Http) -> None:
    """B-DIAG-1."""
    await http.post("/v1/campaigns", json={"name": "n"})
    key = {"Idempotency-Key": "k"}
    first, second = [await http.post("/v1/campaigns/n/diagnostics", headers=key) for _ in range(2)]
    assert (second.status_code, second.content) == (200, first.content)
    assert second.headers["Idempotency-Replayed"] == "true"
