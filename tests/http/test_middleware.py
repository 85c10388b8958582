"""What every request passes: traps of bytes and headers, methods, traces, idempotency, problems."""

import gzip
import json
import logging
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.http.middleware import Middleware
from service.http.problems import KINDS
from tests.http.parts import ask, of
from tests.http.shard import Shard

Http = httpx.AsyncClient
JSON = {"Content-Type": "application/json"}
SECRET = "SELECT secret FROM nowhere"


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"nonsense",
        b'{"name":"\xff"}',
        b'{"name":"n","title":"\xed\xa0\x80"}',
        b'{"name":"n","title":"\\ud800"}',
        b'{"name":"n","title":"\\u0000"}',
        b'{"name":"n","units":[{"key":"a","payload":"\\u0000"}]}',
        b'{"name":"n","units":[{"key":"a","payload":"\\udc00"}]}',
        b'{"name":"n","units":[{"key":"a","payload":"\xff"}]}',
        b'{"name":"n","units":[{"key":"a","payload":' + b"9" * 40 + b"}]}",
        b'{"name":"n","units":[{"key":"a","payload":1e999}]}',
        b'{"name":"n","units":[{"key":"a","payload":1e-99999}]}',
        b'{"name":"n","units":[{"key":"a","priority":' + b"9" * 40 + b"}]}",
        b'{"name":"n","policy":' + b'{"a":' * 300 + b"1" + b"}" * 301,
        b"[" * 100_000,
        b'{"name":"n","units":' + b"[" * 100_000,
        b"\xef\xbb\xbf{}",
        b"null",
        b"[]",
    ],
)
async def test_bytes_that_no_database_could_hold_are_refused(http: Http, shard: Shard, body: bytes) -> None:
    answer = await http.post("/v1/campaigns", content=body, headers=JSON)
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/validation"), answer.text
    assert not shard.log


@pytest.mark.parametrize("given", ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1", None])
async def test_a_body_that_does_not_say_that_it_is_json_is_refused(http: Http, given: str | None) -> None:
    answer = await http.post("/v1/campaigns", content=b'{"name":"n"}', headers={"Content-Type": given} if given else {})
    assert (answer.status_code, answer.json()["field"]) == (400, "Content-Type")


@pytest.mark.parametrize("given", ["application/json", "application/json; charset=utf-8", "Application/JSON;charset=UTF-8"])
async def test_a_body_that_says_that_it_is_json_is_taken(http: Http, given: str) -> None:
    assert (await http.post("/v1/campaigns", content=b'{"name":"n"}', headers={"Content-Type": given})).status_code == 201


async def test_a_body_larger_than_the_limit_is_refused_before_it_is_read(app: Middleware) -> None:
    answer = await ask(app, "POST", "/v1/campaigns", of(b" " * 65_536 for _ in range(10_000)), JSON)
    assert (answer.status, answer.json()["allowed"]) == (413, 2**20)


async def test_a_body_may_come_in_parts(app: Middleware) -> None:
    answer = await ask(app, "POST", "/v1/campaigns", of([b'{"na', b'me":', b'"n"}']), JSON)
    assert answer.status == 201


async def test_an_unknown_path_is_a_problem(http: Http) -> None:
    answer = await http.get("/v1/nothing")
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_wrong_method_is_told_the_right_ones(http: Http) -> None:
    answer = await http.delete("/v1/campaigns")
    assert (answer.status_code, answer.json()["allowed"]) == (405, ["OPTIONS", "POST"])
    assert answer.headers["Allow"] == "OPTIONS, POST"


async def test_a_packed_body_is_refused_by_the_name_of_its_packing(http: Http, shard: Shard) -> None:
    packed = gzip.compress(b'{"name":"n"}')
    for path, kind in (("/v1/campaigns", "application/json"), ("/v1/campaigns/n/units", "application/x-ndjson")):
        answer = await http.post(path, content=packed, headers={"Content-Type": kind, "Content-Encoding": "gzip"})
        problem = answer.json()
        assert (answer.status_code, problem["field"], problem["current"]) == (400, "Content-Encoding", "gzip")
        assert problem["allowed"] == ["identity"]
    assert not shard.log
    plain = await http.post("/v1/campaigns", json={"name": "n"}, headers={"Content-Encoding": "identity"})
    assert plain.status_code == 201


@pytest.mark.parametrize(
    ("path", "body", "field", "allowed"),
    [
        ("/v1/claims", {"worker": "w", "mode": "fast"}, "mode", ["auto", "manual"]),
        ("/v1/campaigns", {"name": "n", "policy": {"on_dead": "x"}}, "policy.on_dead", ["quarantine", "requeue"]),
    ],
)
async def test_a_wrong_word_is_told_the_right_ones(http: Http, path: str, body: object, field: str, allowed: list[str]) -> None:
    problem = (await http.post(path, json=body)).json()
    assert (problem["field"], problem["allowed"]) == (field, allowed)


async def test_an_invalid_name_is_refused_with_a_portable_pattern(http: Http) -> None:
    problem = (await http.post("/v1/campaigns", json={"name": "Bad_Name"})).json()
    assert problem["field"] == "name"
    assert problem["allowed"].endswith("matching regex '^[a-z0-9][a-z0-9._-]{0,62}$'")


async def test_an_action_on_an_unversioned_object_has_no_etag(http: Http) -> None:
    await http.post("/v1/reports", json={"worker": "w", "reports": [{"type": "worker"}]})
    assert "ETag" not in (await http.post("/v1/workers/w/drain")).headers
    assert (await http.post("/v1/campaigns", json={"name": "n"})).headers["ETag"] == '"1"'


async def test_a_parameter_without_meaning_is_refused_before_anything_happens(http: Http, shard: Shard) -> None:
    answer = await http.post("/v1/campaigns/n/retry-failed?dry_run=true")
    assert (answer.status_code, answer.json()["field"], answer.json()["allowed"]) == (400, "dry_run", [])
    assert not shard.commands
    assert (await http.get("/schema/openapi.json?v=2")).status_code == 200


async def test_a_path_tells_its_methods(http: Http) -> None:
    answer = await http.options("/v1/claims")
    assert (answer.status_code, answer.headers["Allow"], answer.content) == (204, "OPTIONS, POST", b"")
    assert (await http.options("/v1/nothing")).status_code == 404


async def test_a_slash_at_the_end_changes_nothing(http: Http) -> None:
    assert (await http.post("/v1/campaigns/", json={"name": "n"})).status_code == 201


async def test_head_is_get_without_a_body(http: Http, seen: list[tuple[str, str, int]]) -> None:
    answer = await http.head("/schema/openapi.json")
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) > 1000
    assert seen == [("HEAD", "/schema/openapi.json", 200)]


async def test_every_answer_is_observed_under_its_route(http: Http, seen: list[tuple[str, str, int]]) -> None:
    await http.post("/v1/campaigns/n/pause")
    await http.request("BREW", "/v1/campaigns/n/pause")
    await http.get("/nothing")
    assert seen == [("POST", "/v1/campaigns/{name}/pause", 404), ("OTHER", "other", 405), ("GET", "other", 404)]


async def test_a_trace_is_continued_and_a_broken_one_replaced(http: Http, shard: Shard) -> None:
    trace, span = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
    given = [f"00-{trace}-{span}-01", f"00-{'0' * 32}-{span}-01", f"ff-{trace}-{span}-01", "nonsense", ""]
    for header in given:
        await http.post("/v1/engine/pause", headers={"traceparent": header})
    assert (shard.origins[0].correlation_id, shard.origins[0].span_id) == (trace, span)
    others = {origin.correlation_id for origin in shard.origins[1:]}
    assert len(others) == 4
    assert {origin.span_id for origin in shard.origins[1:]} == {None}
    assert trace not in others
    assert all(other is not None and len(other) == 32 for other in others)
    assert {origin.actor for origin in shard.origins} == {"local/admin"}


async def test_a_repeated_creation_gets_the_first_answer(http: Http) -> None:
    headers = {"Idempotency-Key": "k"}
    first = await http.post("/v1/campaigns", json={"name": "n"}, headers=headers)
    await http.post("/v1/campaigns/n/pause")
    again = await http.post("/v1/campaigns", json={"name": "n"}, headers=headers)
    assert (again.status_code, again.content) == (201, first.content)
    assert (again.headers["Idempotency-Replayed"], again.headers["ETag"]) == ("true", '"1"')
    assert again.headers["Muster-Position"] == first.headers["Muster-Position"]
    other = await http.post("/v1/campaigns", json={"name": "m"}, headers=headers)
    assert (other.status_code, other.json()["field"]) == (422, "Idempotency-Key")
    elsewhere = await http.post("/v1/campaigns/n/resume", headers=headers)
    assert elsewhere.status_code == 422


async def test_a_refusal_is_not_kept(http: Http) -> None:
    headers = {"Idempotency-Key": "k"}
    assert (await http.post("/v1/campaigns/n/pause", headers=headers)).status_code == 404
    await http.post("/v1/campaigns", json={"name": "n"})
    assert (await http.post("/v1/campaigns/n/pause", headers=headers)).status_code == 200


@pytest.mark.parametrize("key", ["", "k" * 129, "a\tb"])
async def test_an_idempotency_key_has_1_to_128_printable_characters(http: Http, key: str) -> None:
    answer = await http.post("/v1/campaigns", json={"name": "n"}, headers={"Idempotency-Key": key})
    assert (answer.status_code, answer.json()["field"]) == (400, "Idempotency-Key")


async def test_an_unreachable_database_is_503_with_retry_after(http: Http, shard: Shard) -> None:
    shard.away = True
    answer = await http.post("/v1/campaigns", json={"name": "n"})
    assert (answer.status_code, answer.json()["type"], answer.headers["Retry-After"]) == (503, "/problems/unavailable", "1")


async def test_a_bug_is_logged_once_with_its_stack_and_says_nothing(
    http: Http, shard: Shard, caplog: pytest.LogCaptureFixture
) -> None:
    shard.failure = RuntimeError(SECRET)
    with caplog.at_level(logging.ERROR):
        answer = await http.post("/v1/campaigns", json={"name": "n"})
    assert (answer.status_code, answer.json()["type"]) == (500, "/problems/internal")
    assert "SELECT" not in answer.text
    assert "Traceback" not in answer.text
    (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert SECRET in str(record.exc_info)


async def test_workers_engine_and_quotas_are_steered(http: Http) -> None:
    """B-BEAT-7, B-ENGINE-1, B-QUOTA-2."""
    assert (await http.post("/v1/workers/w/drain")).status_code == 404
    await http.post("/v1/reports", json={"worker": "w/1", "reports": [{"type": "worker"}]})
    assert (await http.post("/v1/workers/w%2F1/drain")).json()["state"] == "draining"
    assert (await http.post("/v1/workers/w%2F1/fence", json={"reason": "r"})).json()["state"] == "fenced"
    assert (await http.patch("/v1/engine", json={"pool_size": 7})).json()["pool"]["size"] == 7
    assert (await http.patch("/v1/engine", json={"pool_size": -1})).json()["field"] == "pool_size"
    assert (await http.post("/v1/engine/pause")).json()["state"] == "paused"
    assert (await http.post("/v1/engine/resume")).json()["state"] == "running"
    assert (await http.post("/v1/engine/tick", json={"force": True})).status_code == 200
    closed = await http.post("/v1/quotas/q/readings", json={"failure": "auth", "message": "token=abcdef1 refused"})
    assert closed.json()["gate"] == "closed"
    assert (await http.post("/v1/quotas/q/readings", json={"utilization": 0.2})).json()["gate"] == "open"
    changed = (await http.patch("/v1/quotas/q", json={"threshold": 0.5, "policy": {"fire": "when_available"}})).json()["policy"]
    assert changed == {"fire": "when_available", "threshold": 0.5, "offset_s": 900, "ramp_per_s": 50}
    for bound in (0, 1):
        assert (await http.patch("/v1/quotas/q", json={"threshold": bound})).json()["policy"]["threshold"] == bound
    assert (await http.patch("/v1/quotas/q", json={"threshold": None})).json()["policy"]["threshold"] == 0.9


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"utilization": 0.5, "failure": "auth"}, "utilization"),
        ({"resets_at": "2030-01-01T00:00:00Z", "failure": "auth"}, "resets_at"),
        ({}, "utilization"),
        ({"utilization": -0.1}, "utilization"),
        ({"failure": "bored"}, "failure"),
    ],
)
async def test_a_reading_is_a_success_or_a_failure(http: Http, body: dict[str, Any], field: str) -> None:
    answer = await http.post("/v1/quotas/q/readings", json=body)
    assert (answer.status_code, answer.json()["field"]) == (400, field)


async def test_every_problem_has_a_page(http: Http) -> None:
    for slug in KINDS:
        answer = await http.get(f"/problems/{slug}")
        assert (answer.status_code, slug in answer.text) == (200, True)
    assert (await http.get("/problems/other")).status_code == 404


PATHS = [
    "/v1/campaigns",
    "/v1/campaigns/n/units",
    "/v1/campaigns/n/retry-failed",
    "/v1/campaigns/n/units/a/park",
    "/v1/claims",
    "/v1/reports",
    "/v1/claims/t/fail",
    "/v1/quotas/q/readings",
    "/v1/engine/tick",
]
WORDS = st.sampled_from(
    ["name", "units", "key", "worker", "reports", "type", "heartbeat", "token", "policy", "payload", "screen"]
)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | WORDS
DOCUMENTS = st.recursive(
    LEAVES, lambda deeper: st.lists(deeper, max_size=4) | st.dictionaries(WORDS, deeper, max_size=4), max_leaves=12
)
BODIES = st.binary(max_size=200) | DOCUMENTS.map(lambda value: json.dumps(value).encode())


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.sampled_from(PATHS), body=BODIES)
async def test_random_bytes_never_give_a_server_error(http: Http, path: str, body: bytes) -> None:
    answer = await http.post(path, content=body, headers=JSON)
    assert answer.status_code < 500, answer.text


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    method=st.sampled_from(["GET", "POST", "PATCH", "HEAD", "PUT", "BREW"]),
    path=st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="?#"), max_size=30),
    header=st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=30),
)
async def test_no_path_method_or_header_gives_a_server_error(app: Middleware, method: str, path: str, header: str) -> None:
    headers = {"Content-Type": header, "Idempotency-Key": header, "traceparent": header, "If-Match": header}
    for full in (f"/v1/campaigns/{path}/pause", f"/v1/campaigns/n/units/{path}/park", f"/{path}", "/v1/campaigns/n"):
        answer = await ask(app, method, full, of([b"{}"]), headers)
        assert 200 <= answer.status < 500, answer
