"""Metrics as OTLP messages: the rows of an exposition as cumulative protobuf points, each with the start time of its series."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from time import sleep
from typing import Literal, Self, TypeVar

from msgspec import Struct
from msgspec.structs import replace
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.metrics.v1 import metrics_pb2 as pb
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from projections.export.snapshot import Rows
from projections.measures.family import Family
from projections.measures.otel_names import otel_name, otel_unit
from projections.measures.sample import Sample
from projections.measures.series import SCALE, ZERO, Series

T = TypeVar("T")
Histograms = Literal["explicit", "exponential", "both"]
Labels = tuple[str, ...]

CUMULATIVE = pb.AGGREGATION_TEMPORALITY_CUMULATIVE
NO_VALUE = int(pb.DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK)
MAX_POINTS = 1000
"""Per request: gRPC receivers accept 4 MiB, and encoding more at once would hold the GIL for too long."""
PACED_ITEMS, PAUSE_S = 16, 0.001
"""After this many points the encoding thread pauses, so that heartbeats rarely have to wait for the GIL."""
EXPONENTIAL_SUFFIX = ".exponential"
"""For histograms that are sent with both kinds of buckets: a metric has points of one kind only, so the second gets this name."""


class Identity(Struct, frozen=True):
    """The source of metrics or spans: resource attributes, and the version of Muster."""

    attributes: dict[str, str]
    version: str

    def with_instance(self, instance: str) -> Self:
        """Return this identity as that of another instance."""
        return replace(self, attributes={**self.attributes, "service.instance.id": instance})


def fleet(log_began: datetime) -> str:
    """Return the instance id of the whole fleet, named after the time of the first event of its log."""
    return f"fleet:{round(log_began.timestamp() * 1_000_000):x}"


def requests(identity: Identity, metrics: Iterable[pb.Metric]) -> Iterator[tuple[ExportMetricsServiceRequest, int]]:
    """Yield *metrics* in requests of at most `MAX_POINTS`, each with its number of points."""
    waiting: list[pb.Metric] = []
    size = 0
    for metric in metrics:
        points = points_of(metric)
        if waiting and size + points > MAX_POINTS:
            yield request(identity, waiting), size
            waiting, size = [], 0
        waiting.append(metric)
        size += points
    if waiting:
        yield request(identity, waiting), size


def request(identity: Identity, metrics: list[pb.Metric]) -> ExportMetricsServiceRequest:
    """Return one request with one resource and one scope."""
    scope = pb.ScopeMetrics(scope=InstrumentationScope(name="muster", version=identity.version), metrics=metrics)
    resource = Resource(attributes=attributes(identity.attributes.items()))
    return ExportMetricsServiceRequest(resource_metrics=[pb.ResourceMetrics(resource=resource, scope_metrics=[scope])])


def points_of(metric: pb.Metric) -> int:
    """Return how many points a metric has."""
    kind = metric.WhichOneof("data")
    return len(getattr(metric, kind).data_points) if kind else 0


def attributes(pairs: Iterable[tuple[str, str]]) -> list[KeyValue]:
    """Return attributes as protobuf."""
    return [KeyValue(key=key, value=AnyValue(string_value=clean(value))) for key, value in pairs]


def clean(value: str) -> str:
    """Return *value* with lone surrogates, which UTF-8 cannot encode, replaced by question marks."""
    return value if value.isprintable() else value.encode("utf-8", "replace").decode()


def paced(items: Iterable[T]) -> Iterator[T]:
    """Yield *items* with pauses for other threads: an export may be slow, a heartbeat may not."""
    for index, item in enumerate(items):
        if index % PACED_ITEMS == 0:
            sleep(PAUSE_S)
        yield item


def nanoseconds(at: datetime) -> int:
    """Return *at* in nanoseconds since 1970, exact to its microseconds."""
    return round(at.timestamp() * 1_000_000) * 1000


class Fleet:
    """The fleet's rows as metrics. A series that disappeared since the last delivery is sent once more without a value."""

    def __init__(self, histograms: Histograms = "explicit") -> None:
        self._histograms = histograms
        self._written: dict[str, dict[Labels, None]] = {}
        self._delivered: dict[str, dict[Labels, None]] = {}

    def metrics(self, rows: Iterable[Rows], at: datetime) -> Iterator[pb.Metric]:
        """Yield a metric for each family that has series, or had some at the last delivery."""
        time = nanoseconds(at)
        for row in rows:
            now = {sample.labels: None for sample in row.samples} | {labels: None for (_, labels), _ in row.series}
            gone = [labels for labels in self._delivered.get(row.family.name, {}) if labels not in now]
            self._written[row.family.name] = now
            if now or gone:
                for exponential in self.bucket_kinds(row.family):
                    yield self.metric(row, gone, time, exponential=exponential)

    def delivered(self) -> None:
        """Note that everything was delivered, so that series which disappeared are not sent again."""
        self._delivered = dict(self._written)

    def bucket_kinds(self, family: Family) -> tuple[bool, ...]:
        """Return the kinds of buckets that *family* is sent with: explicit (False), exponential (True), or both."""
        if not family.exponential or self._histograms == "explicit":
            return (False,)
        return (True,) if self._histograms == "exponential" else (False, True)

    def metric(self, row: Rows, gone: list[Labels], time: int, *, exponential: bool = False) -> pb.Metric:
        """Return one family as one metric."""
        family = row.family
        metric = empty_metric(family)
        if exponential and self._histograms == "both":
            metric.name += EXPONENTIAL_SUFFIX
        if family.kind == "histogram":
            if exponential:
                metric.exponential_histogram.aggregation_temporality = CUMULATIVE
            else:
                metric.histogram.aggregation_temporality = CUMULATIVE
            for (_, values), series in paced(row.series):
                point = exponential_point(family, series) if exponential else explicit_point(family, series)
                add(metric, family, values, point, nanoseconds(series.created_at), time)
        elif family.kind == "counter":
            metric.sum.aggregation_temporality, metric.sum.is_monotonic = CUMULATIVE, True
            for (_, values), series in paced(row.series):
                add(metric, family, values, pb.NumberDataPoint(as_int=series.value), nanoseconds(series.created_at), time)
        else:
            for sample in paced(row.samples):
                add(metric, family, sample.labels, number_point(sample), 0, time)
        for values in gone:
            add(metric, family, values, BLANK[metric.WhichOneof("data") or "gauge"](flags=NO_VALUE), 0, time)
        return metric


BLANK: Mapping[str, Callable[..., pb.NumberDataPoint | pb.HistogramDataPoint | pb.ExponentialHistogramDataPoint]] = {
    "gauge": pb.NumberDataPoint,
    "sum": pb.NumberDataPoint,
    "histogram": pb.HistogramDataPoint,
    "exponential_histogram": pb.ExponentialHistogramDataPoint,
}


def empty_metric(family: Family) -> pb.Metric:
    """Return a metric of *family* without points."""
    return pb.Metric(name=otel_name(family), unit=otel_unit(family), description=family.help)


def add(
    metric: pb.Metric,
    family: Family,
    values: tuple[str, ...],
    point: pb.NumberDataPoint | pb.HistogramDataPoint | pb.ExponentialHistogramDataPoint,
    start: int,
    time: int,
) -> None:
    """Add a point with its labels and its times."""
    point.attributes.extend(attributes(zip(family.labels, values, strict=True)))
    point.start_time_unix_nano, point.time_unix_nano = start, time
    getattr(metric, metric.WhichOneof("data") or "gauge").data_points.append(point)


def number_point(sample: Sample) -> pb.NumberDataPoint:
    """Return a gauge's point."""
    value = sample.value
    return pb.NumberDataPoint(as_int=value) if isinstance(value, int) else pb.NumberDataPoint(as_double=value)


def total(family: Family, series: Series) -> float:
    """Return the sum of what a histogram observed."""
    return series.sum_us / 1_000_000 if family.unit == "seconds" else series.sum_us


def explicit_point(family: Family, series: Series) -> pb.HistogramDataPoint:
    """Return a histogram's point with the buckets of the catalogue."""
    point = pb.HistogramDataPoint(
        count=series.value, sum=total(family, series), bucket_counts=series.buckets, explicit_bounds=family.buckets
    )
    point.exemplars.extend(exemplars(family, series))
    return point


def exponential_point(family: Family, series: Series) -> pb.ExponentialHistogramDataPoint:
    """Return a histogram's point with buckets whose bounds are powers of the eighth root of two."""
    point = pb.ExponentialHistogramDataPoint(
        count=series.value, sum=total(family, series), scale=SCALE, zero_count=series.exponential.get(ZERO, 0)
    )
    counts = {index: count for index, count in series.exponential.items() if index != ZERO}
    if counts:
        low, high = min(counts), max(counts)
        point.positive.offset = low
        point.positive.bucket_counts.extend(counts.get(index, 0) for index in range(low, high + 1))
    point.exemplars.extend(exemplars(family, series))
    return point


def exemplars(family: Family, series: Series) -> Iterator[pb.Exemplar]:
    """Yield the exemplars of a histogram."""
    scale = 1_000_000 if family.unit == "seconds" else 1
    for exemplar in series.exemplars:
        if exemplar is not None:
            observed, at, position, unit = exemplar
            labels = [("event_id", str(position)), *([("unit", unit)] if unit else [])]
            yield pb.Exemplar(as_double=observed / scale, time_unix_nano=nanoseconds(at), filtered_attributes=attributes(labels))
