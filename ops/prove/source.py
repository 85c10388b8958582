"""Where the numbers are shown: `/metrics`, OTLP, the API, and the log itself."""

import asyncio
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import asyncpg
import httpx
import msgspec
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from prometheus_client.parser import text_string_to_metric_families

from ops.prove.families import FAMILIES
from ops.prove.term import Labels, Total, over
from projections.export.otlp_message import Fleet, Identity, requests
from projections.export.sample import Sizes
from projections.export.snapshot import rows, take
from projections.measures.book import Book
from projections.measures.catalogue import CATALOGUE, FOLDED
from projections.measures.otel import otel_name, otel_unit, prometheus_name
from projections.projector import Fold
from projections.store import Checkpoint
from projections.views.cards import Cards
from service.domain.events import KINDS, Recorded

Numbers = dict[str, dict[Labels, Total]]
LOG = """
WITH log AS (
    SELECT position, recorded_at, kind, campaign, unit, worker, data FROM events WHERE position <= $1::bigint
    UNION ALL
    SELECT
        position, recorded_at, CASE WHEN unit IS NULL THEN 'worker.heartbeat' ELSE 'unit.heartbeat' END, campaign, unit, worker,
        '{}'::jsonb
    FROM heartbeats
    WHERE position <= $1::bigint
)
"""
STATE: Mapping[str, str] = {
    "muster_units": "SELECT state, count(*), 0 FROM units GROUP BY 1",
    "muster_campaign_units": "SELECT campaign, state, count(*), 0 FROM units GROUP BY 1, 2",
    "muster_leases": "SELECT count(*), 0 FROM claims",
    "muster_pool_capacity": "SELECT 'default', pool_size, 0 FROM engine",
    "muster_campaign_consecutive_failures": "SELECT name, consecutive, 0 FROM campaigns",
}
"""What the tables of the state say of gauges."""
SCALE = 1_000_000


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
    """Add to a series what was read; a sum of seconds is one of microseconds here."""
    scale = SCALE if CATALOGUE[name].unit == "seconds" and CATALOGUE[name].kind == "histogram" else 1
    found[name][labels] = found[name][labels].plus(round(count), round(total * scale))


async def exported(connection: asyncpg.Connection, receiver: "Receiver") -> tuple[int, Numbers]:
    """Return what arrives when the leader's exporter sends a snapshot of now, and its position."""
    snapshot = await take(connection, Sizes())
    receiver.clear()
    async with httpx.AsyncClient() as client:
        metrics = Fleet().metrics(rows(snapshot), snapshot.depth.at)
        for request in requests(Identity({"service.instance.id": "fleet:prove"}, ""), metrics):
            body = request.SerializeToString()
            (
                await client.post(receiver.endpoint, content=body, headers={"content-type": "application/x-protobuf"})
            ).raise_for_status()
    return snapshot.depth.position, receiver.numbers()


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


async def counted(connection: asyncpg.Connection, position: int) -> Numbers:
    """Return what SQL counts in the log up to *position*, and in the tables of the state."""
    found: Numbers = {}
    for name, terms in FAMILIES.items():
        series: dict[Labels, Total] = defaultdict(Total)
        for term in terms:
            for *labels, count, total in await connection.fetch(LOG + term.sql(), position):
                series[tuple(labels)] = series[tuple(labels)].plus(count, total)
        found[name] = series
    for name, query in STATE.items():
        found[name] = {tuple(labels): Total(int(count), 0) for *labels, count, _ in await connection.fetch(query)}
    return found


def told(client: httpx.Client, position: int) -> Numbers:
    """Return what the API tells: the log counted once more, what only a fold knows folded from it, and its views."""
    events = [event for event in pages(client, "/v1/events") if event["position"] <= position]
    found = over(events, FAMILIES)
    fold = Fold(Checkpoint(0, 0, 0), Cards(), Book())
    fold.take([recorded(event) for event in events])
    for (name, labels), series in fold.book.series.items():
        if name not in FAMILIES:
            found.setdefault(name, {})[labels] = Total(series.value, series.sum_us)
    views = list(pages(client, "/v1/campaigns"))
    engine = client.get("/v1/engine").json()
    states = [state for state in views[0]["units"] if state != "total"] if views else []
    found["muster_campaign_units"] = {(view["name"], state): Total(view["units"][state]) for view in views for state in states}
    found["muster_units"] = {(state,): Total(sum(view["units"][state] for view in views)) for state in states}
    found["muster_leases"] = {(): Total(engine["pool"]["in_use"])}
    found["muster_pool_capacity"] = {("default",): Total(engine["pool"]["size"])}
    return found


def pages(client: httpx.Client, path: str) -> Iterator[dict[str, Any]]:
    """Yield the items of a list."""
    cursor: dict[str, str] = {}
    while True:
        page = client.get(path, params={"limit": "1000", **cursor}).raise_for_status().json()
        yield from page["items"]
        if page["next"] is None:
            return
        cursor = {"after": str(page["next"])}


def recorded(event: dict[str, Any]) -> Recorded:
    """Return an event of the API as the fold takes it."""
    body = msgspec.json.decode(msgspec.json.encode(event["data"]), type=KINDS[event["kind"]])
    at = datetime.fromisoformat(event["recorded_at"])
    return Recorded(event["position"], at, body, event.get("campaign"), event.get("unit"), event.get("worker"))


def proven() -> list[str]:
    """Return every family of which all sources can tell: the folded ones, and the gauges that the state's tables know."""
    for family in CATALOGUE.values():
        if family.kind != "info":
            assert prometheus_name(otel_name(family), otel_unit(family), monotonic=family.kind == "counter") == family.name
    return [family.name for family in FOLDED] + list(STATE)
