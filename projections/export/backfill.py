"""The past as Prometheus would have scraped it: the log folded once more, its values written at every step of time."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import IO

from projections.export import prometheus
from projections.export.snapshot import Snapshot, rows
from projections.measures.catalogue import CATALOGUE
from projections.measures.sample import FoldLag
from projections.measures.series_store import SeriesStore
from projections.projector import ProjectionState
from projections.store import Checkpoint, Session
from projections.views.fold import ReadModels
from service.store.log import event_log

PAGE = 5000
UNKNOWN = frozenset(
    {
        "muster_campaign_oldest_ready_timestamp_seconds", "muster_retries_overdue", "muster_event_store_size_bytes",
        "muster_projection_position", "muster_projection_lag_events", "muster_projection_lag_seconds",
        "muster_projection_generation", "muster_projection_rebuild_ratio", "muster_event_store_position",
    }
)  # fmt: skip
"""What only a moment knows: it is asked of tables that change, not of the log."""


async def moments(
    connection: Session, start: datetime, end: datetime, step: timedelta, shard: int = 0
) -> AsyncIterator[Snapshot]:
    """Yield the fleet at *start* and after every *step* until *end*, from one reading of the log."""
    fold = ProjectionState(Checkpoint(shard, 0, 0), ReadModels(), SeriesStore())
    position, at = 0, start
    async for page in event_log.pages(connection, shard, 0, await event_log.head(connection, shard), PAGE):
        rest = list(page)
        while rest and rest[-1].at > at and at <= end:
            now = [event for event in rest if event.at <= at]
            rest = rest[len(now) :]
            fold.take(now)
            position = now[-1].position if now else position
            yield moment(fold, position, at)
            at += step
        if at > end:
            return
        fold.take(rest)
        position = rest[-1].position if rest else position
    while at <= end:
        yield moment(fold, position, at)
        at += step


def moment(fold: ProjectionState, position: int, at: datetime) -> Snapshot:
    """Return what a scrape would have read at one moment."""
    lag = FoldLag(at=at, head=position, position=position, generation=0, oldest_at=None)
    return Snapshot.of(fold.cards, fold.series_store, lag)


async def write(connection: Session, out: IO[str], start: datetime, end: datetime, step: timedelta) -> int:
    """Write OpenMetrics with timestamps to *out*, family by family and series by series; return how many samples."""
    with ExitStack() as stack:
        parts: dict[str, IO[str]] = {}
        async for snapshot in moments(connection, start, end, step):
            for row in rows(snapshot):
                name = row.family.name
                if name not in UNKNOWN and (row.samples or row.series):
                    if name not in parts:
                        parts[name] = stack.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8"))
                    stamp = prometheus.instant(snapshot.lag.at)
                    lines = prometheus.fleet([row], openmetrics=True)
                    parts[name].writelines(stamped(line, stamp) for line in lines if not line.startswith("#"))
        written = sum(family(out, name, part) for name, part in parts.items())
    out.write("# EOF\n")
    return written


def stamped(line: str, stamp: str) -> str:
    """Return a sample with its time, without its exemplar."""
    sample = line.partition(" # {")[0].rstrip("\n")
    return f"{sample} {stamp}\n"


def family(out: IO[str], name: str, part: IO[str]) -> int:
    """Write one family; its series one after the other, each in the order of time."""
    known = CATALOGUE[name]
    out.writelines(prometheus.heading(name, known.kind, known.help, openmetrics=True))
    part.seek(0)
    series: dict[str, dict[str, list[str]]] = {}
    count = 0
    for line in part:
        sample, _, _ = line.rpartition(" ")
        named, _, _ = sample.rpartition(" ")
        series.setdefault(whose(named), {}).setdefault(named, []).append(line)
        count += 1
    out.writelines(lines_of(series))
    return count


def whose(named: str) -> str:
    """Return the labels of a sample without its bucket.

    >>> whose('a_bucket{x="1",le="5.0"}'), whose('a_count{x="1"}'), whose("a")
    ('x="1"', 'x="1"', '')
    """
    labels = named.partition("{")[2].removesuffix("}")
    return labels.rpartition('le="')[0].removesuffix(",") if 'le="' in labels and "_bucket{" in named else labels


def lines_of(series: dict[str, dict[str, list[str]]]) -> Iterator[str]:
    """Yield the lines of each series: for every moment all of its samples."""
    for samples in series.values():
        for together in zip(*samples.values(), strict=True):
            yield from together
