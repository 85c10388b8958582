"""The metrics of this process as OTLP messages, from its Prometheus registry."""

from collections.abc import Iterator
from typing import Any

from opentelemetry.proto.metrics.v1 import metrics_pb2 as pb
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric

from projections.export.otlp_message import CUMULATIVE, attributes, empty_metric
from projections.measures.catalogue import CATALOGUE
from projections.measures.family import Family

SUFFIXES = {"counter": "_total", "info": "_info"}
UNITS = ("seconds", "bytes", "ratio")
Labels = tuple[tuple[str, str], ...]


def metrics(registry: CollectorRegistry, began: float, at: float) -> Iterator[pb.Metric]:
    """Yield every family of *registry*; a series without a start time of its own started with the process, at *began*."""
    for family in registry.collect():
        metric = empty_metric(catalogue_family(family))
        histogram = family.type == "histogram"
        if family.type == "counter":
            metric.sum.aggregation_temporality, metric.sum.is_monotonic = CUMULATIVE, True
        elif histogram:
            metric.histogram.aggregation_temporality = CUMULATIVE
        points = histogram_points(family) if histogram else number_points(family)
        start = 0 if family.type in ("gauge", "info") else nano(began)
        for labels, point, created in points:
            point.attributes.extend(attributes(labels))
            point.start_time_unix_nano, point.time_unix_nano = nano(created) or start, nano(at)
            getattr(metric, metric.WhichOneof("data") or "gauge").data_points.append(point)
        if metric.WhichOneof("data"):
            yield metric


def catalogue_family(family: Metric) -> Family:
    """Return the family of the catalogue, or one made up for a metric of the client library."""
    name = family.name + SUFFIXES.get(family.type, "")
    if name in CATALOGUE:
        return CATALOGUE[name]
    unit = next((unit for unit in UNITS if family.name.endswith(f"_{unit}")), "")
    kind: Any = family.type if family.type in ("counter", "histogram", "info") else "gauge"
    return Family(name=name, kind=kind, help=family.documentation, scope="P", unit=unit)


def nano(seconds: float | None) -> int:
    """Return seconds since 1970 in nanoseconds."""
    return round((seconds or 0) * 1_000_000) * 1000


def number_points(family: Metric) -> Iterator[tuple[Labels, pb.NumberDataPoint, float | None]]:
    """Yield the points of a counter or a gauge."""
    created = {tuple(one.labels.items()): one.value for one in family.samples if one.name.endswith("_created")}
    for one in family.samples:
        if not one.name.endswith("_created"):
            labels = tuple(one.labels.items())
            yield labels, pb.NumberDataPoint(as_double=one.value), created.get(labels)


def histogram_points(family: Metric) -> Iterator[tuple[Labels, pb.HistogramDataPoint, float | None]]:
    """Yield the points of a histogram; OTLP wants buckets that are not cumulative."""
    series: dict[Labels, dict[str, Any]] = {}
    for one in family.samples:
        labels = tuple((name, value) for name, value in one.labels.items() if name != "le")
        parts = series.setdefault(labels, {"bounds": [], "counts": []})
        if one.name.endswith("_bucket"):
            parts["bounds"].append(float(one.labels["le"]))
            parts["counts"].append(int(one.value))
        else:
            parts[one.name.rpartition("_")[2]] = one.value
    for labels, parts in series.items():
        counts = parts["counts"]
        separate = [count - before for before, count in zip([0, *counts], counts, strict=False)]
        point = pb.HistogramDataPoint(
            count=counts[-1], sum=parts["sum"], bucket_counts=separate, explicit_bounds=parts["bounds"][:-1]
        )
        yield labels, point, parts.get("created")
