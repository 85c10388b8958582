"""`GET /metrics` as scrapers ask for it: both formats, packed or not, whole or in parts, with the database there or not."""

import gzip
import subprocess
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Any

import asyncpg
import pytest
from prometheus_client.openmetrics import parser
from prometheus_client.parser import text_string_to_metric_families as plain

from projections.export import prometheus
from projections.export.snapshot import Snapshot, rows
from projections.http.handlers import metrics as exposition
from projections.measures.catalogue import CATALOGUE
from projections.measures.sample import FoldLag
from projections.measures.series_store import SeriesStore
from projections.projector import ProjectionState
from projections.store import Checkpoint
from projections.views.fold import ReadModels
from service.domain import commands as c
from service.domain import events as e
from service.domain import ids
from service.settings import Settings
from tests.fleet import NIGHTLY, Fleet, fleet

openmetrics: Any = parser.text_string_to_metric_families
OPENMETRICS = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;q=0.5"
HOSTILE = ['a"b', "a\\b", "a\nb", "a\\nb", "\u202eevil", "😀" * 500, "w\ud800", "x" * 1000, "{},=", "\x00\x7f", " "]


@pytest.fixture
async def here(settings: Settings, pool: asyncpg.Pool) -> AsyncIterator[Fleet]:
    """A service that has done a little of everything."""
    async with fleet(settings, pool) as running:
        await running.begin(*(f"u{number}" for number in range(9)), quota="q", policy={"max_attempts": 1})
        child = c.UnitSpec(ids.UnitKey("child"), depends_on=(ids.UnitKey("u1"),))
        await running.order(c.AddUnits(campaign=NIGHTLY, units=(child,)))
        tokens = [claim.token for claim in await running.claim(4)]
        await running.order(c.CompleteUnit(token=tokens[0]), c.FailAttempt(token=tokens[1], reason="crash", error="exit 1"))
        await running.order(c.ParkClaim(token=tokens[2], reason="rate_limit"), c.RecordHeartbeat(token=tokens[3]))
        await running.order(c.BeatWorker(worker=ids.WorkerId("w-2"), capacity=2))
        await running.projector.at_least(running.position)
        yield running


def promtool(text: bytes) -> str:
    """Return what Prometheus has to say against an exposition."""
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, check=False)
    return (done.stdout + done.stderr).decode()


async def test_a_hanging_database_counts_as_down_before_the_scrape_times_out(
    here: Fleet, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fleet is refused, all answers what this process knows."""
    lent = [await pool.acquire() for _ in range(pool.get_max_size() - pool.get_size() + pool.get_idle_size())]
    with monkeypatch.context() as hurried:
        hurried.setattr(exposition, "FLEET_TIMEOUT_S", 0.05)
        refused = await here.client.get("/metrics?scope=fleet")
        answer = await here.client.get("/metrics")
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert (answer.status_code, "muster_campaigns" in answer.text) == (200, False)
    assert "muster_metrics_collect_errors_total 2.0" in answer.text
    for connection in lent:
        await pool.release(connection)
    assert "muster_campaigns" in (await here.client.get("/metrics")).text


async def test_promtool_accepts_a_live_scrape(here: Fleet) -> None:
    """Rule 2 of the catalogue."""
    answer = await here.client.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert promtool(answer.content) == ""


async def test_a_live_scrape_has_every_family_that_is_not_optional(here: Fleet) -> None:
    text = (await here.client.get("/metrics")).text
    there = {family.name.removesuffix("_total") for family in plain(text)}
    absent = {name for name in CATALOGUE if name.removesuffix("_total") not in there}
    assert absent <= {
        "muster_campaign_eta_timestamp_seconds", "muster_campaign_throughput_units_per_second",
        "muster_campaign_deadline_timestamp_seconds", "muster_campaign_finished_timestamp_seconds",
        "muster_campaign_paused_since_timestamp_seconds", "muster_quota_parked_since_timestamp_seconds",
        "muster_quota_resume_timestamp_seconds", "muster_quota_used_ratio", "muster_projection_rebuild_ratio",
    }, absent  # fmt: skip


async def test_openmetrics_is_answered_in_the_versions_that_are_written(here: Fleet) -> None:
    for accept in (OPENMETRICS, "application/openmetrics-text", "application/openmetrics-text;version=1.0.0;q=0.9,*/*;q=0.1"):
        answer = await here.client.get("/metrics", headers={"accept": accept})
        assert answer.headers["content-type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
        assert len(list(openmetrics(answer.text))) > 100
    for accept in ("application/openmetrics-text;version=3.0.0", "*/*", "text/plain", "nonsense;;;q=,"):
        answer = await here.client.get("/metrics", headers={"accept": accept})
        assert answer.headers["content-type"].startswith("text/plain")


async def test_openmetrics_2_adds_native_histograms(here: Fleet) -> None:
    """Everything else is the same, and without asking there is none."""
    accept = "application/openmetrics-text;version=2.0.0,application/openmetrics-text;version=1.0.0;q=0.9"
    answer = await here.client.get("/metrics", params={"scope": "fleet"}, headers={"accept": accept})
    assert answer.headers["content-type"] == "application/openmetrics-text; version=2.0.0; charset=utf-8"
    found = [sample for family in openmetrics(answer.text) for sample in family.samples]
    counts = {(one.name, *sorted((one.labels or {}).items())): one.value for one in found}
    natives = [one for one in found if one.native_histogram is not None]
    assert {one.name for one in natives} == {name for name, family in CATALOGUE.items() if family.exponential}
    for one in natives:
        kept, labels = one.native_histogram, sorted((one.labels or {}).items())
        assert (kept.schema, kept.count_value) == (3, counts[f"{one.name}_count", *labels])
        assert kept.sum_value == counts[f"{one.name}_sum", *labels]
        assert kept.zero_count + sum(accumulate(kept.pos_deltas or ())) == kept.count_value
    assert sum(one.native_histogram.count_value for one in natives) > 0
    plainly = await here.client.get("/metrics", params={"scope": "fleet"}, headers={"accept": OPENMETRICS})
    assert all(one.native_histogram is None for family in openmetrics(plainly.text) for one in family.samples)


async def test_a_duration_leads_to_the_event_that_it_was_measured_at(here: Fleet) -> None:
    text = (await here.client.get("/metrics", headers={"accept": OPENMETRICS})).text
    found = {
        sample.name: sample.exemplar
        for family in openmetrics(text)
        for sample in family.samples
        if sample.exemplar is not None and sample.labels.get("outcome", "completed") == "completed"
    }
    assert found.keys() == {
        "muster_attempt_duration_seconds_bucket", "muster_campaign_attempt_duration_seconds_bucket",
        "muster_unit_wait_seconds_bucket",
    }  # fmt: skip
    kept = found["muster_attempt_duration_seconds_bucket"]
    answer = await here.get("/v1/events", after=int(kept.labels["event_id"]) - 1, limit=1)
    event = answer["items"][0]
    assert (event["kind"], event["unit"]) == ("unit.completed", kept.labels["unit"])
    assert datetime.fromisoformat(event["recorded_at"]).timestamp() == pytest.approx(float(kept.timestamp), abs=1e-5)


async def test_every_counter_and_histogram_has_a_created_timestamp(here: Fleet) -> None:
    text = (await here.client.get("/metrics", params={"scope": "fleet"}, headers={"accept": OPENMETRICS})).text
    for family in openmetrics(text):
        if family.type in ("counter", "histogram"):
            created = [sample for sample in family.samples if sample.name.endswith("_created")]
            ends = "_total" if family.type == "counter" else "_count"
            assert len(created) == sum(sample.name.endswith(ends) for sample in family.samples) > 0, family.name


async def test_a_scrape_is_packed_for_who_asks(here: Fleet) -> None:
    packed = await here.client.get("/metrics", params={"scope": "fleet"}, headers={"accept-encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "accept-encoding" in packed.headers["vary"]
    bare = await here.client.get("/metrics", params={"scope": "fleet"}, headers={"accept-encoding": "identity"})
    assert "content-encoding" not in bare.headers
    assert len(gzip.compress(bare.content, 1)) < len(bare.content) / 5
    assert packed.text.count("\n") == bare.text.count("\n")


async def test_without_a_database_a_process_exposes_only_process_metrics(here: Fleet, pool: asyncpg.Pool) -> None:
    pool.terminate()
    own = await here.client.get("/metrics", params={"scope": "process"})
    assert own.status_code == 200
    everything = await here.client.get("/metrics")
    assert everything.status_code == 200
    assert "\nmuster_metrics_collect_errors_total 1.0" in everything.text
    assert "muster_units{" not in everything.text
    assert (await here.client.get("/metrics", params={"scope": "fleet"})).status_code == 503


async def test_gauges_read_from_the_state_are_in_the_scrape(here: Fleet, pool: asyncpg.Pool, dsn: str) -> None:
    async with pool.acquire() as connection:
        oldest = await connection.fetchval("SELECT min(ready_at) FROM units WHERE state = 'ready'")
    owner = await asyncpg.connect(dsn)
    await owner.execute("UPDATE units SET state = 'delayed', due_at = now() - interval '31 s' WHERE key = 'u8'")
    await owner.execute("INSERT INTO checkpoint (shard, generation, position, live) VALUES (0, 9, 5, false)")
    await owner.close()
    text = (await here.client.get("/metrics")).text
    values = {(sample.name, *sample.labels.values()): sample.value for family in plain(text) for sample in family.samples}
    waits = values["muster_campaign_oldest_ready_timestamp_seconds", "nightly"]
    assert waits == pytest.approx(oldest.timestamp(), abs=1e-5)
    assert values["muster_retries_overdue",] == 1
    assert values["muster_projection_rebuild_ratio", "views"] == 5 / here.position
    assert values["muster_event_store_size_bytes", "events"] > 0


def hostile() -> Snapshot:
    """Return a fleet whose workers have terrible names."""
    fold = ProjectionState(Checkpoint(0, 1, 0), ReadModels(), SeriesStore())
    at = datetime(2026, 1, 1, tzinfo=UTC)
    body = e.WorkerRegistered(capacity=1, labels={"host": HOSTILE[0]}, version=HOSTILE[2])
    fold.take([e.Recorded(place, at, body, worker=ids.WorkerId(name)) for place, name in enumerate(HOSTILE, 1)])
    fold.take([e.Recorded(len(HOSTILE) + 1 + place, at, closed(name)) for place, name in enumerate(HOSTILE)])
    depth = FoldLag(at=at + timedelta(seconds=1), head=99, position=99, generation=1, oldest_at=None)
    return Snapshot.of(fold.cards, fold.series_store, depth)


def closed(quota: str) -> e.QuotaGateClosed:
    return e.QuotaGateClosed(key=ids.QuotaKey(quota), reason="rate_limit", resume_at=None, source="w")


@pytest.mark.parametrize("form", [False, True], ids=["text", "openmetrics"])
def test_hostile_names_do_not_break_the_exposition(form: bool) -> None:
    snapshot = hostile()
    text = "".join(prometheus.fleet(rows(snapshot), openmetrics=form)) + ("# EOF\n" if form else "")
    parse = openmetrics if form else plain
    found = {family.name: family for family in parse(text.encode("utf-8").decode("utf-8"))}
    workers = {sample.labels["worker"] for sample in found["muster_worker_leases"].samples}
    assert workers == {name.encode("utf-8", "replace").decode() for name in HOSTILE}
    assert {sample.labels["quota"] for sample in found["muster_parks"].samples} >= {
        name.encode("utf-8", "replace").decode() for name in HOSTILE
    }
    if not form:
        assert promtool(text.encode()) == ""
