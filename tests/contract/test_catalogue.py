"""The catalogue of metrics: its own rules, and its rendering held against the reference library."""

import itertools
import re
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics import exposition
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as plain
from prometheus_client.registry import Collector, CollectorRegistry
from prometheus_client.samples import BucketSpan, NativeHistogram
from typing_extensions import override

from projections.export import prometheus
from projections.export.snapshot import SUBJECT, Rows, Snapshot, rows
from projections.measures.catalogue import CATALOGUE
from projections.measures.family import Family
from projections.measures.gauges import FoldLag, Sample, gauges
from projections.measures.process import Process
from projections.measures.series import ZERO
from projections.measures.series_store import Series, SeriesStore
from projections.views.fold import ReadModels
from tests.histories import History

generate_openmetrics: Any = exposition.generate_latest
AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("family", CATALOGUE.values(), ids=lambda family: family.name)
def test_a_name_tells_what_its_family_is(family: Family) -> None:
    """Rule 2 of the catalogue: a suffix for every kind and unit, none that the formats reserve."""
    assert re.fullmatch(r"muster_[a-z0-9]+(_[a-z0-9]+)*", family.name)
    assert (family.kind == "counter") == family.name.endswith("_total")
    assert (family.kind == "info") == family.name.endswith("_info")
    assert not family.name.endswith(("_count", "_bucket", "_sum"))
    assert family.help.endswith(".")
    assert (family.kind == "histogram") == bool(family.buckets)
    assert list(family.buckets) == sorted(set(family.buckets))
    assert (family.scope == "F") == bool(family.events)


def test_every_sample_belongs_to_a_family_and_its_labels_to_their_closed_sets() -> None:
    """Rule 1 of the catalogue, over histories that see nearly everything."""
    for seed in range(10):
        history = History(seed).grow(200)
        cards, series_store = ReadModels(), SeriesStore()
        for event in history.events:
            cards.fold(event)
        series_store.fold(history.events)
        lag = FoldLag(at=history.at, head=9, position=9, generation=1, oldest_at=None)
        for name, values, _ in gauges(cards, lag):
            hold(CATALOGUE[name], values)
        for name, values in series_store.series:
            hold(CATALOGUE[name], values)


def test_a_subject_is_the_first_label_of_its_series() -> None:
    """What is not shown is left in the database by that."""
    for name, label in SUBJECT.items():
        assert next(iter(CATALOGUE[name].labels)) == label


def hold(family: Family, values: tuple[str, ...]) -> None:
    """Hold label values against the family's closed sets."""
    assert len(values) == len(family.labels), family.name
    for value, allowed in zip(values, family.labels.values(), strict=True):
        assert allowed is None or value in allowed, (family.name, value)


def test_every_folded_family_exists_at_zero_before_its_first_increment() -> None:
    """Rule 5 of the catalogue: `increase()` never sees a counter that is born at one."""
    history = History(1).grow(0)
    series_store = SeriesStore()
    series_store.fold(history.events)
    there = {name for name, _ in series_store.series}
    assert there == {family.name for family in CATALOGUE.values() if family.scope == "F"}


class Reference(Collector):
    """The same families, for the reference library."""

    def __init__(self, counter: Family, histogram: Family, values: list[tuple[str, int]], series: Series) -> None:
        self.counted = CounterMetricFamily(counter.name, counter.help, labels=list(counter.labels))
        for value, count in values:
            self.counted.add_metric([value], count)
        self.observed = HistogramMetricFamily(histogram.name, histogram.help, labels=list(histogram.labels))
        total = 0
        buckets = []
        for bound, count in zip((*map(float, histogram.buckets), float("inf")), series.buckets, strict=True):
            total += count
            buckets.append(("+Inf" if bound == float("inf") else str(bound), total))
        self.observed.add_metric(["c"], buckets, series.sum_us / 1_000_000)

    @override
    def collect(self) -> list[CounterMetricFamily | HistogramMetricFamily]:
        """Return the families."""
        return [self.counted, self.observed]


HOSTILE = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@given(labels=st.lists(HOSTILE, unique=True, max_size=5), counts=st.lists(st.integers(0, 10**12), min_size=8, max_size=8))
def test_our_text_says_what_the_reference_library_says(labels: list[str], counts: list[int]) -> None:
    """Differential: names, labels however hostile, values."""
    counter, histogram = CATALOGUE["muster_parks_total"], CATALOGUE["muster_campaign_attempt_duration_seconds"]
    series = Series(AT, 1, sum(counts), 1_500_000, counts)
    values = list(zip(labels, counts, strict=False))
    ours = [
        Rows(counter, [], [((counter.name, (value,)), Series(AT, 1, count)) for value, count in values]),
        Rows(histogram, [], [((histogram.name, ("c",)), series)]),
    ]
    registry = CollectorRegistry()
    registry.register(Reference(counter, histogram, values, series))
    text = "".join(prometheus.fleet(ours, openmetrics=False))
    assert samples(text) == samples(generate_latest(registry).decode())


INDICES = st.integers(-200, 200) | st.just(ZERO)


@given(counts=st.dictionaries(INDICES, st.integers(1, 10**9), max_size=40), name=HOSTILE)
def test_our_native_histograms_are_written_as_the_reference_library_writes_them(counts: dict[int, int], name: str) -> None:
    """Differential: runs of buckets with gaps between them, below and above one second, and what took no time at all."""
    family = msgspec.structs.replace(CATALOGUE["muster_campaign_attempt_duration_seconds"], exponential=True)
    series = Series(AT, 1, sum(counts.values()), 1_234_567, [0] * 8, exponential=counts)
    theirs = Metric(family.name, family.help, "histogram")
    places = sorted(place for place in counts if place != ZERO)
    starts = [place for place in places if place - 1 not in counts]
    runs = [(place, next(end for end in itertools.count(place) if end not in counts)) for place in starts]
    ends = [-1, *(end for _, end in runs)]
    found = NativeHistogram(
        count_value=series.value, sum_value=1.234567, schema=3, zero_threshold=0, zero_count=counts.get(ZERO, 0),
        pos_spans=[BucketSpan(begin - before, end - begin) for before, (begin, end) in zip(ends, runs, strict=False)],
        pos_deltas=[counts[place] - before for before, place in zip([0, *(counts[one] for one in places)], places, strict=False)],
    )  # fmt: skip
    theirs.add_sample(family.name, {"campaign": name}, 0, native_histogram=found)
    registry = CollectorRegistry()
    registry.register(Ready(theirs))
    row = Rows(family, [], [((family.name, (name,)), series)])
    ours = [one for one in prometheus.fleet([row], openmetrics=True, native=True) if "schema" in one]
    reference = generate_openmetrics(registry, version="2.0.0").decode().split("\n")
    assert ours == [f"{one}\n" for one in reference if "schema" in one]


class Ready(Collector):
    """One family of the library, made beforehand."""

    def __init__(self, family: Metric) -> None:
        self._family = family

    @override
    def collect(self) -> list[Metric]:
        """Return it."""
        return [self._family]


def samples(text: str) -> dict[tuple[object, ...], float]:
    """Return every sample of an exposition."""
    return {(one.name, *sorted(one.labels.items())): one.value for family in plain(text) for one in family.samples}


def test_a_lone_surrogate_does_not_break_the_exposition() -> None:
    row = Rows(CATALOGUE["muster_worker_leases"], [Sample("muster_worker_leases", ("w\ud800",), 1)], [])
    text = "".join(prometheus.fleet([row], openmetrics=False))
    assert samples(text.encode().decode()) == {("muster_worker_leases", ("worker", "w?")): 1}


def test_both_formats_of_the_whole_are_read_by_the_reference_parsers() -> None:
    history = History(3).grow(200)
    cards, series_store = ReadModels(), SeriesStore()
    for event in history.events:
        cards.fold(event)
    series_store.fold(history.events)
    position = len(history.events)
    lag = FoldLag(at=history.at, head=position, position=position, generation=1, oldest_at=None)
    process = Process()
    process.observe_request("GET", "/v1/campaigns", 200, 0.01)
    for form, parse in ((False, plain), (True, openmetrics)):
        text = "".join(prometheus.fleet(rows(Snapshot.of(cards, series_store, lag)), openmetrics=form))
        text += "".join(prometheus.process(process.registry, openmetrics=form)) + ("# EOF\n" if form else "")
        families = {family.name for family in parse(text)}
        assert {"muster_units", "muster_build" if form else "muster_build_info", "muster_attempt_duration_seconds"} <= families
