"""Imports and unit actions over HTTP."""

import json
from collections.abc import AsyncIterator
from itertools import count

import httpx
import pytest

from service.domain import ids
from service.http.handlers.units import MAX_UNITS
from service.http.middleware import Middleware
from tests.http.parts import of, post
from tests.http.shard import Shard

Http = httpx.AsyncClient
NAME = ids.CampaignName("n")
PATH = "/v1/campaigns/n/units"
JSON = {"Content-Type": "application/json"}
LINES = {"Content-Type": "application/x-ndjson"}


@pytest.fixture(autouse=True)
async def campaign(http: Http) -> None:
    """A campaign without units."""
    await http.post("/v1/campaigns", json={"name": "n"})


def lines(*keys: str) -> bytes:
    """Return a line a unit."""
    return b"".join(json.dumps({"key": key}).encode() + b"\n" for key in keys)


async def test_an_array_is_an_upsert_by_key(http: Http, shard: Shard) -> None:
    first = await http.post(PATH, json=[{"key": "a"}, {"key": "b", "payload": {"n": 1}}])
    assert first.json() == {"added": 2, "updated": 0, "unchanged": 0, "position": len(shard.log)}
    again = await http.post(PATH, json=[{"key": "a", "payload": [1]}, {"key": "b", "payload": {"n": 1}}, {"key": "c"}])
    assert again.json() == {"added": 1, "updated": 1, "unchanged": 1, "position": len(shard.log)}


async def test_a_bad_item_of_an_array_stores_nothing(http: Http, shard: Shard) -> None:
    head = len(shard.log)
    answer = await http.post(PATH, json=[{"key": "a"}, {"key": 1}])
    assert (answer.status_code, answer.json()["field"]) == (400, "[1].key")
    assert len(shard.log) == head


async def test_an_array_is_as_large_as_one_transaction_may_be_and_not_larger(http: Http, shard: Shard) -> None:
    """Stored as a whole or not at all, in bounded time: the limit is named, and so is the way around it."""
    full = [{"key": f"u{number}"} for number in range(MAX_UNITS)]
    answer = await http.post(PATH, json=full)
    assert (answer.status_code, answer.json()["added"]) == (200, MAX_UNITS)
    head = len(shard.log)
    over = await http.post(PATH, json=[*full, {"key": "one too many"}])
    assert (over.status_code, over.json()["allowed"]) == (413, MAX_UNITS)
    assert "application/x-ndjson" in over.json()["detail"]
    created = await http.post("/v1/campaigns", json={"name": "m", "units": [*full, {"key": "one too many"}]})
    assert (created.status_code, created.json()["allowed"], created.json()["field"]) == (413, MAX_UNITS, "units")
    assert len(shard.log) == head


async def test_lines_are_stored_in_chunks_of_a_thousand(http: Http, shard: Shard) -> None:
    answer = await http.post(PATH, content=lines(*(f"u{n}" for n in range(2500))), headers=LINES)
    assert answer.json() == {"added": 2500, "updated": 0, "unchanged": 0, "position": len(shard.log), "lines": 2500}
    assert [len(command.units) for command in shard.commands[1:]] == [1000, 1000, 500]  # type: ignore[attr-defined]


async def test_lines_may_be_blank_end_with_a_carriage_return_and_come_in_any_pieces(app: Middleware) -> None:
    whole = b'\n{"key":"a"}\r\n  \n{"key":"\xc3\xbc"}\n\n{"key":"c"}'
    answer = await post(app, PATH, of(whole[index : index + 3] for index in range(0, len(whole), 3)), LINES)
    assert (answer.json()["added"], answer.json()["lines"]) == (3, 6)


async def test_a_bad_line_is_named_with_its_field_and_the_lines_before_its_chunk_are_stored(http: Http, shard: Shard) -> None:
    body = lines(*(f"u{n}" for n in range(1500))) + b'{"key":"x","group":"ten"}\n' + lines("y")
    answer = await http.post(PATH, content=body, headers=LINES)
    problem = answer.json()
    assert (answer.status_code, problem["line"], problem["field"], problem["lines"]) == (400, 1501, "group", 1000)
    assert len(shard.state.units) == 1000
    assert problem["position"] == len(shard.log)


@pytest.mark.parametrize(
    "line", [b'{"key":"a"}{"key":"b"}', b'{"key":"a"', b'"a"', b"[]", b"\xff", b'{"key":"\\ud800"}', b"null"]
)
async def test_a_line_that_is_not_a_unit_is_refused(http: Http, shard: Shard, line: bytes) -> None:
    answer = await http.post(PATH, content=lines("x") + line + b"\n", headers=LINES)
    assert (answer.status_code, answer.json()["line"]) == (400, 2)
    assert not shard.state.units


async def test_lines_may_begin_with_a_mark_of_their_order_of_bytes(http: Http) -> None:
    assert (await http.post(PATH, content=b"\xef\xbb\xbf" + lines("a"), headers=LINES)).json()["added"] == 1


async def test_an_endless_line_is_refused_before_it_fills_memory(app: Middleware) -> None:
    """A13."""
    answer = await post(app, PATH, of(b"x" * 65_536 for _ in count()), LINES)
    assert (answer.status, answer.json()["type"]) == (413, "/problems/payload-too-large")


async def test_a_refused_chunk_says_what_was_stored_before_it(http: Http) -> None:
    body = lines(*(f"u{n}" for n in range(1000))) + b'\n{"key":"x","depends_on":["nobody"]}\n'
    answer = await http.post(PATH, content=body, headers=LINES)
    assert (answer.status_code, answer.json()["lines"], answer.json()["line"]) == (422, 1000, 1002)


def ahead(line: int, of: str) -> bytes:
    """Lines u0, u1 …, of which *line* depends on *of*."""
    waits = json.dumps({"key": f"u{line}", "depends_on": [of]}).encode() + b"\n"
    return lines(*(f"u{n}" for n in range(line))) + waits + lines(*(f"u{n}" for n in range(line + 1, 2500)))


async def test_a_dependency_may_stand_in_a_later_chunk_of_lines(http: Http, shard: Shard) -> None:
    """B-DAG-1: in the campaign or the same import."""
    headers = LINES | {"Idempotency-Key": "k"}
    first = await http.post(PATH, content=ahead(1005, "u2400"), headers=headers)
    assert (first.status_code, first.json()["added"], first.json()["lines"]) == (200, 2500, 2500)
    assert shard.state.units[NAME, ids.UnitKey("u1005")].state == "blocked"
    assert shard.state.units[NAME, ids.UnitKey("u2499")].seq > shard.state.units[NAME, ids.UnitKey("u1004")].seq
    again = await http.post(PATH, content=ahead(1005, "u2400"), headers=headers)
    assert (again.json(), again.headers["Idempotency-Replayed"]) == (first.json(), "true")
    other = await http.post(PATH, content=ahead(1005, "u2401"), headers=headers)
    assert (other.status_code, other.json()["field"], other.json()["lines"]) == (422, "Idempotency-Key", 1000)


async def test_a_dependency_that_never_comes_is_named_with_its_line(http: Http, shard: Shard) -> None:
    """B-DAG-1."""
    problem = (await http.post(PATH, content=ahead(1005, "nobody"), headers=LINES)).json()
    assert (problem["status"], problem["line"], problem["current"], problem["lines"]) == (422, 1006, "nobody", 1000)
    assert len(shard.state.units) == 1000


async def test_lines_that_wait_for_a_later_dependency_are_bounded(app: Middleware, shard: Shard) -> None:
    """A13."""
    read = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal read
        yield ahead(5, "nobody")
        for read in range(2500, 10 * MAX_UNITS, 500):
            yield lines(*(f"u{n}" for n in range(read, read + 500)))

    answer = await post(app, PATH, body(), LINES)
    assert (answer.status, answer.json()["line"], answer.json()["lines"]) == (422, 6, 0)
    assert MAX_UNITS - 1000 <= read <= MAX_UNITS + 1000
    assert not shard.state.units


async def test_large_lines_are_cut_into_the_same_chunks_however_they_arrive(app: Middleware) -> None:
    line = json.dumps({"key": "?", "payload": "x" * 200_000}).encode()
    body = b"".join(line.replace(b"?", str(n).encode()) + b"\n" for n in range(100))
    first, again = [
        await post(app, PATH, of(body[at : at + size] for at in range(0, len(body), size)), LINES | {"Idempotency-Key": "k"})
        for size in (65_536, 1_000_003)
    ]
    assert (first.status, again.status, again.headers.get("idempotency-replayed")) == (200, 200, "true")
    assert again.json() == first.json()


async def test_a_bad_unit_of_an_array_is_counted_as_a_line_is(http: Http, shard: Shard) -> None:
    for bad in ({"key": "b", "group": "ten"}, {"key": "b", "depends_on": ["nobody"]}, {"key": "a"}):
        problem = (await http.post(PATH, json=[{"key": "a"}, bad])).json()
        assert (problem["line"], "[1]" in problem["field"]) == (2, True)
    assert not shard.state.units


async def test_the_database_going_away_says_what_was_stored(app: Middleware, shard: Shard) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield lines(*(f"u{n}" for n in range(2000)))
        shard.away = True
        yield lines("last")

    answer = await post(app, PATH, body(), LINES)
    assert (answer.status, answer.headers["retry-after"], answer.json()["lines"]) == (503, "1", 1000)


async def test_a_client_that_leaves_has_stored_whole_chunks(app: Middleware, shard: Shard) -> None:
    body = lines(*(f"u{n}" for n in range(1500)))
    await post(app, PATH, of([body]), LINES, leave=True)
    assert len(shard.state.units) == 1000


async def test_a_repeated_stream_is_answered_from_memory(http: Http, shard: Shard) -> None:
    body = lines(*(f"u{n}" for n in range(1500)))
    first = await http.post(PATH, content=body, headers=LINES | {"Idempotency-Key": "k"})
    head = len(shard.log)
    again = await http.post(PATH, content=body, headers=LINES | {"Idempotency-Key": "k"})
    assert (again.json(), len(shard.log)) == (first.json(), head)
    assert again.headers["Idempotency-Replayed"] == "true"
    other = await http.post(PATH, content=lines("z"), headers=LINES | {"Idempotency-Key": "k"})
    assert other.status_code == 422


async def test_a_payload_is_bounded_in_size_and_depth(http: Http) -> None:
    large = await http.post(PATH, json=[{"key": "a", "payload": "x" * 262_144}])
    assert (large.status_code, large.json()["allowed"], large.json()["field"]) == (413, 262_144, "[0].payload")
    deep = await http.post(PATH, content=b'[{"key":"a","payload":' + b"[" * 65 + b"]" * 65 + b"}]", headers=JSON)
    assert (deep.status_code, deep.json()["field"]) == (400, "[0].payload")
    fine = await http.post(PATH, content=b'[{"key":"a","payload":' + b"[" * 64 + b"]" * 64 + b"}]", headers=JSON)
    assert fine.status_code == 200


async def test_a_key_may_hold_a_slash_a_percent_and_any_letter(http: Http, shard: Shard) -> None:
    await http.post(PATH, json=[{"key": key} for key in ("a/b", "50%", "%2F", "ü/ é", "a/b/retry")])
    for sent in ("a%2Fb", "50%25", "%252F", "%C3%BC%2F%20%C3%A9", "a%2Fb%2Fretry"):
        answer = await http.post(f"{PATH}/{sent}/park")
        assert answer.status_code == 200, answer.text
    assert {unit.state for unit in shard.state.units.values()} == {"parked"}


@pytest.mark.parametrize("sent", ["%00", "%FF", "a%0Ab", "x" * 201, "%E2%80%8B"])
async def test_an_unreadable_key_is_refused(http: Http, sent: str) -> None:
    assert (await http.post(f"{PATH}/{sent}/park")).status_code == 400


async def test_every_unit_action_answers_with_the_unit(http: Http) -> None:
    await http.post(PATH, json=[{"key": "a"}])
    states = []
    for order in ("park", "unpark", "quarantine", "retry", "cancel"):
        answer = await http.post(f"{PATH}/a/{order}", json={"reason": "because"})
        states.append(answer.json()["state"])
    assert states == ["parked", "ready", "quarantined", "ready", "cancelled"]
    refused = await http.post(f"{PATH}/a/stop")
    assert (refused.status_code, refused.json()["current"]) == (409, "cancelled")
    assert (await http.post(f"{PATH}/nobody/stop")).status_code == 404
    assert (await http.post("/v1/campaigns/N!/units/a/stop")).json()["field"] == "name"
