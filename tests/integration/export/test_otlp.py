"""What is sent over OTLP is what a scrape shows at the same position; nobody waits for a receiver that is not there."""

import logging
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from functools import partial

import asyncpg
import pytest
from google.protobuf.message import Message  # type: ignore[import-untyped]  # its stubs are another package
from prometheus_client.parser import text_string_to_metric_families

from projections.export import prometheus
from projections.export.otlp import Exporter
from projections.export.otlp_delivery import Delivery
from projections.export.otlp_message import CUMULATIVE, GONE, Histograms, Identity
from projections.export.otlp_sender import METRICS, Destination, GrpcSender, HttpSender, PartialSuccess, Sender, Signal
from projections.export.sample import Sizes
from projections.export.snapshot import Snapshot, rows, take
from projections.measures.catalogue import CATALOGUE
from projections.measures.otel_names import otel_name, otel_unit, prometheus_name
from projections.measures.process import Process
from projections.projector import load, step
from projections.store import live
from service.store.log import event_log
from tests.histories import History
from tests.patience import PATIENCE_S
from tests.receiver import Receiver, grpc_receiver, http_receiver

IDENTITY = Identity({"service.name": "muster", "service.instance.id": "replica-1"}, "0.1.0")
ROADS = {"grpc": (grpc_receiver, partial(GrpcSender, METRICS)), "http": (http_receiver, partial(HttpSender, METRICS))}


@pytest.fixture(params=["grpc", "http"])
def road(
    request: pytest.FixtureRequest,
) -> tuple[Callable[[], AbstractContextManager[Receiver]], Callable[[Destination], Sender]]:
    """How the metrics travel."""
    return ROADS[request.param]  # type: ignore[return-value]  # a class is what makes its instances


@pytest.fixture
async def snapshot(pool: asyncpg.Pool) -> AsyncIterator[Snapshot]:
    """Everything at one position after a bit of everything."""
    history = History(7).grow(300)
    async with pool.acquire() as connection:
        for event in history.events:
            await event_log.append(connection, [event])
        fold = await load(connection, await live(connection, 0))
        while await step(connection, fold):
            pass
        yield await take(connection, Sizes())


def exporter(pool: asyncpg.Pool, sender: Sender, process: Process, histograms: Histograms = "explicit") -> Exporter:
    return Exporter(pool, process, Delivery(METRICS, sender, process), IDENTITY, 60, histograms=histograms)


def scraped(snapshot: Snapshot) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Return every sample of a scrape, by name and labels."""
    text = "".join(prometheus.fleet(rows(snapshot), openmetrics=False))
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def received(receiver: Receiver, instance: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Return every point as the samples that it would be in a scrape."""
    found: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {}
    for metric in receiver.metrics(instance):
        kind = metric.WhichOneof("data") or "gauge"
        name = prometheus_name(metric.name, metric.unit, monotonic=kind == "sum")
        for point in getattr(metric, kind).data_points:
            labels = tuple(sorted((one.key, one.value.string_value) for one in point.attributes))
            if kind != "histogram":
                found[name, labels] = getattr(point, point.WhichOneof("value"))
                continue
            assert metric.histogram.aggregation_temporality == CUMULATIVE
            count = 0
            for bound, each in zip([*map(str, point.explicit_bounds), "+Inf"], point.bucket_counts, strict=True):
                count += each
                found[f"{name}_bucket", tuple(sorted((*labels, ("le", bound))))] = count
            found[f"{name}_count", labels], found[f"{name}_sum", labels] = point.count, point.sum
    return found


async def test_exported_values_equal_scraped_values(
    pool: asyncpg.Pool, snapshot: Snapshot, road: tuple[Callable[..., AbstractContextManager[Receiver]], Callable[..., Sender]]
) -> None:
    receive, send = road
    process = Process()
    with receive() as receiver:
        sender = send(Destination(receiver.endpoint, {"X-Token": "t"}, compressed=True))
        await exporter(pool, sender, process).export_fleet(snapshot)
        sender.close()
        expected = scraped(snapshot)
        assert received(receiver, "fleet:") == expected
        assert len(expected) > 500
        assert {key.lower(): value for key, value in receiver.headers[0].items()}["x-token"] == "t"
        births = {key: series.created_at for key, series in snapshot.series_store.series.items()}
        for (name, labels), point in receiver.points("fleet:").items():
            family = next(family for family in CATALOGUE.values() if otel_name(family) == name)
            assert point.time_unix_nano == round(snapshot.lag.at.timestamp() * 1_000_000) * 1000
            if family.scope == "F":
                values = dict(labels)
                born = births[family.name, tuple(values[label] for label in family.labels)]
                assert point.start_time_unix_nano == round(born.timestamp() * 1_000_000) * 1000
    assert process.registry.get_sample_value("muster_otlp_exports_total", {"result": "success"}) == 1
    sent = process.registry.get_sample_value("muster_otlp_points_total", {"result": "accepted"})
    assert sent == len(receiver.points("fleet:"))


async def test_exponential_buckets_hold_what_the_explicit_ones_hold(pool: asyncpg.Pool, snapshot: Snapshot) -> None:
    with http_receiver() as receiver:
        sender = HttpSender(METRICS, Destination(receiver.endpoint))
        await exporter(pool, sender, Process(), "exponential").export_fleet(snapshot)
        sender.close()
    kept = snapshot.series_store.series["muster_attempt_duration_seconds", ("completed",)]
    point = receiver.points("fleet:")["muster.attempt.duration", (("outcome", "completed"),)]
    assert (point.scale, point.count, point.sum) == (3, kept.value, kept.sum_us / 1_000_000)
    assert point.zero_count + sum(point.positive.bucket_counts) == kept.value > 0
    base = 2 ** (1 / 8)
    bounds = [(base ** (point.positive.offset + place), count) for place, count in enumerate(point.positive.bucket_counts)]
    for limit, low in ((30, 30 / base), (300, 300 / base)):
        under = sum(kept.buckets[: CATALOGUE["muster_attempt_duration_seconds"].buckets.index(limit) + 1])
        assert sum(count for bound, count in bounds if bound * base <= low * 1.0001) + point.zero_count <= under
    assert {exemplar.filtered_attributes[0].key for exemplar in point.exemplars} == {"event_id"}


async def test_both_kinds_of_buckets_are_sent_under_two_names(pool: asyncpg.Pool, snapshot: Snapshot) -> None:
    with http_receiver() as receiver:
        sender = HttpSender(METRICS, Destination(receiver.endpoint))
        await exporter(pool, sender, Process(), "both").export_fleet(snapshot)
        sender.close()
    kinds = {metric.name: metric.WhichOneof("data") for metric in receiver.metrics("fleet:")}
    twice = {otel_name(family) for family in CATALOGUE.values() if family.exponential}
    assert {name.removesuffix(".exponential") for name, kind in kinds.items() if kind == "exponential_histogram"} == twice
    assert {kinds[name] for name in twice} == {"histogram"}
    for name in twice:
        counts = [
            {labels: point.count for (named, labels), point in receiver.points("fleet:").items() if named == one}
            for one in (name, f"{name}.exponential")
        ]
        assert counts[0] == counts[1]


async def test_a_series_that_left_while_nobody_listened_is_told_at_the_next_delivery(
    pool: asyncpg.Pool, snapshot: Snapshot
) -> None:
    name = next(iter(snapshot.visible.workers))
    with http_receiver() as receiver:
        sender = HttpSender(METRICS, Destination(receiver.endpoint, timeout_s=PATIENCE_S))
        sends = exporter(pool, sender, Process())
        await sends.export_fleet(snapshot)
        del snapshot.visible.workers[name]
        receiver.fault = 404
        await sends.export_fleet(snapshot)
        receiver.fault = None
        for flags in (GONE, None):
            receiver.requests.clear()
            await sends.export_fleet(snapshot)
            point = receiver.points("fleet:").get(("muster.worker.leases", (("worker", name),)))
            assert (None if point is None else point.flags) == flags
        sender.close()


async def test_a_series_that_left_is_sent_once_more_without_a_value(pool: asyncpg.Pool, snapshot: Snapshot) -> None:
    name = next(iter(snapshot.visible.workers))
    with grpc_receiver() as receiver:
        sender = GrpcSender(METRICS, Destination(receiver.endpoint))
        sends = exporter(pool, sender, Process())
        await sends.export_fleet(snapshot)
        del snapshot.visible.workers[name]
        for flags in (GONE, None):
            receiver.requests.clear()
            await sends.export_fleet(snapshot)
            point = receiver.points("fleet:").get(("muster.worker.leases", (("worker", name),)))
            assert (None if point is None else point.flags) == flags
        sender.close()


async def test_each_replica_exports_its_own_metrics_under_its_instance(pool: asyncpg.Pool) -> None:
    process = Process("0001", "abc")
    process.observe_append(0.002, 3)
    with grpc_receiver() as receiver:
        sender = GrpcSender(METRICS, Destination(receiver.endpoint))
        exporter(pool, sender, process)._send_process()
        sender.close()
    assert receiver.instances() == {"replica-1"}
    found = received(receiver, "replica-1")
    for metric in process.registry.collect():
        for sample in metric.samples:
            if not sample.name.endswith("_created") and not sample.name.startswith(("muster_otlp", "process_", "python_")):
                assert found[sample.name, tuple(sorted(sample.labels.items()))] == sample.value, sample
    assert ("process_cpu_seconds_total", ()) in found


async def test_points_that_a_receiver_refuses_are_counted_though_it_says_success(
    pool: asyncpg.Pool, snapshot: Snapshot, road: tuple[Callable[..., AbstractContextManager[Receiver]], Callable[..., Sender]]
) -> None:
    receive, send = road
    process = Process()
    with receive() as receiver:
        receiver.refuses = 7
        sender = send(Destination(receiver.endpoint))
        sends = exporter(pool, sender, process)
        await sends.export_fleet(snapshot)
        sender.close()
    assert process.registry.get_sample_value("muster_otlp_exports_total", {"result": "partial"}) == 1
    status = sends.delivery.status
    assert (status.result, status.rejected, status.error) == (
        "partial", 7 * len(receiver.requests), "7 refused: too many",
    )  # fmt: skip
    assert process.registry.get_sample_value("muster_otlp_points_total", {"result": "rejected"}) == 7 * len(receiver.requests)


@pytest.mark.parametrize("send", [GrpcSender, HttpSender])
@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:1", "http://nobody.invalid:4317", "what is this"])
async def test_a_wrong_endpoint_costs_a_counted_failure_and_one_line_a_minute(
    pool: asyncpg.Pool,
    snapshot: Snapshot,
    send: Callable[[Signal, Destination], Sender],
    endpoint: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    process = Process()
    sends = exporter(pool, send(METRICS, Destination(endpoint, timeout_s=0.5)), process)
    for _ in range(3):
        await sends.export_fleet(snapshot)
    assert process.registry.get_sample_value("muster_otlp_exports_total", {"result": "failure"}) == 3
    status = sends.delivery.status
    assert (status.result, status.accepted) == ("failure", 0)
    assert status.error
    assert [record.levelname for record in caplog.records if record.name == "projections.export.otlp_delivery"] == ["WARNING"]


async def test_an_export_is_skipped_while_another_runs(pool: asyncpg.Pool, snapshot: Snapshot) -> None:
    under_way, end = threading.Event(), threading.Event()

    class Slow:
        """Takes its time."""

        calls = 0

        def send(self, request: Message) -> PartialSuccess:
            assert request.resource_metrics
            self.calls += 1
            under_way.set()
            end.wait(PATIENCE_S)
            return PartialSuccess()

        def close(self) -> None:
            """Nothing is held."""

    slow = Slow()
    sends = exporter(pool, slow, Process())
    first = threading.Thread(target=sends._send_fleet, args=(snapshot,))
    first.start()
    under_way.wait(PATIENCE_S)
    await sends.export_fleet(snapshot)
    assert slow.calls == 1
    end.set()
    first.join()


def test_the_rules_of_opentelemetry_give_our_names_back() -> None:
    """Rule 3 of the catalogue."""
    for family in CATALOGUE.values():
        if family.kind != "info":
            name = prometheus_name(otel_name(family), otel_unit(family), monotonic=family.kind == "counter")
            assert name == family.name
