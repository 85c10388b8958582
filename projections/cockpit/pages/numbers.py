"""The page of ten important metrics, from the same fold as `/metrics`."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct

from projections.cockpit import queries
from projections.cockpit.context import CockpitContext
from projections.cockpit.page import CockpitPage
from projections.cockpit.url import PageUrl
from projections.measures.catalogue import CATALOGUE
from projections.measures.family import Family
from projections.measures.series import quantile
from projections.store import EXPONENTIAL

SHOWN_FAMILIES = (
    "muster_attempts_total",
    "muster_attempt_failures_total",
    "muster_attempt_duration_seconds",
    "muster_unit_wait_seconds",
    "muster_retries_total",
    "muster_retry_delay_seconds",
    "muster_quarantines_total",
    "muster_heartbeats_total",
    "muster_parks_total",
    "muster_safety_cap_trips_total",
)
US = 1_000_000
P50, P95 = 0.5, 0.95


class Number(Struct, frozen=True):
    """One family: its total, its series, and for a histogram its mean and two quantiles in its own unit."""

    family: Family
    value: int
    parts: list[tuple[str, int]]
    mean: float | None = None
    p50: float | None = None
    p95: float | None = None


async def numbers(context: CockpitContext, _: PageUrl) -> CockpitPage:
    """Return the page of numbers."""
    rows = await queries.families(context.reader, SHOWN_FAMILIES)
    shown = [number(CATALOGUE[name], [row for row in rows if row["family"] == name]) for name in SHOWN_FAMILIES]
    facts = {"numbers": shown, "lag": await queries.lag(context.reader)}
    return CockpitPage(template="numbers.html", title="Numbers", pane="numbers", facts=facts)


def number(family: Family, rows: Sequence[Any]) -> Number:
    """Return one family from its series."""
    total = sum(row["value"] for row in rows)
    parts = sorted(((" ".join(row["labels"]), row["value"]) for row in rows if row["value"] and row["labels"]), key=descending)
    if family.kind != "histogram" or not total:
        return Number(family, total, parts)
    mean = sum(row["sum_us"] for row in rows) / total / US
    p50, p95 = quantiles(family, rows, total)
    return Number(family, total, parts, mean, p50, p95)


def quantiles(family: Family, rows: Sequence[Any], total: int) -> tuple[float | None, float | None]:
    """Return both quantiles, from the exponential buckets if they hold all observations, else from the explicit ones."""
    counts: Counter[int] = Counter()
    for row in rows:
        counts.update({} if row["exponential"] is None else EXPONENTIAL.decode(row["exponential"]))
    if counts.total() == total:
        return quantile(counts, P50), quantile(counts, P95)
    buckets = [sum(each) for each in columns([row["buckets"] for row in rows])]
    return interpolated(family, buckets, P50), interpolated(family, buckets, P95)


def descending(part: tuple[str, int]) -> tuple[int, str]:
    """Return the sort key of a part: the largest first."""
    return -part[1], part[0]


def columns(rows: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """Yield the columns of rows that may be of different lengths."""
    for index in range(max((len(row) for row in rows), default=0)):
        yield [row[index] for row in rows if index < len(row)]


def interpolated(family: Family, buckets: Sequence[int], share: float) -> float | None:
    """Return a quantile, interpolated linearly within its bucket as `histogram_quantile` of Prometheus does."""
    rank, below, lower = share * sum(buckets), 0, 0.0
    for index, inside in enumerate(buckets):
        if index >= len(family.buckets):
            break
        if inside and below + inside >= rank:
            return lower + (family.buckets[index] - lower) * (rank - below) / inside
        below, lower = below + inside, family.buckets[index]
    return family.buckets[-1] if family.buckets and sum(buckets) else None
