"""Metrics as OTLP has them: the rows of an exposition as protobuf, cumulative, each point with the time its series began."""

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
GONE = int(pb.DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK)
MOST_POINTS = 1000
"""In one request: receivers over gRPC take 4 MiB, and writing more at a stroke would keep the event loop waiting."""
BREATH, REST_S = 16, 0.001
"""After so many points the writing thread rests much longer than they took: a heartbeat seldom finds it at work."""
BESIDE = ".exponential"
"""Ends the name of a histogram that is sent with exponential buckets beside the others: one name has one kind of points."""


class Identity(Struct, frozen=True):
    """Whose metrics or spans they are: attributes of the resource, and the version of Muster."""

    attributes: dict[str, str]
    version: str

    def with_instance(self, instance: str) -> Self:
        """Return this identity as that of another instance."""
        return replace(self, attributes={**self.attributes, "service.instance.id": instance})


def fleet(born: datetime) -> str:
    """Return the instance that speaks for the whole fleet: the log whose first event was recorded then."""
    return f"fleet:{round(born.timestamp() * 1_000_000):x}"


def requests(identity: Identity, metrics: Iterable[pb.Metric]) -> Iterator[tuple[ExportMetricsServiceRequest, int]]:
    """Yield *metrics* in requests of a size that every receiver takes, each with how many points it has."""
    waiting: list[pb.Metric] = []
    size = 0
    for metric in metrics:
        points = points_of(metric)
        if waiting and size + points > MOST_POINTS:
            yield request(identity, waiting), size
            waiting, size = [], 0
        waiting.append(metric)
        size += points
    if waiting:
        yield request(identity, waiting), size


def request(identity: Identity, metrics: list[pb.Metric]) -> ExportMetricsServiceRequest:
    """Return one request: one resource, one scope."""
    scope = pb.ScopeMetrics(scope=InstrumentationScope(name="muster", version=identity.version), metrics=metrics)
    resource = Resource(attributes=attributes(identity.attributes.items()))
    return ExportMetricsServiceRequest(resource_metrics=[pb.ResourceMetrics(resource=resource, scope_metrics=[scope])])


def points_of(metric: pb.Metric) -> int:
    """Return how many points a metric has."""
    kind = metric.WhichOneof("data")
    return len(getattr(metric, kind).data_points) if kind else 0


def attributes(pairs: Iterable[tuple[str, str]]) -> list[KeyValue]:
    """Return attributes; half a surrogate pair becomes a question mark."""
    return [KeyValue(key=key, value=AnyValue(string_value=clean(value))) for key, value in pairs]


def clean(value: str) -> str:
    """Return *value* as UTF-8 can hold it."""
    return value if value.isprintable() else value.encode("utf-8", "replace").decode()


def paced(items: Iterable[T]) -> Iterator[T]:
    """Yield *items*, and leave the machine to other threads most of the time: an export may take its time, a heartbeat not."""
    for place, item in enumerate(items):
        if place % BREATH == 0:
            sleep(REST_S)
        yield item


def nanoseconds(at: datetime) -> int:
    """Return *at* in nanoseconds since 1970, exact to its microseconds."""
    return round(at.timestamp() * 1_000_000) * 1000


class Fleet:
    """The fleet's rows as metrics; what was delivered last is written once more without a value when it is gone."""

    def __init__(self, histograms: Histograms = "explicit") -> None:
        self._histograms = histograms
        self._written: dict[str, dict[Labels, None]] = {}
        self._delivered: dict[str, dict[Labels, None]] = {}

    def metrics(self, rows: Iterable[Rows], at: datetime) -> Iterator[pb.Metric]:
        """Yield a metric for each family that has series, or had some at the last export that was delivered."""
        time = nanoseconds(at)
        for row in rows:
            now = {sample.labels: None for sample in row.samples} | {labels: None for (_, labels), _ in row.series}
            gone = [labels for labels in self._delivered.get(row.family.name, {}) if labels not in now]
            self._written[row.family.name] = now
            if now or gone:
                for exponential in self.shapes(row.family):
                    yield self.metric(row, gone, time, exponential=exponential)

    def delivered(self) -> None:
        """Note that everything that was written has arrived: what is gone need not be told again."""
        self._delivered = dict(self._written)

    def shapes(self, family: Family) -> tuple[bool, ...]:
        """Return with which buckets *family* is written: exponential or not, or both, under two names."""
        if not family.exponential or self._histograms == "explicit":
            return (False,)
        return (True,) if self._histograms == "exponential" else (False, True)

    def metric(self, row: Rows, gone: list[Labels], time: int, *, exponential: bool = False) -> pb.Metric:
        """Return one family as one metric."""
        family = row.family
        metric = empty_metric(family)
        if exponential and self._histograms == "both":
            metric.name += BESIDE
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
            add(metric, family, values, BLANK[metric.WhichOneof("data") or "gauge"](flags=GONE), 0, time)
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
    counts = {place: count for place, count in series.exponential.items() if place != ZERO}
    if counts:
        low, high = min(counts), max(counts)
        point.positive.offset = low
        point.positive.bucket_counts.extend(counts.get(place, 0) for place in range(low, high + 1))
    point.exemplars.extend(exemplars(family, series))
    return point


def exemplars(family: Family, series: Series) -> Iterator[pb.Exemplar]:
    """Yield what a histogram keeps of single observations."""
    scale = 1_000_000 if family.unit == "seconds" else 1
    for kept in series.exemplars:
        if kept is not None:
            observed, at, position, unit = kept
            named_by = [("event_id", str(position)), *([("unit", unit)] if unit else [])]
            yield pb.Exemplar(
                as_double=observed / scale, time_unix_nano=nanoseconds(at), filtered_attributes=attributes(named_by)
            )
