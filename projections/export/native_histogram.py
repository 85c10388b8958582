"""Native histograms of OpenMetrics 2.0 with schema 3: one sample with spans of buckets, counts as deltas to the bucket before."""

from collections.abc import Iterator
from itertools import pairwise

from projections.measures.series import SCALE, ZERO, Series

Span = tuple[int, int]
"""How many empty buckets come before it (for the first span: the index of its first bucket), and how many buckets it has."""


def composite(series: Series) -> str:
    """Return the value of the sample, for a histogram of seconds."""
    counts = {index + 1: count for index, count in series.exponential.items() if index != ZERO}
    total = series.sum_us / 1_000_000
    parts = [f"count:{series.value},sum:{total!r},schema:{SCALE},zero_threshold:0,zero_count:{series.exponential.get(ZERO, 0)}"]
    if counts:
        each = [counts[index] for index in sorted(counts)]
        steps = [each[0], *(after - before for before, after in pairwise(each))]
        parts.append(f"positive_spans:[{','.join(f'{gap}:{length}' for gap, length in spans(sorted(counts)))}]")
        parts.append(f"positive_deltas:[{','.join(map(str, steps))}]")
    return f"{{{','.join(parts)}}}"


def spans(indices: list[int]) -> Iterator[Span]:
    """Yield the spans of *indices*, which are sorted.

    >>> list(spans([-3, -2, 5])), list(spans([7]))
    ([(-3, 2), (6, 1)], [(7, 1)])
    """
    end = 0
    while indices:
        length = next((place for place, index in enumerate(indices) if index != indices[0] + place), len(indices))
        yield indices[0] - end, length
        end, indices = indices[0] + length, indices[length:]
