"""Group commit: commands (most are heartbeats) that arrive while a transaction is in flight go together in the next one."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from time import monotonic
from typing import Protocol

import asyncpg

from service.domain.commands import Command
from service.domain.events import Recorded
from service.domain.rejections import Validation, WriteUnavailable
from service.store.db.outage_log import OutageLog
from service.store.db.pool import is_lost, is_refused
from service.store.state.row_cache import RowCache
from service.submission import Answer, Origin
from service.writer.batch import Batch, Pending

LOG = logging.getLogger(__name__)
MAX_WEIGHT = 2000
TURNS = 4
PATIENCE_S = 5.0
LOOK = 0.1
"""How often it is looked for who has waited too long, as a part of the patience."""
RETRY_S = 0.1
LONGEST_RETRY_S = 1.0


class WriterObserver(Protocol):
    """Measures the Writer."""

    def observe_append(self, seconds: float, events: int) -> None:
        """Note a committed batch."""

    def append_failed(self, reason: str) -> None:
        """Note a batch that did not commit: `db_unavailable`, `timeout`, `invalid`, `other`."""


class Unobserved:
    """Measures nothing."""

    def observe_append(self, seconds: float, events: int) -> None:
        """Ignore a committed batch."""

    def append_failed(self, reason: str) -> None:
        """Ignore a batch that did not commit."""


class Writer:
    """The single writer of one shard in this process, on a connection of its own."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[asyncpg.Connection]],
        *,
        committed: Callable[[Sequence[Recorded]], None] = lambda _events: None,
        observer: WriterObserver | None = None,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._connect = connect
        self._committed = committed
        self._observer = observer or Unobserved()
        self._patience_s = patience_s
        self._stopped = False
        self._waiting: deque[Pending] = deque()
        self._batch: list[Pending] = []
        self._rung = asyncio.Event()
        self._connection: asyncpg.Connection | None = None
        self._row_cache = RowCache()
        self._outage_log = OutageLog(LOG, "the database is back")

    async def submit(self, commands: Sequence[Command], origin: Origin) -> Answer:
        """Decide *commands* in one transaction, in order, each judged on its own; answer when it is durable.

        Raises:
            WriteUnavailable: nothing is known to be stored; ask again with the same idempotency key.

        """
        if self._stopped:
            raise WriteUnavailable("the service is stopping")
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append(Pending(commands, origin, answer, monotonic() + self._patience_s))
        self._rung.set()
        return await answer

    async def run(self) -> None:
        """Serve submissions until cancelled; what waits then is refused as unavailable."""
        impatience = asyncio.create_task(self._lose_patience())
        try:
            while True:
                await self._rung.wait()
                self._rung.clear()
                while self._waiting:
                    await turns()
                    self._take()
                    await self._serve(self._batch)
                self._batch = []
        finally:
            self._stopped = True
            impatience.cancel()
            for pending in (*self._batch, *self._waiting):
                refuse(pending, WriteUnavailable("the service is stopping"))
            self._waiting.clear()
            self._drop()

    async def _lose_patience(self) -> None:
        """Refuse, again and again, whoever has waited twice as long as may be: one look at all costs less than a timer each."""
        while True:
            await asyncio.sleep(self._patience_s * LOOK)
            too_late = monotonic() - self._patience_s
            for pending in (*self._batch, *self._waiting):
                if pending.until <= too_late:
                    self._time_out(pending)
            # The next batch may be far away while the outcome of a commit is open: what was refused must not fill the memory.
            self._waiting = deque(pending for pending in self._waiting if not pending.answer.done())

    def _take(self) -> None:
        """Take the submissions of the next batch; those whose asker has gone are left out."""
        self._batch = []
        weight = 0
        while self._waiting and (not self._batch or weight + self._waiting[0].weight <= MAX_WEIGHT):
            pending = self._waiting.popleft()
            if not pending.answer.done():
                self._batch.append(pending)
                weight += pending.weight

    async def _serve(self, submissions: list[Pending]) -> None:
        """Bring submissions to their answers; a lost connection is no answer unless it lasts."""
        while submissions:
            batch = Batch(submissions, self._row_cache)
            self._row_cache = RowCache()
            started = monotonic()
            try:
                confirmed = await self._run(batch)
            except Exception as error:  # noqa: BLE001 - every failure becomes an answer
                await self._undo(error)
                submissions = await self._recover(submissions, error)
                continue
            if confirmed:  # outside of the try: no error after a commit may have the batch decided again
                self._row_cache = batch.remembered()
            self._outage_log.report_recovery()
            self._observer.observe_append(monotonic() - started, len(batch.events))
            self._finish(batch)
            return

    async def _run(self, batch: Batch) -> bool:
        """Run one batch as one transaction, and tell whether Postgres confirmed it; when it did not, find out what happened."""
        connection = await self._connected()
        await connection.execute("BEGIN")
        await batch.transact(connection)
        try:
            await connection.execute("COMMIT")
        except Exception:
            # No error proves that nothing was committed: Postgres may have written the commit before it failed to flush it
            # (58030), and a pooler answers with an error of its own when it loses Postgres.
            self._drop()
            if not await self._happened(batch):
                raise
            return False
        return True

    async def _happened(self, batch: Batch) -> bool:
        """Ask the log whether *batch* was committed, again and again until it answers."""
        pause_s = RETRY_S
        while True:
            try:
                return await batch.happened(await self._connected())
            # Any error here (lost line, cancelled statement, no free connection) leaves the outcome open. To decide the batch
            # again would record it twice if the commit arrived, so only an answer ends the loop. Submissions still time out.
            except Exception as error:  # noqa: BLE001
                self._drop()
                self._outage_log.report_outage(f"the outcome of a commit is open, asking again: {error}")
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, LONGEST_RETRY_S)

    async def _recover(self, submissions: list[Pending], error: Exception) -> list[Pending]:
        """Return what is to be tried again: all after a loss, while they may wait; after a refusal, look for whom it means."""
        if is_lost(error):
            self._observer.append_failed("db_unavailable")
            return await self._outwait(submissions, error)
        if len(submissions) > 1:
            half = len(submissions) // 2
            await self._serve(submissions[:half])
            await self._serve(submissions[half:])
        else:
            self._fail(submissions[0], error)
        return []

    async def _outwait(self, submissions: list[Pending], error: Exception) -> list[Pending]:
        """Refuse whoever has waited long enough, rest a little, return the others."""
        self._outage_log.report_outage(f"the database is away: {type(error).__name__}: {error}")
        now = monotonic()
        for pending in submissions:
            if pending.until <= now:
                refuse(pending, WriteUnavailable("the database is away"))
        await asyncio.sleep(RETRY_S)
        return [pending for pending in submissions if not pending.answer.done()]

    def _fail(self, pending: Pending, error: Exception) -> None:
        """Answer a submission that the database does not take: the input's fault, too slow, or a bug."""
        if is_refused(error):
            self._observer.append_failed("invalid")
            refuse(pending, Validation("a value cannot be stored: it is no valid text, number or JSON, or too big"))
        elif isinstance(error, asyncpg.QueryCanceledError):
            self._observer.append_failed("timeout")
            self._time_out(pending)
        else:
            self._observer.append_failed("other")
            refuse(pending, error)

    def _time_out(self, pending: Pending) -> None:
        """Refuse a submission that the database took too long for."""
        if not pending.answer.done():
            self._outage_log.report_outage("the database takes too long")
            refuse(pending, WriteUnavailable("the database takes too long"))

    def _finish(self, batch: Batch) -> None:
        """Hand out the answers of a committed batch, and wake whoever waits for its events."""
        for pending, answer in zip(batch.submissions, batch.answers, strict=True):
            if not pending.answer.done():
                pending.answer.set_result(answer)
        if batch.events:
            self._committed(batch.events)

    async def _connected(self) -> asyncpg.Connection:
        """Return the Writer's connection, opened anew after a loss."""
        if self._connection is None:
            self._connection = await self._connect()
        return self._connection

    async def _undo(self, error: Exception) -> None:
        """Roll back what failed; a connection that is lost, or that cannot even do this, is ended."""
        try:
            if not is_lost(error) and self._connection is not None:
                await self._connection.execute("ROLLBACK")
                return
        except Exception as worse:  # noqa: BLE001 - the first error is the one to answer
            LOG.warning("a rollback failed: %s", worse)
        self._drop()

    def _drop(self) -> None:
        """End the connection; its transaction ends with it."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None


async def turns() -> None:
    """Let the event loop turn a few times: what askers send on the last answers, and what has arrived, joins the next batch.

    No time is spent where nothing comes. With 64 askers a batch holds all of them, and half when it is taken at once.
    """
    for _ in range(TURNS):
        await asyncio.sleep(0)


def refuse(pending: Pending, error: Exception) -> None:
    """Answer with an exception, once."""
    if not pending.answer.done():
        pending.answer.set_exception(error)
