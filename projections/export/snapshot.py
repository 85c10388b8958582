"""The fleet's numbers at one position, from units to heartbeats: everything an exposition shows, read in one snapshot."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from operator import itemgetter
from typing import Self

from asyncpg import Record
from msgspec import Struct

from projections import store
from projections.export.sample import Sizes, sample
from projections.measures.cardinality import VisibleNames, visible_names
from projections.measures.catalogue import CATALOGUE, FOLDED
from projections.measures.family import Family
from projections.measures.gauges import gauges
from projections.measures.sample import FoldLag, Sample, StateSample
from projections.measures.series_store import Key, Series, SeriesStore
from projections.store import Session
from projections.views.fold import ReadModels

SUBJECT = {family.name: label for family in FOLDED for label in ("campaign", "quota") if label in family.labels}
"""The families with series for each campaign or quota; the name is their first label."""
NAMED = tuple(SUBJECT)


class Snapshot(Struct, frozen=True):
    """Cards, series, lag and samples of the state, all at one position; *visible* are the names with series of their own."""

    cards: ReadModels
    series_store: SeriesStore
    lag: FoldLag
    sampled: StateSample
    visible: VisibleNames

    @classmethod
    def of(cls, cards: ReadModels, series_store: SeriesStore, lag: FoldLag) -> Self:
        """Return what cards and series say by themselves."""
        return cls(cards, series_store, lag, StateSample(), visible_names(cards, lag.at))


class Rows(Struct, frozen=True):
    """The values of one family: gauges in *samples*, counters and histograms in *series*."""

    family: Family
    samples: list[Sample]
    series: list[tuple[Key, Series]]


async def take(
    connection: Session, sizes: Sizes, shard: int = 0, pace: Callable[[Iterable[Record]], Iterable[Record]] = iter
) -> Snapshot:
    """Read everything in one repeatable-read transaction; what takes long where much is stored is decoded in a thread.

    Who has time gives the *pace* at which series are decoded, so that others are hardly kept waiting.
    """
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        row = await connection.fetchrow(store.QUERIES.lag, shard)
        assert row is not None, "the migration made a live generation"
        lag = FoldLag(**dict(row))
        at = store.Checkpoint(shard, lag.generation, lag.position)
        stored = await store.stored_cards(connection, at)
        cards = await asyncio.to_thread(stored.cards)
        visible = visible_names(cards, lag.at)
        series = await store.stored_series(connection, at, NAMED, [*visible.campaigns, *visible.quotas])
        sampled = await sample(connection, shard, lag, visible, sizes)
    return Snapshot(cards, await asyncio.to_thread(store.series_store_of, pace(series)), lag, sampled, visible)


def rows(snapshot: Snapshot) -> Iterator[Rows]:
    """Yield the fleet's families in the order of the catalogue, each sorted by its labels; only who is shown by name."""
    samples = by_family(gauges(snapshot.cards, snapshot.lag, snapshot.sampled, snapshot.visible))
    series: dict[str, list[tuple[Key, Series]]] = {family.name: [] for family in FOLDED}
    for key, one in snapshot.series_store.series.items():
        name, values = key
        if name in series and (name not in SUBJECT or snapshot.visible.has(SUBJECT[name], values[0])):
            series[name].append((key, one))
    for family in CATALOGUE.values():
        if family.scope != "P":
            yield Rows(family, samples.get(family.name, []), sorted(series.get(family.name, []), key=itemgetter(0)))


def by_family(samples: Iterable[Sample]) -> dict[str, list[Sample]]:
    """Return *samples* by family."""
    found: dict[str, list[Sample]] = {}
    for one in samples:
        found.setdefault(one.family, []).append(one)
    return found
