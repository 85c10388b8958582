"""The fleet's numbers at one position: everything an exposition shows, read in one snapshot."""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from projections import store
from projections.measures.book import Book, Key, Series
from projections.measures.catalogue import CATALOGUE, FOLDED
from projections.measures.family import Family
from projections.measures.gauges import Depth, Sample, gauges
from projections.store import Session
from projections.views.cards import Cards


class Snapshot(Struct, frozen=True):
    """Cards, series and the distance to the log, true together."""

    cards: Cards
    book: Book
    depth: Depth


class Rows(Struct, frozen=True):
    """The values of one family: gauges in *samples*, counters and histograms in *series*."""

    family: Family
    samples: list[Sample]
    series: list[tuple[Key, Series]]


async def take(connection: Session, shard: int = 0) -> Snapshot:
    """Read everything in one repeatable-read transaction."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        row = await connection.fetchrow(store.QUERIES.depth, shard)
        assert row is not None, "the migration made a live generation"
        depth = Depth(**dict(row))
        at = store.Checkpoint(shard, depth.generation, depth.position)
        return Snapshot(await store.load_cards(connection, at), await store.load_book(connection, at), depth)


def rows(snapshot: Snapshot) -> Iterator[Rows]:
    """Yield the fleet's families in the order of the catalogue, each sorted by its labels."""
    samples = by_family(gauges(snapshot.cards, snapshot.depth))
    series: dict[str, list[tuple[Key, Series]]] = {family.name: [] for family in FOLDED}
    for key in sorted(snapshot.book.series):
        series.setdefault(key[0], []).append((key, snapshot.book.series[key]))
    for family in CATALOGUE.values():
        if family.scope != "P":
            yield Rows(family, samples.get(family.name, []), series.get(family.name, []))


def by_family(samples: Iterable[Sample]) -> dict[str, list[Sample]]:
    """Return *samples* by family."""
    found: dict[str, list[Sample]] = {}
    for sample in samples:
        found.setdefault(sample.family, []).append(sample)
    return found
