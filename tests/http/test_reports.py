"""Reports over HTTP."""

from hashlib import sha256
from typing import Any

import httpx
import pytest

from service.domain.events import UnitCompleted, UnitHeartbeat
from tests.http.shard import Shard

Http = httpx.AsyncClient
PATH = "/v1/reports"


@pytest.fixture
async def tokens(http: Http) -> list[str]:
    """Tokens of the claims of worker w on units a to e."""
    units = [{"key": key} for key in "abcde"]
    await http.post("/v1/campaigns", json={"name": "n", "policy": {"concurrency": 5}, "units": units})
    answer = await http.post("/v1/claims", json={"worker": "w", "max": 5})
    return [claim["token"] for claim in answer.json()["claims"]]


async def said(http: Http, *reports: object) -> Any:  # noqa: ANN401 - any JSON
    """Report, and return the results."""
    answer = await http.post(PATH, json={"worker": "w", "reports": reports})
    assert answer.status_code == 200, answer.text
    return answer.json()["results"]


async def test_every_kind_of_report_is_answered_in_its_place(http: Http, tokens: list[str]) -> None:
    a, b, c, d, e = tokens
    results = await said(
        http,
        {"type": "completed", "token": a, "result": {"n": 1}, "evidence": {"pr": 17}, "exit_code": 0},
        {"type": "failed", "token": b, "reason": "crash", "error": "exit 1", "retryable": True},
        {"type": "parked", "token": c, "reason": "rate_limit"},
        {"type": "released", "token": d, "reason": "stop"},
        {"type": "heartbeat", "token": e, "progress": 0.4, "note": "3 of 7", "usage": {"tokens": 1200}},
        {"type": "worker", "alive": True, "capacity": 4, "labels": {}, "version": "1.2"},
    )
    assert [result["state"] for result in results] == ["done", "delayed", "parked", "ready", "running", None]
    assert all(result["ok"] for result in results)
    assert results[4]["lease_until"].endswith("Z")
    assert results[4]["signal"] is None


async def test_one_bad_item_does_not_fail_its_neighbours(http: Http, tokens: list[str]) -> None:
    results = await said(
        http,
        {"type": "heartbeat", "token": tokens[0]},
        {"type": "song", "token": tokens[0]},
        {"type": "heartbeat", "token": tokens[0], "colour": 1},
        {"type": "heartbeat", "token": tokens[0], "progress": 1.1},
        {"type": "heartbeat"},
        "hello",
        {"type": "completed", "token": tokens[1], "result": {"a": ["\0"]}},
        {"type": "parked", "token": tokens[1], "reason": "rate_limit", "resume_at": "0001-01-01T00:00:00Z"},
        {"type": "completed", "token": "never"},
        {"type": "completed", "token": tokens[1]},
    )
    problems = [(result["problem"]["status"], result["problem"].get("field")) for result in results if not result["ok"]]
    assert problems == [
        (400, "reports[1].type"),
        (400, "reports[2].colour"),
        (400, "reports[3].progress"),
        (400, "reports[4].token"),
        (400, "reports[5]"),
        (400, "reports[6].result.a[0]"),
        (400, "reports[7].resume_at"),
        (404, "reports[8].token"),
    ]
    assert (results[0]["ok"], results[9]["state"]) == (True, "done")


async def test_bytes_that_are_no_text_fail_their_own_item_alone(http: Http, tokens: list[str]) -> None:
    body = b'{"worker":"w","reports":[{"type":"heartbeat","token":"%s","note":"\xff"},{"type":"worker"}]}' % tokens[0].encode()
    answer = await http.post(PATH, content=body, headers={"Content-Type": "application/json"})
    assert [result["ok"] for result in answer.json()["results"]] == [False, True]


async def test_a_superseded_token_is_told_to_stop(http: Http, tokens: list[str]) -> None:
    """B-UNIT-1, B-CAMP-4."""
    await http.post("/v1/campaigns/n/units/a/cancel")
    (result,) = await said(http, {"type": "completed", "token": tokens[0]})
    assert result["problem"]["type"] == "/problems/stale-claim"
    assert result["problem"]["signal"] == result["signal"] == "stop"
    alone = await http.post(f"/v1/claims/{tokens[0]}/complete")
    assert (alone.status_code, alone.json()["signal"]) == (409, "stop")


async def test_a_completion_reported_twice_is_answered_the_same_way_twice(http: Http, tokens: list[str]) -> None:
    report = {"type": "completed", "token": tokens[0]}
    assert await said(http, report) == await said(http, report)


async def test_a_completion_repeated_in_the_same_call_is_the_same_and_a_later_word_is_late(http: Http, tokens: list[str]) -> None:
    """B-UNIT-1."""
    done = {"type": "completed", "token": tokens[0]}
    first, again, late = await said(http, done, done, {"type": "heartbeat", "token": tokens[0]})
    assert first == again
    assert first["state"] == "done"
    assert late["problem"]["type"] == "/problems/stale-claim"


async def test_more_than_five_thousand_items_are_refused_with_the_limit(http: Http, shard: Shard) -> None:
    answer = await http.post(PATH, json={"worker": "w", "reports": [{"type": "worker"}] * 5001})
    assert (answer.status_code, answer.json()["allowed"], answer.json()["field"]) == (413, 5000, "reports")
    assert not shard.log
    assert len(await said(http, *[{"type": "worker"}] * 5000)) == 5000


async def test_an_envelope_without_a_worker_is_refused_as_a_whole(http: Http) -> None:
    bodies: list[dict[str, Any]] = [
        {"reports": []},
        {"worker": "a\0", "reports": []},
        {"worker": "w"},
        {"worker": "w", "reports": {}},
    ]
    for body in bodies:
        assert (await http.post(PATH, json=body)).status_code == 400


async def test_an_empty_list_of_reports_is_accepted(http: Http) -> None:
    assert await said(http) == []


async def test_a_screen_is_cut_at_a_line_redacted_and_kept_by_its_digest(http: Http, shard: Shard, tokens: list[str]) -> None:
    """B-RETRY-6, B-DIAG-2."""
    screen = "first line\n" + "x" * 99 + "\n" + ("y" * 99 + "\n") * 655 + "API_KEY=sk-abcdefghijklmnopqrstuvwx\0 ok"
    await said(http, {"type": "heartbeat", "token": tokens[0], "screen": screen})
    event = next(event.body for event in reversed(shard.log) if isinstance(event.body, UnitHeartbeat))
    assert event.screen_id is not None
    kept = shard.screens[event.screen_id]
    assert event.screen_id == sha256(kept.encode()).hexdigest()
    assert len(kept.encode()) <= 65_536
    assert kept.startswith("y" * 99 + "\n")
    assert kept.endswith("API_KEY=[redacted] ok")


async def test_errors_and_notes_are_cut_and_redacted(http: Http, shard: Shard, tokens: list[str]) -> None:
    """B-DIAG-2."""
    await said(
        http,
        {"type": "heartbeat", "token": tokens[0], "note": "postgres://me:hunter22@host/ " + "n" * 2000},
        {"type": "failed", "token": tokens[1], "reason": "crash", "error": "password=hunter22 " + "e" * 5000},
    )
    note = shard.state.claims[tokens[0]].note or ""  # type: ignore[index]
    error = shard.state.units["n", "b"].error or ""  # type: ignore[index]
    assert (len(note), len(error)) == (1000, 4000)
    assert "hunter22" not in note + error


async def test_a_shell_script_reports_one_claim_at_a_time(http: Http, tokens: list[str]) -> None:
    bodies: dict[str, Any] = {
        "heartbeat": {"progress": 0.5},
        "complete": None,
        "fail": {"reason": "timeout"},
        "park": {"reason": "rate_limit"},
        "release": None,
    }
    states = []
    for token, (action, body) in zip(tokens, bodies.items(), strict=True):
        answer = (
            await http.post(f"/v1/claims/{token}/{action}", json=body)
            if body
            else await http.post(f"/v1/claims/{token}/{action}")
        )
        assert answer.status_code == 200, answer.text
        assert answer.json()["position"] == int(answer.headers["Muster-Position"])
        states.append(answer.json()["state"])
    assert states == ["running", "done", "delayed", "parked", "ready"]
    assert (await http.post("/v1/claims/never/complete")).status_code == 404
    assert (await http.post(f"/v1/claims/{tokens[0]}/fail", json={"reason": "lease_expired"})).json()["field"] == "reason"


@pytest.mark.parametrize("how", ["SIGTERM", "TERM", "15", 15])
async def test_a_signal_is_understood_however_it_is_said(http: Http, shard: Shard, tokens: list[str], how: str | int) -> None:
    """B-RETRY-10."""
    report = {"type": "failed", "token": tokens[0], "reason": "crash", "declared_result": "success", "signal": how}
    (result,) = await said(http, report)
    (body,) = (event.body for event in shard.log if isinstance(event.body, UnitCompleted))
    assert (result["state"], body.signal, body.mapped_from) == ("done", "SIGTERM", 143)


async def test_a_failure_for_a_rate_limit_is_a_park_whatever_the_gate(http: Http) -> None:
    """B-PARK-3, B-QUOTA-7."""
    await http.post("/v1/campaigns", json={"name": "n", "quota": "q", "units": [{"key": key} for key in "abc"]})
    a, b, c = [claim["token"] for claim in (await http.post("/v1/claims", json={"worker": "w", "max": 3})).json()["claims"]]
    limited = {"type": "failed", "reason": "rate_limit", "error": "come back later"}
    before, _, behind = await said(
        http, limited | {"token": a}, {"type": "parked", "token": b, "reason": "rate_limit"}, limited | {"token": c}
    )
    assert (before["state"], behind["state"]) == ("parked", "parked")


async def test_repeated_reports_are_answered_from_memory(http: Http, shard: Shard, tokens: list[str]) -> None:
    body: dict[str, Any] = {"worker": "w", "reports": [{"type": "heartbeat", "token": tokens[0]}, {"type": "nonsense"}]}
    first = await http.post(PATH, json=body, headers={"Idempotency-Key": "k"})
    head = len(shard.log)
    again = await http.post(PATH, json=body, headers={"Idempotency-Key": "k"})
    assert (again.content, len(shard.log), again.headers["Idempotency-Replayed"]) == (first.content, head, "true")
    other = await http.post(PATH, json=body | {"reports": body["reports"] * 2}, headers={"Idempotency-Key": "k"})
    assert other.status_code == 422
