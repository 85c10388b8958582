"""The projector: reads the log (facts and heartbeats) after its checkpoint, folds, and saves fold and checkpoint together."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Sequence

import asyncpg
from msgspec import Struct

from projections import store
from projections.measures.process import Process
from projections.measures.series_store import SeriesStore
from projections.recent_events import RecentEvents
from projections.store import Checkpoint
from projections.views.fold import ReadModels
from service.domain.events import Recorded
from service.domain.ids import SHARD
from service.domain.rejections import ProjectionLagging, ReadUnavailable
from service.store.db.pool import LOST, is_lost, is_unanswered
from service.store.log import event_log

_log = logging.getLogger(__name__)

PAGE = 5000
POLL_S = 0.2
BREATH_S = 0.2
LOOK_S = 0.02
PATIENCE_S = 5.0
REST_S = 1.0
COMMITS = 10_000


class LogBroken(RuntimeError):
    """The log has a hole where none may be."""


class ProjectionState(Struct):
    """What is held in memory of one generation, true for *at*."""

    at: Checkpoint
    cards: ReadModels
    series_store: SeriesStore

    def take(self, events: Sequence[Recorded]) -> None:
        """Fold a page."""
        for event in events:
            self.cards.fold(event)
        self.series_store.fold(events)
        self.series_store.measure(self.cards.measurements)
        self.cards.measurements.clear()

    def saved(self, at: Checkpoint) -> None:
        """Note that everything up to *at* is stored."""
        self.at = at
        self.cards.saved()
        self.series_store.touched.clear()


async def load(connection: store.Session, at: Checkpoint) -> ProjectionState:
    """Load one generation as it is at its checkpoint."""
    return ProjectionState(at, await store.load_cards(connection, at), await store.load_series(connection, at))


async def save(connection: store.Session, fold: ProjectionState, last: Recorded) -> bool:
    """Store what is folded up to *last* with its checkpoint; False when somebody else had moved it, or *last* is lost."""
    at = Checkpoint(fold.at.shard, fold.at.generation, last.position, last.at)
    async with connection.transaction():
        if not await store.advance(connection, fold.at, at.position, last.at):
            return False
        await store.save_cards(connection, fold.at, fold.cards)
        await store.save_series(connection, fold.at, fold.series_store)
    fold.saved(at)
    return True


async def next_page(connection: store.Session, shard: int, after: int, size: int = PAGE) -> Sequence[Recorded]:
    """Return the next events of the log, at most *size*, fewer where they are large, none at the head.

    The read is bounded by a head that was seen before it: what commits in between is the next page's.
    """
    upto = await store.bound(connection, shard, after, size)
    if upto <= after:
        return ()
    events = await event_log.read(connection, shard, after, upto - after)
    require_gapless(events, after, upto - after)
    return events


async def step(connection: store.Session, fold: ProjectionState, page: int = PAGE) -> int | None:
    """Fold and store the next page; return how many events it had, None when the fold must be loaded anew."""
    return await proceed(connection, fold, await next_page(connection, fold.at.shard, fold.at.position, page))


async def proceed(connection: store.Session, fold: ProjectionState, events: Sequence[Recorded]) -> int | None:
    """Fold and store what follows on the fold; return how many events it had, None when the fold must be loaded anew."""
    if not events:
        return 0
    await store.load_for(connection, fold.at, fold.cards, events)
    fold.take(events)
    return len(events) if await save(connection, fold, events[-1]) else None


def require_gapless(events: Sequence[Recorded], after: int, count: int) -> None:
    """Refuse a page with a hole: its events would never be folded."""
    if len(events) != count or events[0].position != after + 1 or events[-1].position != after + count:
        raise LogBroken(f"positions {after + 1} to {after + count} hold {len(events)} events")


class Projector:
    """Keeps the live generation folded while this replica leads; tells every replica how far it is."""

    def __init__(self, pool: asyncpg.Pool, process: Process, page: int = PAGE) -> None:
        self.position = 0
        self._pool = pool
        self._process = process
        self._page = page
        self._wakeup = asyncio.Event()
        self._asked = asyncio.Event()
        self._moved = asyncio.Event()
        self._running = False
        self._commits: deque[tuple[int, float]] = deque(maxlen=COMMITS)
        self._recent_events = RecentEvents(page)

    @property
    def leads(self) -> bool:
        """Whether this replica folds, so that its position is the freshest there is."""
        return self._running

    def notify(self) -> None:
        """Wake the projector: the log has grown."""
        self._wakeup.set()

    def committed(self, events: Sequence[Recorded]) -> None:
        """Wake the projector: this process has written *events*."""
        if self._running:
            self._commits.append((events[-1].position, time.perf_counter()))
            self._recent_events.note(events)
        self.notify()

    async def run(self) -> None:
        """Fold for ever; ends by cancellation, when this replica no longer leads."""
        self._running = True
        try:
            while True:
                try:
                    await self._follow()
                except Exception as error:  # noqa: BLE001 - a loop outlives what befalls one of its rounds
                    self._process.projection_failed()
                    if not isinstance(error, LOST) and not is_lost(error):
                        _log.exception("the projector failed at position %d, trying again", self.position)
                    await asyncio.sleep(REST_S)
        finally:
            self._running = False
            self._recent_events.clear()
            self._reach(self.position)

    async def _follow(self) -> None:
        """Fold page after page from the stored checkpoint, until the generation changes or the log has lost what was folded."""
        async with self._pool.acquire() as connection:
            fold = await load(connection, await store.live(connection, SHARD))
        self._reach(fold.at.position)
        while True:
            self._wakeup.clear()
            self._asked.clear()
            started = time.perf_counter()
            async with self._pool.acquire() as connection:
                following = self._recent_events.after(fold.at.position)
                folded = await (proceed(connection, fold, following) if following else step(connection, fold, self._page))
                if folded is None or (not folded and await store.live(connection, SHARD) != fold.at):
                    return
            if folded:
                self._process.projected(folded, time.perf_counter() - started)
                self._reach(fold.at.position)
            if folded >= self._page:
                await asyncio.sleep(0)
            else:
                await self._rest(folded)

    async def _rest(self, folded: int) -> None:
        """Draw breath after a page, unless somebody waits for a position; else wait for the bell or the next look at the log.

        One page of many events costs little more than one of few, and the Writer needs the machine.
        """
        if folded:
            await soon(self._asked, BREATH_S)
        else:
            await soon(self._wakeup, POLL_S)

    def _reach(self, position: int) -> None:
        """Tell everybody who waits that the fold is at *position*."""
        self.position = position
        while self._commits and self._commits[0][0] <= position:
            self._process.noticed(time.perf_counter() - self._commits.popleft()[1])
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    async def at_least(self, position: int, patience_s: float = PATIENCE_S) -> None:
        """Wait until the live generation is folded up to *position*.

        Raises:
            ProjectionLagging: after *patience_s* seconds.
            ReadUnavailable: the database is away.

        """
        try:
            async with asyncio.timeout(patience_s):
                await self._hear(position)
                await self._look(position)
        except TimeoutError:
            raise ProjectionLagging(position, self.position) from None

    async def wait_for_move(self, longest_s: float) -> None:
        """Sleep until the fold of this replica moves, *longest_s* seconds at most."""
        await soon(self._moved, longest_s)

    async def _hear(self, position: int) -> None:
        """Wait while this replica folds, and hurry it."""
        if self.position < position:
            self._asked.set()
            self.notify()
        while self._running and self.position < position:
            await self._moved.wait()

    async def _look(self, position: int) -> None:
        """Watch the checkpoint that another replica moves; after a promotion it may be back where it was before."""
        while (self.position if self._running else await self._checkpoint()) < position:
            await self.wait_for_move(LOOK_S)

    async def _checkpoint(self) -> int:
        """Return up to where the live generation is stored."""
        try:
            reached = (await store.live(self._pool, SHARD)).position
        except Exception as error:
            if is_unanswered(error):
                raise ReadUnavailable("the database is away") from error
            raise
        if not self._running:
            self.position = reached
        return reached


async def soon(event: asyncio.Event, longest_s: float) -> None:
    """Wait for *event*, *longest_s* seconds at most."""
    try:
        async with asyncio.timeout(longest_s):
            await event.wait()
    except TimeoutError:
        return
