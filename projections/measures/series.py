"""One series of whole numbers, and what a histogram does with an observation."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from math import ceil, log2

from msgspec import Struct, field

from projections.measures.family import Family
from service.domain import events as e

SCALE = 3
STEPS = 2**SCALE
ZERO = -(2**15)
"""Stands among the exponential buckets for what is not above zero."""

Exemplar = tuple[int, datetime, int, str]
"""What was observed, when, the position of the event, and its unit."""


class Series(Struct, gc=False):
    """One series, changed last at *position*; *buckets* are not cumulative, the last is +Inf.

    *exemplars* has the newest observation of each bucket, *exponential* counts by `index`.
    """

    created_at: datetime
    position: int
    value: int = 0
    sum_us: int = 0
    buckets: list[int] = field(default_factory=list)
    exemplars: list[Exemplar | None] = field(default_factory=list)
    exponential: dict[int, int] = field(default_factory=dict)


class Scale(Struct, frozen=True, gc=False):
    """How a family's histograms count: upper bounds as integers, and what else they keep."""

    bounds: list[int]
    exemplars: bool
    exponential: bool
    per_second: int

    @classmethod
    def of(cls, family: Family) -> "Scale":
        """Return the scale of *family*."""
        return cls(family.bounds_us(), family.exemplars, family.exponential, 1_000_000 if family.unit == "seconds" else 1)

    def blank(self, event: e.Recorded) -> Series:
        """Return a histogram that has seen nothing."""
        size = len(self.bounds) + 1
        return Series(event.at, event.position, buckets=[0] * size, exemplars=[None] * size if self.exemplars else [])

    def observe(self, row: Series, observed: Sequence[int], events: Sequence[e.Recorded]) -> None:
        """Count what was observed of each of *events*, which stand in the order of the log."""
        places = [bisect_left(self.bounds, one) for one in observed]
        row.value += len(observed)
        row.sum_us += sum(observed)
        for place, count in Counter(places).items():
            row.buckets[place] += count
        if self.exemplars:
            for place, (one, event) in dict(zip(places, zip(observed, events, strict=True), strict=True)).items():
                kept = row.exemplars[place]
                if kept is None or kept[2] < event.position:
                    row.exemplars[place] = (one, event.at, event.position, event.unit or "")
        if self.exponential:
            for at, count in Counter([index(one, self.per_second) for one in observed]).items():
                row.exponential[at] = row.exponential.get(at, 0) + count


def index(observed: int, per_second: int = 1_000_000) -> int:
    """Return the bucket of the exponential histogram of scale 3: its bounds are the powers of 2 to the eighth.

    >>> [index(seconds) for seconds in (1_000_000, 1_000_001, 2_000_000, 0)]
    [-1, 0, 7, -32768]
    """
    return ceil(log2(observed / per_second) * STEPS) - 1 if observed > 0 else ZERO


def quantile(counts: Mapping[int, int], share: float) -> float | None:
    """Return the seconds under which a *share* of what exponential buckets count lies, as Prometheus does with native histograms.

    >>> quantile({-1: 1, 7: 1}, 0.5), quantile({ZERO: 3, 0: 1}, 0.5), quantile({}, 0.5)
    (1.0, 0.0, None)
    """
    rank, below = share * sum(counts.values()), 0
    for place in sorted(counts):
        if below + counts[place] >= rank:
            return 0.0 if place == ZERO else float(2 ** ((place + (rank - below) / counts[place]) / STEPS))
        below += counts[place]
    return None


def cumulative(buckets: Sequence[int]) -> list[int]:
    """Return how many lie at or under each bound.

    >>> cumulative([1, 0, 2])
    [1, 1, 3]
    """
    total, found = 0, []
    for count in buckets:
        total += count
        found.append(total)
    return found
