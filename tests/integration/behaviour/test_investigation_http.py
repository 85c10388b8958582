"""Investigations, recovery plans and diagnostics through the whole app on a real Postgres."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import Any

import asyncpg
import httpx
import msgspec
import pytest

from service.http.middleware import Middleware
from service.main import create_app
from service.settings import Settings
from tests.alive import alive, claim_waits
from tests.patience import PATIENCE_S
from tests.refold import audit
from tests.replica import eventually, lapsed

SECRET = "hunter22-is-a-secret"


@asynccontextmanager
async def served(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """Serve a while, and give a client."""
    app = create_app(settings)
    assert isinstance(app, Middleware)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)  # type: ignore[arg-type]
    async with alive(app.app), httpx.AsyncClient(transport=transport, base_url="http://muster", timeout=PATIENCE_S) as client:
        yield client


@pytest.fixture
async def http(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a whole service on this test's database."""
    async with served(settings) as client:
        yield client


async def lose(http: httpx.AsyncClient, *keys: str, **policy: object) -> None:
    """Let a campaign lose units."""
    policy = {"investigate": True, "max_attempts": 1, "concurrency": 100, "breaker": {"threshold": 100}, **policy}
    units = [{"key": key, "payload": {"file": f"{key}.py", "api_key": SECRET}} for key in keys]
    await http.post("/v1/campaigns", json={"name": "n", "policy": policy, "units": units, "labels": {"team": "core"}})
    claims = (await http.post("/v1/claims", json={"worker": "w", "max": 100})).json()["claims"]
    failed = {"type": "failed", "reason": "crash", "error": f"exit 1: password={SECRET}", "exit_code": 1}
    reports = [{**failed, "token": claim["token"], "screen": f"boom\nexport TOKEN={SECRET}\n"} for claim in claims]
    answer = await http.post("/v1/reports", json={"worker": "w", "reports": reports})
    assert [result["state"] for result in answer.json()["results"]] == ["quarantined"] * len(keys)


async def listed(http: httpx.AsyncClient, path: str, **parameters: str | int) -> list[dict[str, Any]]:
    """Return every item of a list, page by page."""
    items: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        answer = await http.get(path, params={**parameters, **cursor})
        assert answer.status_code == 200, answer.text
        items += answer.json()["items"]
        if answer.json()["next"] is None:
            return items
        cursor = {"cursor": answer.json()["next"]}


async def test_investigations_are_listed_claimed_and_concluded(http: httpx.AsyncClient, pool: asyncpg.Pool) -> None:
    """B-INVEST-1, B-INVEST-2."""
    await lose(http, "a", "b/1", "c")
    items = await listed(http, "/v1/investigations", limit=2)
    assert [(item["unit"], item["state"]) for item in items] == [("a", "requested"), ("b/1", "requested"), ("c", "requested")]
    ask = {"worker": "s", "kind": "investigation", "max": 2, "campaigns": ["n"], "wait_s": 5}
    first, second = (await http.post("/v1/claims", json=ask)).json()["claims"]
    assert (first["screen"], first["error"]) == ("boom\nexport TOKEN=[redacted]\n", "exit 1: password=[redacted]")
    done = await http.post(
        f"/v1/investigations/{first['investigation']}/result", json={"unit": {"payload": 1}, "root_cause": "?"}
    )
    assert (done.json()["state"], done.json()["fix_unit"]) == ("produced", "a.fix")
    await http.post(f"/v1/investigations/{second['investigation']}/result", json={"unit": None, "root_cause": "luck"})
    one = (await http.get(f"/v1/investigations/{second['investigation']}")).json()
    assert (one["state"], one["unit"], one["root_cause"], one["why"], one["worker"]) == ("empty", "b/1", "luck", "no_fix", "s")
    assert [item["unit"] for item in await listed(http, "/v1/investigations", state="requested", campaign="n")] == ["c"]
    assert (await http.get("/v1/investigations", params={"state": "lost"})).status_code == 400
    assert (await http.get("/v1/investigations/i0")).status_code == 404
    view = (await http.get("/v1/campaigns/n", params={"at_least": done.json()["position"]})).json()
    assert (view["state"], view["units"]["ready"], view["units"]["quarantined"]) == ("running", 1, 3)
    fix = (await http.get("/v1/campaigns/n/units/a.fix")).json()
    assert (fix["kind"], fix["fix_of"], fix["payload"]) == ("fix", "a", 1)
    await audit(pool)


async def test_a_quarantine_wakes_a_waiting_investigator(http: httpx.AsyncClient) -> None:
    """B-INVEST-1, B-CLAIM-9."""
    await http.post("/v1/campaigns", json={"name": "n", "policy": {"investigate": True}, "units": [{"key": "a"}]})
    ask = {"worker": "s", "kind": "investigation", "wait_s": 20}
    waiting = asyncio.create_task(http.post("/v1/claims", json=ask))
    await claim_waits(http)
    await http.post("/v1/campaigns/n/units/a/quarantine")
    answer = await asyncio.wait_for(waiting, PATIENCE_S)
    assert [claim["key"] for claim in answer.json()["claims"]] == ["a"]


async def test_after_a_restart_a_plan_is_found_and_applied(settings: Settings, pool: asyncpg.Pool) -> None:
    """B-RECOV-1, B-RECOV-2."""
    policy = {"lease_s": 3, "heartbeat": {"warn_s": 0.1, "stale_s": 1, "dead_s": 2}}
    async with served(settings) as http:
        await http.post("/v1/campaigns", json={"name": "n", "policy": policy, "units": [{"key": key} for key in "abc"]})
        first = (await http.post("/v1/claims", json={"worker": "w", "max": 2})).json()["claims"][0]
        await http.post(f"/v1/claims/{first['token']}/complete", json={})
        last = (await http.get("/v1/events", params={"kind": "unit.completed"})).json()["items"][-1]["position"]
        assert (await http.get("/v1/recovery")).json() == {"items": [], "next": None}
    await lapsed(pool)
    async with served(settings) as http:

        async def planned() -> object:
            return (await http.get("/v1/recovery")).json()["items"]

        await eventually(planned)
        (plan,) = (await http.get("/v1/recovery")).json()["items"]
        assert (plan["campaign"], plan["resumable"], plan["preserved"], plan["last_position"]) == ("n", ["b"], 1, last)
        applied = await http.post(f"/v1/recovery/{plan['id']}/apply")
        assert (applied.status_code, applied.json()["state"], applied.json()["by"]) == (200, "applied", "local/admin")
        unit = (await http.get("/v1/campaigns/n/units/b")).json()
        assert (unit["state"], unit["attempts"]) == ("ready", 0)
        assert (await http.post(f"/v1/recovery/{plan['id']}/decline")).status_code == 409
        assert (await http.get("/v1/recovery")).json()["items"] == []
        assert [item["id"] for item in await listed(http, "/v1/recovery", state="applied")] == [plan["id"]]
        assert (await http.get(f"/v1/recovery/{plan['id']}")).json()["state"] == "applied"
        assert (await http.get("/v1/recovery/r0")).status_code == 404
    await audit(pool)


async def begun(settings: Settings, pool: asyncpg.Pool, lease_s: float, *keys: str) -> None:
    """Let a campaign begin, of which two units are held when service and worker die."""
    policy = {"lease_s": lease_s, "heartbeat": {"warn_s": 0.2, "stale_s": 0.3, "dead_s": 0.4, "dead_ticks": 1}, "max_attempts": 2}
    retry = {"backoff_ms": 100, "jitter": {"kind": "none"}}
    async with served(settings) as http:
        body = {"name": "n", "policy": {**policy, "retry": retry}, "units": [{"key": key} for key in keys]}
        assert (await http.post("/v1/campaigns", json=body)).status_code == 201
        held = await http.post("/v1/claims", json={"worker": "old", "max": 2})
        assert [claim["key"] for claim in held.json()["claims"]] == ["a", "b"]
    await lapsed(pool)


async def passed(pool: asyncpg.Pool, seconds: float) -> None:
    """Return when the leader has heard workers for so long, by the database's clock."""

    async def holds() -> object:
        age = await pool.fetchval("SELECT extract(epoch FROM clock_timestamp() - heard_since) FROM leader WHERE until > now()")
        return age is not None and age > seconds

    await eventually(holds)


@pytest.mark.parametrize("lease_s", [1, 2])
@pytest.mark.parametrize("way", ["apply", "decline"])
async def test_a_plan_stays_while_nobody_works_however_short_a_lease_is(
    settings: Settings, pool: asyncpg.Pool, lease_s: float, way: str
) -> None:
    """B-RECOV-1, B-RECOV-2: looks and ticks go by for more than two leases, in which a reaper would have taken the units."""
    await begun(settings, pool, lease_s, "a", "b", "c")
    async with served(msgspec.structs.replace(settings, tick_s=1)) as http:
        await passed(pool, 2 * lease_s + 1.5)
        (plan,) = (await http.get("/v1/recovery")).json()["items"]
        assert (plan["campaign"], plan["resumable"]) == ("n", ["a", "b"])
        assert (await http.get("/v1/events", params={"kind": "unit.attempt_failed"})).json()["items"] == []
        assert (await http.post("/v1/recovery/r0/apply")).status_code == 404
        decided = await http.post(f"/v1/recovery/{plan['id']}/{way}")
        assert (decided.status_code, decided.json()["state"]) == (200, {"apply": "applied", "decline": "declined"}[way])
        assert (await http.post(f"/v1/recovery/{plan['id']}/{way}")).status_code == 409
        shown = {"at_least": decided.headers["Muster-Position"]}
        units = [(await http.get(f"/v1/campaigns/n/units/{key}", params=shown)).json() for key in "ab"]
        state = {"apply": "ready", "decline": "cancelled"}[way]
        assert [(unit["state"], unit["attempts"]) for unit in units] == [(state, 0)] * 2
        ends = (await http.get("/v1/events", params={"kind": "campaign.cancelled"})).json()["items"]
        assert [end["data"]["reason"] for end in ends] == ["interrupted-not-resumed"] * (way == "decline")
    await audit(pool)


@pytest.mark.parametrize("names", [["n"], []], ids=["its own", "any"])
@pytest.mark.parametrize("keys", ["ab", "abc"], ids=["the last", "not the last"])
async def test_a_campaign_goes_on_by_itself_when_new_workers_come(
    settings: Settings, pool: asyncpg.Pool, names: list[str], keys: str
) -> None:
    """B-RECOV-1, B-CLAIM-3: also when there is nothing to claim but what the dead hold; nobody has to decide."""
    await begun(settings, pool, 2, *keys)
    async with served(msgspec.structs.replace(settings, tick_s=60)) as http:
        done: list[tuple[str, int]] = []

        async def worked() -> bool:
            asked = await http.post("/v1/claims", json={"worker": "new", "campaigns": names, "wait_s": 5})
            for claim in asked.json()["claims"]:
                done.append((claim["key"], claim["attempt"]))
                await http.post(f"/v1/claims/{claim['token']}/complete", json={})
            return len(done) == len(keys)

        await eventually(worked)
        since = await pool.fetchval("SELECT extract(epoch FROM clock_timestamp() - heard_since) FROM leader")
        assert since < 2 + 30, "about a lease after the restart; no tick has helped"
        failed = (await http.get("/v1/events", params={"kind": "unit.attempt_failed"})).json()["items"]
        assert [one["data"]["reason"] for one in failed] == ["lease_expired"] * 2
        assert sorted(done) == sorted([("a", 2), ("b", 2), ("c", 1)][: len(keys)])
        answer = await http.get("/v1/campaigns/n", params={"at_least": (await http.get("/v1/engine")).json()["position"]})
        assert answer.json()["state"] == "completed"
        assert (await http.get("/v1/recovery")).json()["items"] == []
    await audit(pool)


async def test_a_bundle_holds_everything_and_no_secret(http: httpx.AsyncClient, pool: asyncpg.Pool) -> None:
    """B-DIAG-1, B-DIAG-2."""
    await lose(http, *(f"u{number:02}" for number in range(30)))
    units = [{"key": f"r{n}", "payload": {"password": SECRET, "url": f"https://me:{SECRET}@host/"}} for n in range(250)]
    await http.post("/v1/campaigns/n/units", json=units)
    claims = (await http.post("/v1/claims", json={"worker": "w", "max": 100})).json()["claims"]
    beats = [{"type": "heartbeat", "token": claim["token"], "note": f"Bearer {SECRET}"} for claim in claims]
    await http.post("/v1/reports", json={"worker": "w", "reports": beats})
    await http.post("/v1/quotas/anthropic/readings", json={"utilization": 0.5})
    position = (await http.post("/v1/engine/pause")).json()["position"]
    await http.get("/v1/campaigns/n", params={"at_least": position})
    answer = await http.post("/v1/campaigns/n/diagnostics")
    assert answer.status_code == 200, answer.text
    assert re.fullmatch(r'attachment; filename="muster-n-\d{4}-\d{2}-\d{2}T\d{6}Z\.json"', answer.headers["Content-Disposition"])
    assert SECRET not in answer.text
    bundle = answer.json()
    assert list(bundle) == [
        "schema_version", "generated_at", "campaign", "units", "events", "heartbeats", "workers", "engine", "settings", "exports",
        "metrics",
    ]  # fmt: skip
    assert (bundle["schema_version"], bundle["campaign"]["name"], bundle["engine"]["state"]) == (2, "n", "paused")
    assert (bundle["units"]["counts"]["quarantined"], bundle["units"]["shown"]) == (30, 280)
    worst = bundle["units"]["items"][0]
    assert (worst["unit"], worst["state"], worst["error"]) == ("u00", "quarantined", "exit 1: password=[redacted]")
    assert worst["screen"] == "boom\nexport TOKEN=[redacted]\n"
    assert len(bundle["events"]) == 200
    assert [event["position"] for event in bundle["events"]] == sorted(event["position"] for event in bundle["events"])
    assert bundle["events"][-1]["kind"] == "unit.claimed"
    assert (bundle["heartbeats"]["total"], bundle["heartbeats"]["healthy"]) == (1, 1)
    assert bundle["workers"][0]["claims"][0]["unit"].startswith("r")
    assert bundle["engine"]["quotas"][0]["quota"] == "anthropic"
    assert bundle["settings"]["dsn"].startswith("postgresql://muster:[redacted]@")
    assert 'muster_campaign_units{campaign="n",state="quarantined"} 30' in bundle["metrics"]
    exported = (await http.get("/v1/events", params={"kind": "diagnostic.exported"})).json()["items"]
    assert exported[0]["data"]["sha256"] == sha256(answer.content).hexdigest()
    assert (await http.post("/v1/campaigns/n/diagnostics")).status_code == 409
    assert (await http.post("/v1/campaigns/n/diagnostics", params={"force": "true"})).status_code == 200
    await audit(pool)


async def test_a_bundle_of_many_units_stays_small(http: httpx.AsyncClient) -> None:
    """B-DIAG-1: those that failed come first, 2,000 at most."""
    await lose(http, "z")
    for start in range(0, 5000, 1000):
        await http.post("/v1/campaigns/n/units", json=[{"key": f"u{start + n}"} for n in range(1000)])
    bundle = (await http.post("/v1/campaigns/n/diagnostics")).json()
    assert (bundle["units"]["shown"], bundle["units"]["counts"]["total"]) == (2000, 5001)
    assert bundle["units"]["items"][0]["unit"] == "z"
