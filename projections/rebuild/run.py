"""The steps of a rebuild: fold from position 0, compare at equal positions, catch up, swap in one transaction."""

import gc
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import asyncpg
from msgspec import Struct

from projections import projector, store
from projections.measures.series_store import SeriesStore
from projections.projector import ProjectionState
from projections.rebuild import prefetch, shadow
from projections.rebuild.counter_resets import LoweredCounters, lowered_counters
from projections.rebuild.diff import CARDS, STATE, Difference, first_difference
from projections.rebuild.prefetch import Connections
from projections.rebuild.shadow import SHADOW
from projections.rebuild.state_replay import StateReplay
from projections.store import Checkpoint
from projections.views.fold import ReadModels
from service.domain.commands import NoteSwap
from service.domain.events import Recorded
from service.store.log import event_log

SAVE_EVERY_PAGES = 100
CATCH_UP_EVENTS = 500
Note = Callable[[asyncpg.Connection, NoteSwap], Awaitable[Sequence[Recorded]]]
SESSION = {"timezone": "UTC", "application_name": "muster rebuild", "jit": "off"}


class Rebuilt(Struct, frozen=True):
    """What a rebuild did: up to which position, in how many seconds, the first difference, and the series that were reset."""

    position: int
    generation: int
    seconds: float
    difference: Difference | None
    lowered: LoweredCounters


class RebuildRun:
    """The two folds of a rebuild: the state, and the cards with the series."""

    def __init__(self, connection: asyncpg.Connection, readers: Connections, live: Checkpoint, generation: int) -> None:
        self.connection = connection
        self._readers = readers
        self.live = live
        self.state = StateReplay(connection, live.shard)
        self.views = ProjectionState(Checkpoint(live.shard, generation, 0), ReadModels(), SeriesStore())
        self._reached = 0
        self._pages = 0

    @property
    def shard(self) -> int:
        """The shard that is rebuilt."""
        return self.live.shard

    async def grow(self, views_upto: int, state_upto: int) -> None:
        """Fold the log up to two positions; pages that both folds need are read once."""
        if self._reached == self.state.position:
            common = min(views_upto, state_upto)
            async for page in prefetch.pages(self._readers, self.shard, self._reached, common):
                await self.state.take(page)
                await self._view(page)
        async for page in prefetch.pages(self._readers, self.shard, self._reached, views_upto):
            await self._view(page)
        async for page in prefetch.pages(self._readers, self.shard, self.state.position, state_upto):
            await self.state.take(page)
        await self._save()

    async def grow_to(self, position: int, *, views: bool) -> None:
        """Fold the state up to a position, and with *views* also the cards and series."""
        await self.grow(position if views else self._reached, position)

    async def take(self, page: Sequence[Recorded]) -> None:
        """Fold events of the current transaction, which the reading connections cannot see yet."""
        await self.state.take(page)
        await self._view(page)
        await self._save()

    async def _view(self, page: Sequence[Recorded]) -> None:
        """Fold a page into cards and series, and save them every `SAVE_EVERY_PAGES`."""
        fold = self.views
        await store.load_for(self.connection, fold.at, fold.cards, page)
        fold.take(page)
        self._last = page[-1]
        self._reached = self._last.position
        self._pages += 1
        if self._pages % SAVE_EVERY_PAGES == 0:
            await self._save()

    async def _save(self) -> None:
        if self._reached > self.views.at.position:
            await projector.save(self.connection, self.views, self._last)


@asynccontextmanager
async def growing(dsn: str, shard: int, *, lasting: bool) -> AsyncIterator[RebuildRun]:
    """Create a second set of tables beside the live one; it is removed at the end, unless it was swapped in."""
    async with shadow.alone(dsn, SESSION) as connection, prefetch.connections(dsn, SESSION) as readers:
        gc.disable()  # millions of small objects without reference cycles: a collection would find nothing
        try:
            await shadow.encode_microseconds(connection)
            live = await store.live(connection, shard)
            await shadow.create_tables(connection, lasting=lasting)
            generation = await shadow.open_generation(connection, shard, live.generation)
            yield RebuildRun(connection, readers, live, generation)
        finally:
            gc.enable()
            await remove(connection, shard)


async def remove(connection: asyncpg.Connection, shard: int) -> None:
    """Remove a second set that was not swapped in."""
    if connection.is_closed():
        return
    await connection.execute(SHADOW.end)
    await connection.execute(SHADOW.forget, shard)
    await shadow.forget_cards(connection, shard, (await store.live(connection, shard)).generation)


async def compare_cards(growth: RebuildRun) -> Difference | None:
    """Fold both sets up to the position of the live cards, and return the first card or series that differs."""
    connection = growth.connection
    near = (await store.live(connection, growth.shard)).position
    await growth.grow(near, near)
    async with connection.transaction(isolation="repeatable_read"):
        live = await store.live(connection, growth.shard)
        await growth.grow(live.position, live.position)
        return await first_difference(connection, CARDS, growth.shard, live.generation, growth.views.at.generation)


async def compare_state(growth: RebuildRun, *, views: bool) -> Difference | None:
    """Fold the state, and with it the *views*, up to the head of the log, and return the first row that differs."""
    connection = growth.connection
    await growth.grow_to(await event_log.head(connection, growth.shard), views=views)
    await growth.state.finish()
    async with connection.transaction(isolation="repeatable_read"):
        await growth.grow_to(await event_log.head(connection, growth.shard), views=views)
        return await first_difference(connection, STATE)


async def check(dsn: str, shard: int = 0) -> Difference | None:
    """Return the first difference between the live tables and a fold of the log; the service may run meanwhile."""
    async with growing(dsn, shard, lasting=False) as growth:
        return await compare_cards(growth) or await compare_state(growth, views=False)


async def rebuild(dsn: str, note: Note, shard: int = 0) -> Rebuilt:
    """Compute everything again, compare, and swap; the service may run meanwhile.

    *note* records a command within the transaction of the swap.
    """
    started = time.perf_counter()
    async with growing(dsn, shard, lasting=True) as growth:
        cards = await compare_cards(growth)
        state = await compare_state(growth, views=True)
        lower = await swap_in(growth, note, None if state is None else state.line())
        at = growth.views.at
        return Rebuilt(at.position, at.generation, time.perf_counter() - started, state or cards, lower)


async def swap_in(growth: RebuildRun, note: Note, mended: str | None) -> LoweredCounters:
    """Catch up with the log, and swap the second set in under the shard's lock; return the counters that became smaller.

    The swap is recorded in the log if a counter did, or if rows of the state were *mended*: Writers then drop their row caches.
    """
    connection = growth.connection
    while (head := await event_log.head(connection, growth.shard)) - growth.views.at.position > CATCH_UP_EVENTS:
        await growth.grow_to(head, views=True)
    async with connection.transaction():
        await connection.fetchval(event_log.QUERIES.lock, growth.shard)
        head = await event_log.head(connection, growth.shard)
        await growth.grow_to(head, views=True)
        await shadow.retire(connection, growth.shard)
        lower = lowered_counters(await store.load_series(connection, growth.live), growth.views.series_store)
        if lower or mended:
            swap = NoteSwap(generation=growth.views.at.generation, families=lower, mended=mended)
            await growth.take(await note(connection, swap))
        await shadow.swap(connection, growth.shard, growth.views.at.generation)
    return lower
