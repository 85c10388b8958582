"""A histogram of scale 3 as OpenMetrics 2.0 has it: one sample with runs of buckets, each as a difference to the last."""

from collections.abc import Iterator
from itertools import pairwise

from projections.measures.series import SCALE, ZERO, Series

Span = tuple[int, int]
"""How many buckets are left out before it (the index of the first, at the beginning), and how many it has."""


def composite(series: Series) -> str:
    """Return the value of the sample; what was observed are times."""
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
    """Yield the runs of *indices*, which are sorted.

    >>> list(spans([-3, -2, 5])), list(spans([7]))
    ([(-3, 2), (6, 1)], [(7, 1)])
    """
    end = 0
    while indices:
        length = next((place for place, index in enumerate(indices) if index != indices[0] + place), len(indices))
        yield indices[0] - end, length
        end, indices = indices[0] + length, indices[length:]
