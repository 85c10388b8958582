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
PAUSE_S = 0.2
CHECKPOINT_POLL_S = 0.02
PATIENCE_S = 5.0
RETRY_S = 1.0
MAX_COMMITS = 10_000


class LogBroken(RuntimeError):
    """A page of the log misses positions, which must be gapless."""


class ProjectionState(Struct):
    """The cards and series of one generation in memory, as of the checkpoint *at*."""

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
    """Load one generation at its checkpoint."""
    return ProjectionState(at, await store.load_cards(connection, at), await store.load_series(connection, at))


async def save(connection: store.Session, fold: ProjectionState, last: Recorded) -> bool:
    """Store the fold up to *last* with its checkpoint; False if another replica moved that, or a failover lost *last*."""
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

    The read ends at a head that was read before it: events that commit in between belong to the next page.
    """
    upto = await store.bound(connection, shard, after, size)
    if upto <= after:
        return ()
    events = await event_log.read(connection, shard, after, upto - after)
    require_gapless(events, after, upto - after)
    return events


async def step(connection: store.Session, fold: ProjectionState, page: int = PAGE) -> int | None:
    """Fold and store the next page; return its number of events, None if the fold must be loaded again."""
    return await proceed(connection, fold, await next_page(connection, fold.at.shard, fold.at.position, page))


async def proceed(connection: store.Session, fold: ProjectionState, events: Sequence[Recorded]) -> int | None:
    """Fold and store the *events* that follow; return their number, None if the fold must be loaded again."""
    if not events:
        return 0
    await store.load_for(connection, fold.at, fold.cards, events)
    fold.take(events)
    return len(events) if await save(connection, fold, events[-1]) else None


def require_gapless(events: Sequence[Recorded], after: int, count: int) -> None:
    """Refuse a page with missing positions: their events would never be folded.

    Raises:
        LogBroken: positions are missing.

    """
    if len(events) != count or events[0].position != after + 1 or events[-1].position != after + count:
        raise LogBroken(f"positions {after + 1} to {after + count} hold {len(events)} events")


class Projector:
    """Folds the live generation while this replica leads, and tells readers on every replica its position."""

    def __init__(self, pool: asyncpg.Pool, process: Process, page: int = PAGE) -> None:
        self.position = 0
        self._pool = pool
        self._process = process
        self._page = page
        self._wakeup = asyncio.Event()
        self._hurry = asyncio.Event()
        self._moved = asyncio.Event()
        self._running = False
        self._commits: deque[tuple[int, float]] = deque(maxlen=MAX_COMMITS)
        self._recent_events = RecentEvents(page)

    @property
    def leads(self) -> bool:
        """Whether this replica folds, so that its own position is the newest."""
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
        """Fold until cancelled, which happens when this replica no longer leads."""
        self._running = True
        try:
            while True:
                try:
                    await self._follow()
                except Exception as error:  # noqa: BLE001 - the loop must survive any error of one round
                    self._process.projection_failed()
                    if not isinstance(error, LOST) and not is_lost(error):
                        _log.exception("the projector failed at position %d, trying again", self.position)
                    await asyncio.sleep(RETRY_S)
        finally:
            self._running = False
            self._recent_events.clear()
            self._reach(self.position)

    async def _follow(self) -> None:
        """Fold page after page from the stored checkpoint, until the generation changes or a failover lost folded events."""
        async with self._pool.acquire() as connection:
            fold = await load(connection, await store.live(connection, SHARD))
        self._reach(fold.at.position)
        while True:
            self._wakeup.clear()
            self._hurry.clear()
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
        """Pause after a page unless a reader waits for a position; without one, wait for a wake-up or the next poll.

        A page of many events costs little more than one of few, and the Writer needs the CPU.
        """
        if folded:
            await wait_up_to(self._hurry, PAUSE_S)
        else:
            await wait_up_to(self._wakeup, POLL_S)

    def _reach(self, position: int) -> None:
        """Wake everybody who waits for the fold to reach *position*."""
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
                await self._wait_for_own_fold(position)
                await self._wait_for_checkpoint(position)
        except TimeoutError:
            raise ProjectionLagging(position, self.position) from None

    async def wait_for_move(self, longest_s: float) -> None:
        """Wait until the fold of this replica moves, at most *longest_s* seconds."""
        await wait_up_to(self._moved, longest_s)

    async def _wait_for_own_fold(self, position: int) -> None:
        """While this replica folds, skip its pauses and wait for it."""
        if self.position < position:
            self._hurry.set()
            self.notify()
        while self._running and self.position < position:
            await self._moved.wait()

    async def _wait_for_checkpoint(self, position: int) -> None:
        """Poll the checkpoint that another replica moves; after a failover it may be lower than before."""
        while (self.position if self._running else await self._checkpoint()) < position:
            await self.wait_for_move(CHECKPOINT_POLL_S)

    async def _checkpoint(self) -> int:
        """Return the position up to which the live generation is stored."""
        try:
            reached = (await store.live(self._pool, SHARD)).position
        except Exception as error:
            if is_unanswered(error):
                raise ReadUnavailable("the database is away") from error
            raise
        if not self._running:
            self.position = reached
        return reached


async def wait_up_to(event: asyncio.Event, longest_s: float) -> None:
    """Wait for *event*, at most *longest_s* seconds."""
    try:
        async with asyncio.timeout(longest_s):
            await event.wait()
    except TimeoutError:
        return
