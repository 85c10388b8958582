"""Where the numbers are shown: `/metrics`, and a receiver of OTLP."""

import asyncio
import re
from collections import defaultdict

import asyncpg
import httpx
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from prometheus_client.parser import text_string_to_metric_families

from ops.prove.formula import Labels, Total
from ops.prove.numbers import Numbers, gauge
from ops.prove.tables import STATE
from projections.export.otlp_message import Fleet, Identity, requests
from projections.export.sample import Sizes
from projections.export.snapshot import rows, take
from projections.measures.catalogue import CATALOGUE, FOLDED
from projections.measures.otel_names import otel_name, otel_unit, prometheus_name

UNPROVEN = {
    "muster_campaign_throughput_units_per_second": "changes with the clock between two readings",
    "muster_campaign_eta_timestamp_seconds": "changes with the clock between two readings",
    "muster_retries_overdue": "changes with the clock between two readings",
    "muster_leases_overdue": "changes with the clock between two readings",
    "muster_heartbeat_staleness_max_seconds": "changes with the clock between two readings",
    "muster_projection_lag_seconds": "changes with the clock between two readings",
    "muster_event_store_size_bytes": "is read once a minute, and grows by itself",
    "muster_projection_rebuild_ratio": "is there only while a rebuild runs",
}
"""Families of the fleet of which no two readings need be the same, and why."""


def scraped(client: httpx.Client) -> tuple[int, Numbers]:
    """Return the fleet's numbers of `/metrics`, and their position."""
    found: Numbers = defaultdict(lambda: defaultdict(Total))
    for family in text_string_to_metric_families(client.get("/metrics", params={"scope": "fleet"}).text):
        for sample in family.samples:
            name = re.sub("_(count|sum)$", "", sample.name) if family.type == "histogram" else sample.name
            if name in CATALOGUE and not sample.name.endswith("_bucket"):
                labels = tuple(sample.labels[label] for label in CATALOGUE[name].labels)
                summed = family.type == "histogram" and sample.name.endswith("_sum")
                add(found, name, labels, *((0, sample.value) if summed else (sample.value, 0.0)))
    return found["muster_metrics_fold_position"][()].count, found


def add(found: Numbers, name: str, labels: Labels, count: float, total: float) -> None:
    """Add to a series what was read: a gauge's value, or how often and how much together."""
    family = CATALOGUE[name]
    if family.kind == "gauge":
        found[name][labels] = gauge(name, count)
        return
    scale = 1_000_000 if family.unit == "seconds" else 1
    found[name][labels] = found[name][labels].plus(round(count), round(total * scale))


async def exported(connection: asyncpg.Connection, receiver: "Receiver") -> tuple[int, Numbers]:
    """Return what arrives when the leader's exporter sends a snapshot of now, and its position."""
    snapshot = await take(connection, Sizes())
    receiver.clear()
    async with httpx.AsyncClient() as client:
        metrics = Fleet().metrics(rows(snapshot), snapshot.lag.at)
        for request, _ in requests(Identity({"service.instance.id": "fleet:prove"}, ""), metrics):
            body = request.SerializeToString()
            (
                await client.post(receiver.endpoint, content=body, headers={"content-type": "application/x-protobuf"})
            ).raise_for_status()
    return snapshot.lag.position, receiver.numbers()


class Receiver:
    """A receiver of OTLP over HTTP, on a port of its own."""

    def __init__(self) -> None:
        self.endpoint = ""
        self._requests: list[ExportMetricsServiceRequest] = []

    async def start(self) -> asyncio.Server:
        """Listen."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.endpoint = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1/metrics"
        return server

    def clear(self) -> None:
        """Forget what came."""
        self._requests.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = re.search(r"content-length: (\d+)", head)
        body = await reader.readexactly(int(length[1]) if length else 0)
        self._requests.append(ExportMetricsServiceRequest.FromString(body))
        answer = ExportMetricsServiceResponse().SerializeToString()
        writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%b" % (len(answer), answer))
        await writer.drain()
        writer.close()

    def numbers(self) -> Numbers:
        """Return every series that came."""
        names = {otel_name(family): family.name for family in CATALOGUE.values()}
        found: Numbers = defaultdict(lambda: defaultdict(Total))
        for request in self._requests:
            for metric in request.resource_metrics[0].scope_metrics[0].metrics:
                kind = metric.WhichOneof("data") or "gauge"
                for point in getattr(metric, kind).data_points:
                    labels = tuple(one.value.string_value for one in point.attributes)
                    if kind == "histogram":
                        add(found, names[metric.name], labels, point.count, point.sum)
                    else:
                        add(found, names[metric.name], labels, getattr(point, point.WhichOneof("value")), 0)
        return found


def proven() -> list[str]:
    """Return every family that is proven: all of the fleet's but those that need not be the same at two readings."""
    for family in CATALOGUE.values():
        if family.kind != "info":
            assert prometheus_name(otel_name(family), otel_unit(family), monotonic=family.kind == "counter") == family.name
    told = {family.name for family in FOLDED} | {name for name, _ in STATE} | {"muster_campaign_wave"}
    return [name for name in CATALOGUE if name in told]
