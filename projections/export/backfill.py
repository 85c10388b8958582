"""A backfill for Prometheus: the log is folded again, and the metrics are written as scrapes would have read them."""

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
NOT_IN_LOG = frozenset(
    {
        "muster_campaign_oldest_ready_timestamp_seconds", "muster_retries_overdue", "muster_event_store_size_bytes",
        "muster_projection_position", "muster_projection_lag_events", "muster_projection_lag_seconds",
        "muster_projection_generation", "muster_projection_rebuild_ratio", "muster_event_store_position",
    }
)  # fmt: skip
"""Families that are sampled from tables of the present, and cannot be computed for the past."""


async def snapshots(
    connection: Session, start: datetime, end: datetime, step: timedelta, shard: int = 0
) -> AsyncIterator[Snapshot]:
    """Yield a snapshot at *start* and after every *step* until *end*, from one pass over the log."""
    fold = ProjectionState(Checkpoint(shard, 0, 0), ReadModels(), SeriesStore())
    position, at = 0, start
    async for page in event_log.pages(connection, shard, 0, await event_log.head(connection, shard), PAGE):
        events = list(page)
        while events and events[-1].at > at and at <= end:
            due = [event for event in events if event.at <= at]
            events = events[len(due) :]
            fold.take(due)
            position = due[-1].position if due else position
            yield snapshot_at(fold, position, at)
            at += step
        if at > end:
            return
        fold.take(events)
        position = events[-1].position if events else position
    while at <= end:
        yield snapshot_at(fold, position, at)
        at += step


def snapshot_at(fold: ProjectionState, position: int, at: datetime) -> Snapshot:
    """Return what a scrape would have read at *at*."""
    lag = FoldLag(at=at, head=position, position=position, generation=0, oldest_at=None)
    return Snapshot.of(fold.cards, fold.series_store, lag)


async def write(connection: Session, out: IO[str], start: datetime, end: datetime, step: timedelta) -> int:
    """Write OpenMetrics with timestamps to *out*, by family and series; return the number of samples."""
    with ExitStack() as stack:
        parts: dict[str, IO[str]] = {}
        async for snapshot in snapshots(connection, start, end, step):
            for row in rows(snapshot):
                name = row.family.name
                if name not in NOT_IN_LOG and (row.samples or row.series):
                    if name not in parts:
                        parts[name] = stack.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8"))
                    stamp = prometheus.instant(snapshot.lag.at)
                    lines = prometheus.fleet([row], openmetrics=True)
                    parts[name].writelines(stamped(line, stamp) for line in lines if not line.startswith("#"))
        written = sum(family(out, name, part) for name, part in parts.items())
    out.write("# EOF\n")
    return written


def stamped(line: str, stamp: str) -> str:
    """Return a sample with its timestamp, without its exemplar."""
    sample = line.partition(" # {")[0].rstrip("\n")
    return f"{sample} {stamp}\n"


def family(out: IO[str], name: str, part: IO[str]) -> int:
    """Write one family: one series after the other, each sorted by time, as OpenMetrics demands."""
    in_catalogue = CATALOGUE[name]
    out.writelines(prometheus.heading(name, in_catalogue.kind, in_catalogue.help, openmetrics=True))
    part.seek(0)
    series: dict[str, dict[str, list[str]]] = {}
    count = 0
    for line in part:
        sample, _, _ = line.rpartition(" ")
        identity, _, _ = sample.rpartition(" ")
        series.setdefault(labels_without_bucket(identity), {}).setdefault(identity, []).append(line)
        count += 1
    out.writelines(lines_of(series))
    return count


def labels_without_bucket(identity: str) -> str:
    """Return the labels of a sample without its bucket.

    >>> [labels_without_bucket(one) for one in ('a_bucket{x="1",le="5.0"}', 'a_count{x="1"}', "a")]
    ['x="1"', 'x="1"', '']
    """
    labels = identity.partition("{")[2].removesuffix("}")
    return labels.rpartition('le="')[0].removesuffix(",") if 'le="' in labels and "_bucket{" in identity else labels


def lines_of(series: dict[str, dict[str, list[str]]]) -> Iterator[str]:
    """Yield the lines of each series: for each step all of its samples."""
    for samples in series.values():
        for together in zip(*samples.values(), strict=True):
            yield from together
