"""Counters that a swap makes smaller, which scrapers must see as resets."""

from collections import defaultdict

from projections.measures.series import Series
from projections.measures.series_store import SeriesStore

LoweredCounters = dict[str, tuple[tuple[str, ...], ...]]
"""Families, and the label values of their series that became smaller."""


def lowered_counters(live: SeriesStore, rebuilt: SeriesStore) -> LoweredCounters:
    """Return which series of *live* are smaller in *rebuilt*; a series that no longer exists just ends."""
    lowered: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for family, labels in sorted(live.series.keys() & rebuilt.series.keys()):
        if smaller(live.series[family, labels], rebuilt.series[family, labels]):
            lowered[family].append(labels)
    return {family: tuple(series) for family, series in lowered.items()}


def smaller(before: Series, after: Series) -> bool:
    """Tell whether any number of a series became smaller, or its bucket bounds changed."""
    if len(before.buckets) != len(after.buckets):
        return True
    pairs = [(before.value, after.value), (before.sum_us, after.sum_us), *zip(before.buckets, after.buckets, strict=True)]
    pairs += [(count, after.exponential.get(index, 0)) for index, count in before.exponential.items()]
    return any(now < was for was, now in pairs)
