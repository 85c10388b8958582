"""What an exposition costs: 100,000 samples as text, against the reference library on the same samples."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from time import perf_counter

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from ops.bench.environment import BenchEnvironment
from ops.bench.row import Row
from projections.export import prometheus
from projections.export.snapshot import Rows
from projections.measures.catalogue import CATALOGUE
from projections.measures.sample import Sample
from projections.measures.series import Series, cumulative
from projections.measures.series_store import Key

AT = datetime(2026, 1, 1, tzinfo=UTC)
HISTOGRAM = CATALOGUE["muster_campaign_attempt_duration_seconds"]
COUNTER = CATALOGUE["muster_campaign_attempts_total"]
GAUGE = CATALOGUE["muster_campaign_units"]
TURNS = 5


def families() -> list[Rows]:
    """Return 100,000 samples of three kinds."""
    histograms: list[tuple[Key, Series]] = [
        ((HISTOGRAM.name, (f"c{number}",)), Series(AT, 1, 36, 1_500_000, list(range(1, 9)))) for number in range(3000)
    ]
    outcomes = COUNTER.labels["outcome"] or ()
    counters: list[tuple[Key, Series]] = [
        ((COUNTER.name, (f"c{number}", one)), Series(AT, 1, number)) for number in range(7000) for one in outcomes
    ]
    states = GAUGE.labels["state"] or ()
    gauges = [Sample(GAUGE.name, (f"c{number}", state), number) for number in range(3200) for state in states]
    return [Rows(HISTOGRAM, [], histograms), Rows(COUNTER, [], counters), Rows(GAUGE, gauges, [])]


class Ready(Collector):
    """The same samples as the library's own families, made beforehand."""

    def __init__(self, rows: list[Rows]) -> None:
        self._families: list[Metric] = [metric(row) for row in rows]

    @override
    def collect(self) -> list[Metric]:
        """Return them."""
        return self._families


def metric(row: Rows) -> Metric:
    """Return one family for the library."""
    family, names = row.family, list(row.family.labels)
    if family.kind == "gauge":
        gauge = GaugeMetricFamily(family.name, family.help, labels=names)
        for sample in row.samples:
            gauge.add_metric(sample.labels, sample.value)
        return gauge
    if family.kind == "counter":
        counter = CounterMetricFamily(family.name, family.help, labels=names)
        for (_, labels), series in row.series:
            counter.add_metric(labels, series.value)
        return counter
    histogram = HistogramMetricFamily(family.name, family.help, labels=names)
    bounds = [*map(str, family.buckets), "+Inf"]
    for (_, labels), series in row.series:
        histogram.add_metric(labels, list(zip(bounds, cumulative(series.buckets), strict=True)), series.sum_us / 1e6)
    return histogram


def best(write: Callable[[], bytes]) -> float:
    """Return the seconds of the quickest of some turns, after one that does not count."""
    write()
    spent = []
    for _ in range(TURNS):
        began = perf_counter()
        write()
        spent.append(perf_counter() - began)
    return min(spent)


def exposition(_bench: BenchEnvironment) -> Iterator[Row]:
    """Measure the text of 100,000 samples."""
    rows = families()
    registry = CollectorRegistry()
    registry.register(Ready(rows))
    ours = best(lambda: "".join(prometheus.fleet(rows, openmetrics=False)).encode())
    theirs = best(lambda: generate_latest(registry))
    yield Row(
        what="100,000 samples as text",
        ours=f"{ours * 1000:.0f} ms",
        baseline=f"{theirs * 1000:.0f} ms",
        value=ours / theirs,
        bound=0.25,
        sense="at most",
    )
