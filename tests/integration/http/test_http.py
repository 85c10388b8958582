"""The whole app on a real Postgres: what memory cannot show."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import pytest

from service.http.handlers import claims
from service.http.middleware import Middleware
from service.loops import notify
from service.main import create_app
from service.settings import Settings
from tests.alive import alive, claim_waits
from tests.patience import PATIENCE_S
from tests.replica import eventually

LINES = {"Content-Type": "application/x-ndjson"}


@pytest.fixture
async def http(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a whole service on this test's database."""
    app = create_app(settings)
    assert isinstance(app, Middleware)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)  # type: ignore[arg-type]
    async with alive(app.app), httpx.AsyncClient(transport=transport, base_url="http://muster", timeout=PATIENCE_S) as client:
        yield client


async def test_a_campaign_runs_from_its_creation_to_its_end(http: httpx.AsyncClient) -> None:
    """B-CAMP-1."""
    units = [{"key": "a/1", "payload": {"n": 1}}, {"key": "b"}]
    created = await http.post("/v1/campaigns", json={"name": "n", "units": units})
    assert (created.status_code, created.json()["units"]["ready"]) == (201, 2)
    claims = (await http.post("/v1/claims", json={"worker": "w", "max": 2})).json()["claims"]
    assert [(claim["key"], claim["payload"]) for claim in claims] == [("a/1", {"n": 1}), ("b", {})]
    reports = [{"type": "completed", "token": claim["token"], "result": {"ok": True}} for claim in claims]
    answer = (await http.post("/v1/reports", json={"worker": "w", "reports": reports})).json()
    assert [result["state"] for result in answer["results"]] == ["done", "done"]
    view = (await http.get("/v1/campaigns/n", params={"at_least": answer["position"]})).json()
    assert (view["state"], view["outcome"], view["progress"]) == ("completed", "achieved", 1.0)
    unit = (await http.get("/v1/campaigns/n/units/a%2F1")).json()
    assert (unit["key"], unit["state"]) == ("a/1", "done")


async def test_a_path_of_both_sides_tells_all_its_methods(http: httpx.AsyncClient) -> None:
    told = await http.options("/v1/campaigns")
    assert (told.status_code, told.headers["Allow"]) == (204, "GET, HEAD, OPTIONS, POST")
    assert (await http.delete("/v1/campaigns")).headers["Allow"] == told.headers["Allow"]


async def test_every_answer_that_is_a_view_has_the_members_of_the_contract(http: httpx.AsyncClient) -> None:
    document = (await http.get("/schema/openapi.json")).json()
    await http.post("/v1/campaigns", json={"name": "n", "units": [{"key": "a"}]})
    await http.post("/v1/claims", json={"worker": "w"})
    answers = {
        "CampaignView": await http.post("/v1/campaigns/n/pause"),
        "UnitView": await http.post("/v1/campaigns/n/units/a/stop"),
        "WorkerView": await http.post("/v1/workers/w/drain"),
        "EngineView": await http.post("/v1/engine/pause"),
        "QuotaView": await http.post("/v1/quotas/q/readings", json={"utilization": 0.5}),
    }
    for name, answer in answers.items():
        assert answer.status_code == 200, answer.text
        required = set(document["components"]["schemas"][name]["required"])
        assert required | {"position"} == answer.json().keys() | {"position"}, name
        assert answer.json()["position"] == int(answer.headers["Muster-Position"])


async def test_twenty_thousand_lines_are_all_there_and_a_repetition_changes_nothing(http: httpx.AsyncClient) -> None:
    await http.post("/v1/campaigns", json={"name": "n"})
    body = b"".join(json.dumps({"key": f"u{n}", "payload": {"n": n}}).encode() + b"\n" for n in range(20_000))

    async def parts() -> AsyncIterator[bytes]:
        for index in range(0, len(body), 65_536):
            yield body[index : index + 65_536]

    headers = LINES | {"Idempotency-Key": "k"}
    first = await http.post("/v1/campaigns/n/units", content=parts(), headers=headers)
    assert first.json() | {"position": 0} == {"added": 20_000, "updated": 0, "unchanged": 0, "position": 0, "lines": 20_000}
    view = await http.get("/v1/campaigns/n", params={"at_least": first.json()["position"]})
    assert view.json()["units"]["ready"] == 20_000
    again = await http.post("/v1/campaigns/n/units", content=parts(), headers=headers)
    assert (again.json(), again.headers["Idempotency-Replayed"]) == (first.json(), "true")
    fresh = await http.post("/v1/campaigns/n/units", content=parts(), headers=LINES)
    assert (fresh.json()["added"], fresh.json()["unchanged"]) == (0, 20_000)


async def test_a_waiting_claim_is_woken_by_what_it_waits_for(http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """B-CLAIM-9: each of five, and no look that is made now and then finds it; `make bench` measures how soon."""
    monkeypatch.setattr(claims, "POLL_S", 3600.0)
    await http.post("/v1/campaigns", json={"name": "n", "units": [{"key": "first"}]})
    await http.post("/v1/claims", json={"worker": "w"})
    for number in range(5):
        wish = asyncio.create_task(http.post("/v1/claims", json={"worker": "w", "wait_s": PATIENCE_S}))
        await claim_waits(http)
        await http.post("/v1/campaigns/n/units", json=[{"key": f"u{number}"}])
        async with asyncio.timeout(PATIENCE_S / 2):
            given = (await wish).json()["claims"]
        assert [claim["key"] for claim in given] == [f"u{number}"]
        await http.post(f"/v1/claims/{given[0]['token']}/complete")
    assert claims.WAKEUP_REST_S + notify.DEBOUNCE_S < 0.1, "all that rests on purpose, also on the way from another replica"


REPEATED: dict[str, Any] = {
    "/v1/claims": {"worker": "w"},
    "/v1/campaigns": {"name": "m"},
    "/v1/campaigns/n/pause": {"reason": "r"},
    "/v1/campaigns/n/units": [{"key": "z"}],
    "/v1/campaigns/n/retry-failed": {},
    "/v1/reports": {"worker": "w", "reports": [{"type": "worker"}]},
    "/v1/engine/pause": {},
    "/v1/quotas/q/readings": {"utilization": 0.5},
}


async def test_the_same_request_under_the_same_key_gets_the_first_answer(http: httpx.AsyncClient) -> None:
    await http.post("/v1/campaigns", json={"name": "n", "units": [{"key": "a"}]})
    for path, body in REPEATED.items():
        key = {"Idempotency-Key": path}
        first = await http.post(path, json=body, headers=key)
        head = (await http.get("/v1/engine")).json()["position"]
        again = await http.post(path, json=body, headers=key)
        assert (again.status_code, again.content) == (first.status_code, first.content), path
        assert again.headers["Idempotency-Replayed"] == "true"
        assert (await http.get("/v1/engine")).json()["position"] == head
        other = await http.post(path, content=again.request.content + b" ", headers=key | {"Content-Type": "application/json"})
        assert (other.status_code, other.json()["field"]) == (422, "Idempotency-Key")


async def test_a_screen_and_an_idempotency_record_survive_in_the_database(http: httpx.AsyncClient, dsn: str) -> None:
    """B-RETRY-6, B-DIAG-2."""
    policy = {"max_attempts": 1}
    await http.post("/v1/campaigns", json={"name": "n", "policy": policy, "units": [{"key": "a"}]})
    (claim,) = (await http.post("/v1/claims", json={"worker": "w"})).json()["claims"]
    failed = {"reason": "crash", "error": "exit 1", "screen": "\x1b[31mTraceback\x1b[0m\npassword=hunter22\n"}
    answer = await http.post(f"/v1/claims/{claim['token']}/fail", json=failed)
    assert answer.json()["state"] == "quarantined"
    page = await http.get("/v1/campaigns/n/quarantine", params={"at_least": answer.json()["position"]})
    (item,) = page.json()["items"]
    assert (item["key"], item["reason"], item["screen"]) == ("a", "max_attempts", "Traceback\npassword=[redacted]\n")
    retried = await http.post("/v1/campaigns/n/retry-failed", json={"where": {"error_glob": "exit *"}})
    assert (retried.json()["matched"], retried.json()["cleared"]) == (1, 1)
    connection = await asyncpg.connect(dsn)
    assert await connection.fetchval("SELECT count(*) FROM screens") == 1
    await connection.close()


async def test_a_trace_is_in_every_event_that_it_caused(http: httpx.AsyncClient) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    header = {"traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
    await http.post("/v1/campaigns", json={"name": "n", "units": [{"key": "a"}]}, headers=header)
    items = (await http.get("/v1/events", params={"campaign": "n"})).json()["items"]
    assert [(item["kind"], item["correlation_id"], item["actor"]) for item in items] == [
        ("campaign.created", trace, "local/admin"),
        ("units.added", trace, "local/admin"),
    ]


ODD: list[Any] = [
    "\u0001",
    "😀",
    "\U0010ffff",
    "\\u0000",
    1e22,
    1e-300,
    -(2**63),
    2**63 - 1,
    {"": {" ": []}},
    "\u2028",
    "x" * 200_000,
]


async def test_any_json_comes_back_as_it_went_in(http: httpx.AsyncClient) -> None:
    units = [{"key": f"u{index}", "payload": {"v": value}} for index, value in enumerate(ODD)]
    created = await http.post("/v1/campaigns", json={"name": "n", "policy": {"concurrency": 100}, "units": units})
    assert created.status_code == 201
    claims = (await http.post("/v1/claims", json={"worker": "w", "max": 100})).json()["claims"]
    assert [claim["payload"]["v"] for claim in claims] == ODD
    for claim, value in zip(claims, ODD, strict=True):
        done = await http.post(f"/v1/claims/{claim['token']}/complete", json={"result": value, "evidence": [value]})
        assert done.status_code == 200, done.text
        unit = await http.get(f"/v1/campaigns/n/units/{claim['key']}", params={"at_least": done.json()["position"]})
        assert (unit.status_code, unit.json()["state"]) == (200, "done")


async def test_no_odd_text_in_any_field_is_a_server_error(http: httpx.AsyncClient) -> None:
    await http.post("/v1/campaigns", json={"name": "n", "units": [{"key": f"u{n}"} for n in range(40)]})
    far = ["1970-01-01T00:00:00Z", "8999-12-31T23:59:59-14:00", "2030-01-01T00:00:00.123456789+14:00"]
    texts = ["\u0001", "\u202e", "'; DROP TABLE events; --", "\ufffd", "\U0010ffff", "%s %(a)s {0}"]
    for text in texts:
        (claim,) = (await http.post("/v1/claims", json={"worker": "w", "labels": {text: text}})).json()["claims"]
        beat = {"note": text, "session": text, "screen": text, "usage": {text: 1e300}, "output_at": far[1]}
        answers = [
            await http.post(f"/v1/claims/{claim['token']}/heartbeat", json=beat),
            await http.post(f"/v1/claims/{claim['token']}/fail", json={"reason": "error", "error": text, "signal": text}),
            await http.patch("/v1/campaigns/n", json={"title": text, "brief": text, "labels": {text: text}}),
            await http.post("/v1/campaigns/n/pause", json={"reason": text}),
            await http.post("/v1/campaigns/n/resume", json={"reason": text}),
            await http.post("/v1/quotas/q/readings", json={"failure": "transient", "message": text}),
            await http.post("/v1/campaigns/n/breaker/reset", json={"reason": text}),
        ]
        assert [answer.status_code for answer in answers] == [200] * 7, [answer.text for answer in answers]
    for instant in far:
        answer = await http.post("/v1/quotas/q/readings", json={"utilization": 0.1, "resets_at": instant})
        assert answer.status_code == 200, answer.text


CANCELLED = """
CREATE FUNCTION cancelled() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION USING ERRCODE = '57014'; END $$;
CREATE TRIGGER cancelled BEFORE UPDATE ON idempotency FOR EACH ROW EXECUTE FUNCTION cancelled();
"""
CANCEL = "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"


async def test_an_order_is_answered_when_keeping_its_answer_is_cancelled(
    http: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    """A4: SQLSTATE 57014 after the commit makes no failure of what is recorded."""
    await owner.execute(CANCELLED)
    created, again = [
        await http.post("/v1/campaigns", json={"name": "n"}, headers={"Idempotency-Key": "k"}) for _ in ("first", "again")
    ]
    assert (created.status_code, again.status_code) == (201, 201)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert created.json() == again.json()


async def test_a_read_that_is_cancelled_is_to_be_asked_again(http: httpx.AsyncClient, owner: asyncpg.Connection) -> None:
    """Promise 5: SQLSTATE 57014 is no mistake of the service."""
    await http.post("/v1/campaigns", json={"name": "n"})
    async with owner.transaction():
        await owner.execute("LOCK TABLE campaign_card IN ACCESS EXCLUSIVE MODE")
        reading = asyncio.create_task(http.get("/v1/campaigns/n"))

        async def answered() -> bool:
            await owner.fetchval(CANCEL)
            return reading.done()

        await eventually(answered)
    answer = await reading
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
