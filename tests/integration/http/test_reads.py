"""What people and programs read of campaigns, units, workers, quotas, the engine and the metrics."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from msgspec import Raw
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as plain

from service.domain import commands as c
from service.domain import ids
from service.settings import Settings
from tests.fleet import NIGHTLY, WORKER, Fleet, fleet


@pytest.fixture
async def here(settings: Settings, pool: asyncpg.Pool) -> AsyncIterator[Fleet]:
    """A service with its projector."""
    async with fleet(settings, pool) as running:
        yield running


async def test_the_campaign_view_counts_the_outcomes_of_its_units(here: Fleet) -> None:
    """B-VIEW-2, B-CAMP-1."""
    await here.begin("a", "b", "c", policy={"max_attempts": 1, "concurrency": 9}, labels={"team": "core"})
    first, second, _ = await here.claim(3)
    await here.order(c.CompleteUnit(token=first.token), c.FailAttempt(token=second.token, reason="crash", error="exit 1"))
    view = await here.get("/v1/campaigns/nightly")
    assert view["units"] == {
        "total": 3, "blocked": 0, "ready": 0, "delayed": 0, "parked": 0, "running": 1, "done": 1, "quarantined": 1, "skipped": 0,
        "cancelled": 0,
    }  # fmt: skip
    assert view["progress"] == pytest.approx(1 / 3)
    assert view["active"] == 1
    assert view["quarantined_by_reason"] == {"max_attempts": 1}
    assert (view["eta"], view["eta_s"], view["throughput_per_hour"]) == (None, None, None)
    assert view["breaker"] == {
        "consecutive_failures": 1, "threshold": 3, "tripped": False, "line": None, "expected_attempts_between_false_trips": None,
    }  # fmt: skip
    assert (view["eta_low"], view["eta_high"]) == (None, None)
    assert (await here.get("/v1/campaigns", label="team=core", state="running"))["items"] == [view]
    assert (await here.get("/v1/campaigns", label="team=other"))["items"] == []


async def test_a_tripped_breaker_and_an_exhausted_quota_have_their_lines(here: Fleet) -> None:
    """B-BREAK-6, B-PARK-4."""
    await here.begin("a", "b", "c", "d", quota="anthropic", policy={"max_attempts": 1, "breaker": {"threshold": 3}})
    claims = await here.claim(4)
    resume_at = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    await here.order(*(c.FailAttempt(token=claim.token, reason="crash") for claim in claims[:3]))
    await here.order(c.ParkClaim(token=claims[3].token, reason="rate_limit", resume_at=resume_at))
    view = await here.get("/v1/campaigns/nightly")
    assert view["breaker"] == {
        "consecutive_failures": 3, "threshold": 3, "tripped": True, "line": "Auto paused · 3 fails",
        "expected_attempts_between_false_trips": None,
    }  # fmt: skip
    assert view["quota_line"] == f"quota exhausted · auto-resume ~{resume_at:%H:%M}"
    gate = await here.get("/v1/quotas/anthropic")
    assert (gate["gate"], gate["reason"]) == ("closed", "rate_limit")


async def test_units_are_listed_page_by_page_and_found_by_state_and_text(here: Fleet) -> None:
    await here.begin(*(f"unit {number:02d}" for number in range(25)), policy={"concurrency": 100})
    await here.claim(5)
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = await here.get("/v1/campaigns/nightly/units", limit=10, **cursor)
        seen += [item["key"] for item in page["items"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert seen == sorted(f"unit {number:02d}" for number in range(25))
    running = await here.get("/v1/campaigns/nightly/units", state="running")
    assert [item["token_active"] for item in running["items"]] == [True] * 5
    found = await here.get("/v1/campaigns/nightly/units", q="IT 2")
    assert [item["key"] for item in found["items"]] == [f"unit 2{number}" for number in range(5)]


async def test_a_unit_shows_its_attempts_its_dependencies_and_its_screen(here: Fleet) -> None:
    """B-UNIT-4: the one in flight is visible before it ends."""
    await here.begin("a", policy={"retry": {"backoff_ms": 100}})
    unit = c.UnitSpec(ids.UnitKey("b"), depends_on=(ids.UnitKey("a"),))
    await here.order(c.AddUnits(campaign=NIGHTLY, units=(unit,)))
    (claim,) = await here.claim()
    view = await here.get("/v1/campaigns/nightly/units/a")
    (flying,) = view["history"]
    assert (flying["attempt"], flying["outcome"], flying["ended_at"], flying["worker"]) == (1, "running", None, "w-1")
    await here.order(c.FailAttempt(token=claim.token, reason="crash", error="exit 3", exit_code=3))
    view = await here.get("/v1/campaigns/nightly/units/a")
    (ended,) = view["history"]
    assert (ended["outcome"], ended["reason"], ended["error"], ended["exit_code"]) == ("failed", "crash", "exit 3", 3)
    assert (view["attempts"], view["payload"]) == (1, {"file": "a.py"})
    other = await here.get("/v1/campaigns/nightly/units/b")
    assert (other["depends_on"], other["payload"], other["history"]) == (["a"], {}, [])
    events = await here.get("/v1/campaigns/nightly/units/a/events")
    kinds = [item["kind"] for item in events["items"]]
    assert kinds == ["unit.claimed", "unit.attempt_failed", "unit.retry_scheduled"]


async def test_an_attempt_whose_end_tells_no_usage_shows_what_its_last_heartbeat_said(here: Fleet) -> None:
    """B-UNIT-4: of the one in flight too, and of no other."""
    await here.begin("a", policy={"max_attempts": 3})
    await here.claim()
    for used in ({"tokens": 5.0}, {"tokens": 9.0}, None):
        await here.order(c.RecordHeartbeat(token=await token(here), usage=used))
    assert await usages(here) == [{"tokens": 9}]
    await here.order(c.ReleaseClaim(token=await token(here), reason="stop"))
    await here.claim()
    assert await usages(here) == [{"tokens": 9}, None]
    await here.order(c.RecordHeartbeat(token=await token(here), usage={"tokens": 1.0}))
    await here.order(c.CompleteUnit(token=await token(here), usage={"tokens": 2.0}))
    assert await usages(here) == [{"tokens": 9}, {"tokens": 2}]


async def test_a_unit_gives_back_what_its_attempts_left(here: Fleet) -> None:
    """B-UNIT-4: result, evidence, usage and session, in the unit and in its record; a claim carries `{}` for no payload."""
    await here.begin(policy={"retry": {"backoff_ms": 100}})
    await here.order(c.AddUnits(campaign=NIGHTLY, units=(c.UnitSpec(ids.UnitKey("a")),)))
    (claim,) = await here.claim()
    assert bytes(claim.payload) == b"{}"
    await here.order(c.RecordHeartbeat(token=claim.token, session="s-1"))
    left = c.CompleteUnit(token=claim.token, result=Raw(b'{"ok": 1}'), evidence=Raw(b'{"pr": 17}'), usage={"tokens": 2.0})
    await here.order(left)
    view = await here.get("/v1/campaigns/nightly/units/a")
    (record,) = view["history"]
    for one in (view, record):
        assert (one["result"], one["evidence"], one["usage"]) == ({"ok": 1}, {"pr": 17}, {"tokens": 2})
    assert (record["session"], record["outcome"], view["attempts"]) == ("s-1", "completed", 1)


async def token(here: Fleet) -> ids.Token:
    """Return the newest token of the unit `a`."""
    claims = await here.get("/v1/events", kind="unit.claimed", unit="a", campaign="nightly")
    return ids.Token(claims["items"][-1]["data"]["token"])


async def usages(here: Fleet) -> list[object]:
    """Return what each attempt of the unit `a` used."""
    return [attempt["usage"] for attempt in (await here.get("/v1/campaigns/nightly/units/a"))["history"]]


async def test_a_unit_is_explained_by_everything_that_stands_in_its_way(here: Fleet) -> None:
    """B-VIEW-5."""
    await here.begin("a", policy={"concurrency": 1})
    assert (await here.get("/v1/campaigns/nightly/units/a/explain"))["claimable"] is True
    await here.order(c.PauseCampaign(name=NIGHTLY, reason="lunch"), c.PauseEngine())
    told = await here.get("/v1/campaigns/nightly/units/a/explain")
    assert [blocker["reason"] for blocker in told["blockers"]] == ["paused", "engine"]


async def test_a_unit_that_waits_is_explained_by_each_dependency_that_is_open(here: Fleet) -> None:
    """B-VIEW-5, B-DAG-2."""
    await here.begin("a", "b", "c", policy={"concurrency": 3})
    await here.order(
        c.AddUnits(campaign=NIGHTLY, units=(c.UnitSpec(ids.UnitKey("d"), depends_on=tuple(map(ids.UnitKey, "abc"))),))
    )
    first, second, _ = await here.claim(3)
    await here.order(c.CompleteUnit(token=first.token))
    told = await here.get("/v1/campaigns/nightly/units/d/explain")
    assert [(one["reason"], one["entity"]) for one in told["blockers"]] == [("blocked", "b"), ("blocked", "c")]
    await here.order(c.FailAttempt(token=second.token, reason="crash", retryable=False))
    told = await here.get("/v1/campaigns/nightly/units/d/explain")
    assert [(one["reason"], one["entity"]) for one in told["blockers"]] == [("skipped", "b")]


async def test_a_key_with_a_slash_is_one_part_of_the_path(here: Fleet) -> None:
    await here.begin("src/a.py")
    view = await here.reader.unit(NIGHTLY, ids.UnitKey("src/a.py"), here.position)
    assert view is not None


async def test_reads_find_every_object_of_the_log(here: Fleet) -> None:
    for path, command in {
        "/v1/workers/w-1": c.BeatWorker(worker=WORKER),
        "/v1/quotas/q": c.RecordReading(quota=ids.QuotaKey("q"), utilization=0.5),
        "/v1/campaigns/nightly": c.CreateCampaign(name=NIGHTLY),
    }.items():
        assert (await here.client.get(path)).status_code == 404
        await here.order(command)
        assert (await here.client.get(path)).status_code == 200


async def test_workers_are_shown_with_what_they_hold(here: Fleet) -> None:
    """B-BEAT-2, B-BEAT-5."""
    await here.order(c.BeatWorker(worker=WORKER, capacity=4, labels={"gpu": "no"}, version="1.2"))
    await here.begin("a", "b", policy={"concurrency": 2})
    first, _ = await here.claim(2)
    await here.order(c.RecordHeartbeat(token=first.token, progress=0.4, note="3 of 7 tests"))
    view = await here.get("/v1/workers/w-1")
    assert (view["level"], view["state"], view["capacity"], view["labels"]) == ("healthy", "active", 4, {"gpu": "no"})
    held = {claim["key"]: claim for claim in view["claims"]}
    assert (held["a"]["progress"], held["a"]["note"], held["b"]["progress"]) == (0.4, "3 of 7 tests", None)
    assert 0 <= view["heartbeat_age_s"] < 60
    await here.order(c.CompleteUnit(token=first.token))
    assert (await here.get("/v1/workers/w-1"))["completed"] == 1
    assert len((await here.get("/v1/workers", campaign="nightly", level="healthy"))["items"]) == 1
    assert (await here.get("/v1/workers", campaign="other"))["items"] == []
    summary = await here.get("/v1/campaigns/nightly/heartbeats")
    assert (summary["total"], summary["healthy"], summary["dead"], summary["missing"]) == (1, 1, 0, 0)


async def test_the_engine_shows_its_switch_and_its_pool(here: Fleet) -> None:
    """B-VIEW-3."""
    await here.begin("a", "b", policy={"concurrency": 2})
    await here.claim(2)
    await here.order(c.PauseEngine(reason="upgrade"), c.ResizePool(pool_size=7))
    view = await here.get("/v1/engine")
    assert view["state"] == "paused"
    assert view["pool"]["size"], view["pool"]["in_use"] == (7, 2)
    assert view["paused"]["reason"] == "upgrade"
    assert view["position"] == here.position


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/campaigns/none", 404),
        ("/v1/campaigns/none/units", 404),
        ("/v1/campaigns/nightly/units/none", 404),
        ("/v1/campaigns/nightly/units/none/explain", 404),
        ("/v1/campaigns/nightly/units/none/events", 404),
        ("/v1/workers/none", 404),
        ("/v1/quotas/none", 404),
        ("/v1/campaigns/Bad%20Name", 400),
        ("/v1/campaigns?limit=0", 400),
        ("/v1/campaigns?limit=1001", 400),
        ("/v1/campaigns?cursor=%2F", 400),
        ("/v1/campaigns?state=asleep", 400),
        ("/v1/campaigns?stat=running", 400),
        ("/v1/campaigns?state=running&limt=1", 400),
        ("/v1/campaigns/nightly/units?group=x", 400),
        ("/v1/campaigns/nightly/units/%00", 400),
        ("/v1/campaigns/nightly/units/%FF", 400),
        ("/v1/events?after=-1", 400),
        ("/v1/events?after=99999999999999999999999999", 400),
        ("/v1/events?kind=unit.slept", 400),
        ("/metrics?scope=galaxy", 400),
    ],
)
async def test_an_empty_or_invalid_read_is_refused(here: Fleet, path: str, status: int) -> None:
    await here.begin("a")
    await here.projector.at_least(here.position)
    answer = await here.client.get(path)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_parameter_that_a_read_does_not_know_is_refused_with_those_that_it_knows(here: Fleet) -> None:
    refused = (await here.client.get("/v1/workers?lvel=dead")).json()
    assert (refused["field"], set(refused["allowed"])) == ("lvel", {"at_least", "limit", "cursor", "level", "campaign"})
    assert (await here.client.get("/v1/engine?limit=5&cursor=x&after=1")).status_code == 200, (
        "what lists know can change nothing here"
    )


async def test_a_position_that_never_comes_is_answered_with_unavailable(settings: Settings, pool: asyncpg.Pool) -> None:
    async with fleet(settings, pool, leads=False) as here:
        await here.begin("a")
        with pytest.raises(Exception, match="the views are at position 0"):
            await here.projector.at_least(here.position, patience_s=0.05)


@pytest.mark.parametrize("accept", ["text/plain", "application/openmetrics-text; version=1.0.0"])
async def test_the_metrics_are_read_by_a_parser_and_say_what_the_views_say(here: Fleet, accept: str) -> None:
    """B-VIEW-6, A6."""
    hostile = 'we\\ird "worker"\u2028'.replace("\u2028", "é")
    await here.begin("a", "b", policy={"concurrency": 9})
    await here.order(c.ClaimWork(worker=ids.WorkerId(hostile), max=1))
    (claim,) = await here.claim()
    await here.order(c.CompleteUnit(token=claim.token))
    await here.projector.at_least(here.position)
    answer = await here.client.get("/metrics", headers={"Accept": accept})
    assert answer.headers["content-type"].startswith(accept.split(";", maxsplit=1)[0])
    parse = plain if accept == "text/plain" else openmetrics
    samples = {
        (sample.name, *sorted(sample.labels.items())): sample.value for family in parse(answer.text) for sample in family.samples
    }
    assert samples["muster_units", ("state", "done")] == 1
    assert samples["muster_campaign_units", ("campaign", "nightly"), ("state", "running")] == 1
    assert samples["muster_events_total", ("kind", "unit.claimed")] == 2
    assert samples["muster_events_total", ("kind", "unit.parked")] == 0
    assert samples["muster_attempts_total", ("outcome", "completed")] == 1
    assert samples["muster_quarantines_total", ("reason", "manual")] == 0
    assert samples["muster_attempt_duration_seconds_count", ("outcome", "completed")] == 1
    assert samples["muster_projection_lag_events", ("projection", "views")] == 0
    assert samples["muster_event_store_position",] == here.position
    assert samples["muster_worker_leases", ("worker", hostile)] == 1
    assert any(name == "muster_build_info" for name, *_ in samples)


async def test_without_a_database_this_process_still_shows_its_own_numbers(settings: Settings, pool: asyncpg.Pool) -> None:
    async with fleet(settings, pool, leads=False) as here:
        await pool.close()
        assert (await here.client.get("/metrics", params={"scope": "fleet"})).status_code == 503
        assert "muster_metrics_collect_errors_total 1" in (await here.client.get("/metrics", params={"scope": "process"})).text
        answer = await here.client.get("/metrics")
        assert answer.status_code == 200
        assert "muster_units" not in answer.text
