"""Campaigns over HTTP."""

from typing import Any

import httpx
import pytest

from tests.http.shard import Shard

Http = httpx.AsyncClient


@pytest.fixture
async def nightly(http: Http) -> None:
    """A campaign with two units."""
    answer = await http.post("/v1/campaigns", json={"name": "nightly", "units": [{"key": "a"}, {"key": "b"}]})
    assert answer.status_code == 201


async def test_a_new_campaign_is_answered_with_its_view_and_position(http: Http, shard: Shard) -> None:
    answer = await http.post("/v1/campaigns", json={"name": "n", "units": [{"key": "a"}]})
    assert answer.status_code == 201
    assert answer.json()["position"] == len(shard.log) == int(answer.headers["Muster-Position"])
    assert answer.headers["ETag"] == '"1"'


@pytest.mark.usefixtures("nightly")
async def test_a_name_is_taken_once(http: Http) -> None:
    answer = await http.post("/v1/campaigns", json={"name": "nightly"})
    assert answer.status_code == 409
    assert answer.json() | {"detail": ""} == {
        "type": "/problems/conflict",
        "title": "Conflict with the current state",
        "status": 409,
        "detail": "",
        "field": "name",
        "current": "nightly",
    }


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": "N"}, "name"),
        ({"name": "n\n"}, "name"),
        ({"name": "n" * 64}, "name"),
        ({"name": "n", "colour": 1}, "colour"),
        ({"name": "n", "auto": "yes"}, "auto"),
        ({"name": "n", "deadline": "2030-01-01T00:00:00"}, "deadline"),
        ({"name": "n", "deadline": "9999-12-31T23:59:59-14:00"}, "deadline"),
        ({"name": "n", "units": [{"key": "a"}, {"key": "b", "group": 2**31}]}, "units[1].group"),
        ({"name": "n", "units": [{"key": ""}]}, "units[0].key"),
        ({"name": "n", "units": [{"key": "a\tb"}]}, "units[0].key"),
        ({"name": "n", "units": [{"key": "a" * 201}]}, "units[0].key"),
        ({"name": "n", "units": [{"key": "a", "why": 1}]}, "units[0].why"),
        ({"name": "n", "units": [{"key": "a", "estimate_s": -1}]}, "units[0].estimate_s"),
        ({"name": "n", "quota": "a\u200bb"}, "quota"),
        ({"name": "n", "title": "a\0b"}, "title"),
        ({"name": "n", "labels": {"a": "b\0"}}, "labels.a"),
        ({"name": "n", "policy": {"a": {"b": {"c": [10**40]}}}}, "policy.a.b.c[0]"),
    ],
)
async def test_a_field_that_breaks_its_shape_is_named(http: Http, shard: Shard, body: dict[str, Any], field: str) -> None:
    answer = await http.post("/v1/campaigns", json=body)
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "/problems/validation"
    assert answer.json()["field"] == field
    assert not shard.log


@pytest.mark.parametrize(
    ("policy", "status", "field"),
    [
        ({"max_attempts": 11}, 422, "policy.max_attempts"),
        ({"on_dead": "pray"}, 422, "policy.on_dead"),
        ({"max_attempts": "3"}, 400, "policy.max_attempts"),
        ({"retry": {"colour": 1}}, 400, "policy.retry.colour"),
    ],
)
async def test_a_policy_outside_its_limits_is_unprocessable_and_one_of_another_shape_not_valid(
    http: Http, policy: dict[str, Any], status: int, field: str
) -> None:
    answer = await http.post("/v1/campaigns", json={"name": "n", "policy": policy})
    assert (answer.status_code, answer.json()["field"]) == (status, field)


async def test_a_cycle_is_refused_with_its_path_and_nothing_is_stored(http: Http, shard: Shard) -> None:
    """B-DAG-1."""
    units = [{"key": "a", "depends_on": ["b"]}, {"key": "b", "depends_on": ["a"]}]
    answer = await http.post("/v1/campaigns", json={"name": "n", "units": units})
    assert answer.status_code == 422
    assert answer.json()["path"] == ["a", "b", "a"]
    assert not shard.log


@pytest.mark.usefixtures("nightly")
async def test_an_edit_is_guarded_by_the_version_that_it_saw(http: Http) -> None:
    """B-CAMP-3."""
    done = await http.patch("/v1/campaigns/nightly", json={"title": "T"}, headers={"If-Match": '"1"'})
    assert (done.status_code, done.headers["ETag"], done.json()["title"]) == (200, '"2"', "T")
    stale = await http.patch("/v1/campaigns/nightly", json={"title": "U"}, headers={"If-Match": 'W/"1"'})
    assert (stale.status_code, stale.json()["type"], stale.json()["current"]) == (412, "/problems/precondition-failed", 2)
    wrong = await http.patch("/v1/campaigns/nightly", json={"title": "U"}, headers={"If-Match": "abc"})
    assert (wrong.status_code, wrong.json()["field"]) == (400, "If-Match")
    anyone = await http.patch(
        "/v1/campaigns/nightly",
        content=b'{"labels":{"a":"b"}}',
        headers={"If-Match": "*", "Content-Type": "application/merge-patch+json"},
    )
    assert anyone.json()["labels"] == {"a": "b"}


@pytest.mark.usefixtures("nightly")
async def test_a_switch_is_idempotent_and_needs_no_body(http: Http) -> None:
    """B-CAMP-2."""
    first = await http.post("/v1/campaigns/nightly/pause", json={"reason": "why"})
    again = await http.post("/v1/campaigns/nightly/pause")
    assert first.json() == again.json()
    assert first.json()["state"] == "paused"
    assert (await http.post("/v1/campaigns/nightly/resume")).json()["state"] == "running"
    assert (await http.post("/v1/campaigns/nightly/cancel")).json()["state"] == "cancelled"
    assert (await http.post("/v1/campaigns/nightly/pause")).status_code == 409


@pytest.mark.usefixtures("nightly")
async def test_the_breaker_is_reset_by_post_alone_and_of_a_known_campaign(http: Http) -> None:
    """B-BREAK-5."""
    assert (await http.post("/v1/campaigns/nightly/breaker/reset")).status_code == 200
    wrong = await http.get("/v1/campaigns/nightly/breaker/reset")
    assert (wrong.status_code, wrong.headers["Allow"]) == (405, "OPTIONS, POST")
    assert (await http.post("/v1/campaigns/other/breaker/reset")).status_code == 404


async def test_labels_are_redacted(http: Http, shard: Shard) -> None:
    """B-DIAG-2."""
    await http.post("/v1/campaigns", json={"name": "n", "labels": {"api_token": "abc", "team": "core"}})
    assert shard.state.campaigns["n"].labels == {"api_token": "[redacted]", "team": "core"}  # type: ignore[index]


async def test_retry_failed_clears_what_matches_in_chunks_under_one_id(http: Http, shard: Shard) -> None:
    """B-RETRY-7."""
    units = [{"key": f"u{number:04}"} for number in range(1200)]
    await http.post("/v1/campaigns", json={"name": "n", "units": units})
    for unit in units:
        answer = await http.post(f"/v1/campaigns/n/units/{unit['key']}/quarantine", json={"reason": "exit 1"})
        assert answer.status_code == 200
    path = "/v1/campaigns/n/retry-failed"
    counted = (await http.post(path, json={"dry_run": True, "where": {"error_glob": "EXIT ?"}})).json()
    assert (counted["matched"], counted["cleared"]) == (1200, 0)
    assert (await http.post(path, json={"where": {"reason": "max_attempts"}})).json()["matched"] == 0
    head = len(shard.log)
    done = await http.post(path, json={"reload_brief": "new"}, headers={"Idempotency-Key": "k"})
    assert (done.json()["matched"], done.json()["cleared"], done.json()["position"]) == (1200, 1200, len(shard.log))
    ids = {event.body.bulk_id for event in shard.log[head:] if event.body.kind == "unit.quarantine_cleared"}  # type: ignore[attr-defined]
    assert ids == {done.json()["bulk_id"]}
    again = await http.post(path, json={"reload_brief": "new"}, headers={"Idempotency-Key": "k"})
    assert (again.json(), again.headers["Idempotency-Replayed"]) == (done.json(), "true")
    assert (await http.post(path, json={"dry_run": True})).json()["matched"] == 0
    assert (await http.post("/v1/campaigns/x/retry-failed", json={"dry_run": True})).status_code == 404
    assert (await http.post("/v1/campaigns/x/retry-failed")).status_code == 404
