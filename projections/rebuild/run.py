"""The road of a rebuild: grow from position 0, compare at an equal position, catch up, swap in one transaction."""

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
from projections.rebuild.prefetch import Lanes
from projections.rebuild.shadow import SHADOW
from projections.rebuild.state_replay import StateReplay
from projections.store import Checkpoint
from projections.views.fold import ReadModels
from service.domain.commands import NoteSwap
from service.domain.events import Recorded
from service.store.log import event_log

SAVE_EVERY = 100
NEAR = 500
Note = Callable[[asyncpg.Connection, NoteSwap], Awaitable[Sequence[Recorded]]]
SESSION = {"timezone": "UTC", "application_name": "muster rebuild", "jit": "off"}


class Rebuilt(Struct, frozen=True):
    """What a rebuild did: how many events, in how many seconds, what was wrong before, and which series begin anew."""

    position: int
    generation: int
    seconds: float
    difference: Difference | None
    lowered: LoweredCounters


class RebuildRun:
    """Both folds of one rebuild: the state, and the cards with the series."""

    def __init__(self, connection: asyncpg.Connection, lanes: Lanes, live: Checkpoint, generation: int) -> None:
        self.connection = connection
        self._lanes = lanes
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
        """Fold the log up to two positions; where both still have to go, each page is read once for both."""
        if self._reached == self.state.position:
            common = min(views_upto, state_upto)
            async for page in prefetch.pages(self._lanes, self.shard, self._reached, common):
                await self.state.take(page)
                await self._view(page)
        async for page in prefetch.pages(self._lanes, self.shard, self._reached, views_upto):
            await self._view(page)
        async for page in prefetch.pages(self._lanes, self.shard, self.state.position, state_upto):
            await self.state.take(page)
        await self._save()

    async def grow_to(self, position: int, *, views: bool) -> None:
        """Fold the state up to a position, and the cards with it if the *views* are to come along."""
        await self.grow(position if views else self._reached, position)

    async def take(self, page: Sequence[Recorded]) -> None:
        """Fold what was appended in this very transaction, which no other connection can read yet."""
        await self.state.take(page)
        await self._view(page)
        await self._save()

    async def _view(self, page: Sequence[Recorded]) -> None:
        """Fold a page into cards and series; they are written now and then."""
        fold = self.views
        await store.load_for(self.connection, fold.at, fold.cards, page)
        fold.take(page)
        self._last = page[-1]
        self._reached = self._last.position
        self._pages += 1
        if self._pages % SAVE_EVERY == 0:
            await self._save()

    async def _save(self) -> None:
        if self._reached > self.views.at.position:
            await projector.save(self.connection, self.views, self._last)


@asynccontextmanager
async def growing(dsn: str, shard: int, *, lasting: bool) -> AsyncIterator[RebuildRun]:
    """Begin a second set of everything beside the live one; whatever is left of it at the end is removed."""
    async with shadow.alone(dsn, SESSION) as connection, prefetch.lanes(dsn, SESSION) as lanes:
        gc.disable()  # millions of small objects, and no cycle among them
        try:
            await shadow.encode_microseconds(connection)
            live = await store.live(connection, shard)
            await shadow.lay(connection, lasting=lasting)
            generation = await shadow.open_generation(connection, shard, live.generation)
            yield RebuildRun(connection, lanes, live, generation)
        finally:
            gc.enable()
            await remove(connection, shard)


async def remove(connection: asyncpg.Connection, shard: int) -> None:
    """Leave nothing behind of a second set that was not swapped in."""
    if connection.is_closed():
        return
    await connection.execute(SHADOW.end)
    await connection.execute(SHADOW.forget, shard)
    await shadow.forget_cards(connection, shard, (await store.live(connection, shard)).generation)


async def cards_compared(growth: RebuildRun) -> Difference | None:
    """Bring both folds to where the live cards are, and return the first card or series that differs there."""
    connection = growth.connection
    near = (await store.live(connection, growth.shard)).position
    await growth.grow(near, near)
    async with connection.transaction(isolation="repeatable_read"):
        live = await store.live(connection, growth.shard)
        await growth.grow(live.position, live.position)
        return await first_difference(connection, CARDS, growth.shard, live.generation, growth.views.at.generation)


async def state_compared(growth: RebuildRun, *, views: bool) -> Difference | None:
    """Bring the state, and with it the *views*, to the head of the log, and return the first row that differs there."""
    connection = growth.connection
    await growth.grow_to(await event_log.head(connection, growth.shard), views=views)
    await growth.state.ripen()
    async with connection.transaction(isolation="repeatable_read"):
        await growth.grow_to(await event_log.head(connection, growth.shard), views=views)
        return await first_difference(connection, STATE)


async def check(dsn: str, shard: int = 0) -> Difference | None:
    """Return the first difference between what is live and what the log says; the service may run meanwhile."""
    async with growing(dsn, shard, lasting=False) as growth:
        return await cards_compared(growth) or await state_compared(growth, views=False)


async def rebuild(dsn: str, note: Note, shard: int = 0) -> Rebuilt:
    """Compute everything afresh, compare, and swap; the service may run meanwhile.

    *note* records a command within the transaction of the swap.
    """
    started = time.perf_counter()
    async with growing(dsn, shard, lasting=True) as growth:
        cards = await cards_compared(growth)
        state = await state_compared(growth, views=True)
        lower = await swapped(growth, note, None if state is None else state.line())
        at = growth.views.at
        return Rebuilt(at.position, at.generation, time.perf_counter() - started, state or cards, lower)


async def swapped(growth: RebuildRun, note: Note, mended: str | None) -> LoweredCounters:
    """Catch up with the log, and put the second set in place under the shard's lock; return what got smaller by it.

    The log says so when something did, and when rows of the state were *mended*: a Writer that remembers them reads them again.
    """
    connection = growth.connection
    while (head := await event_log.head(connection, growth.shard)) - growth.views.at.position > NEAR:
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
