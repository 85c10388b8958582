"""Series of whole numbers, and how histograms count observations."""

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
"""The index among the exponential buckets for observations of zero."""

Exemplar = tuple[int, datetime, int, str]
"""The observed value, its time, the position of the event, and its unit."""


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
    """How the histograms of a family count: upper bounds as integers, and whether they have exemplars and exponential buckets."""

    bounds: list[int]
    exemplars: bool
    exponential: bool
    per_second: int

    @classmethod
    def of(cls, family: Family) -> "Scale":
        """Return the scale of *family*."""
        return cls(family.bounds_us(), family.exemplars, family.exponential, 1_000_000 if family.unit == "seconds" else 1)

    def blank(self, event: e.Recorded) -> Series:
        """Return an empty histogram."""
        size = len(self.bounds) + 1
        return Series(event.at, event.position, buckets=[0] * size, exemplars=[None] * size if self.exemplars else [])

    def observe(self, row: Series, observed: Sequence[int], events: Sequence[e.Recorded]) -> None:
        """Count one observation for each of *events*, which are in the order of the log."""
        buckets = [bisect_left(self.bounds, one) for one in observed]
        row.value += len(observed)
        row.sum_us += sum(observed)
        for bucket, count in Counter(buckets).items():
            row.buckets[bucket] += count
        if self.exemplars:
            for bucket, (one, event) in dict(zip(buckets, zip(observed, events, strict=True), strict=True)).items():
                old = row.exemplars[bucket]
                if old is None or old[2] < event.position:
                    row.exemplars[bucket] = (one, event.at, event.position, event.unit or "")
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
    """Return a quantile in seconds from exponential buckets, interpolated as Prometheus does for native histograms.

    >>> quantile({-1: 1, 7: 1}, 0.5), quantile({ZERO: 3, 0: 1}, 0.5), quantile({}, 0.5)
    (1.0, 0.0, None)
    """
    rank, below = share * sum(counts.values()), 0
    for bucket in sorted(counts):
        if below + counts[bucket] >= rank:
            return 0.0 if bucket == ZERO else float(2 ** ((bucket + (rank - below) / counts[bucket]) / STEPS))
        below += counts[bucket]
    return None


def cumulative(buckets: Sequence[int]) -> list[int]:
    """Return how many lie at or under each bound.

    >>> cumulative([1, 0, 2])
    [1, 1, 3]
    """
    total, sums = 0, []
    for count in buckets:
        total += count
        sums.append(total)
    return sums
