"""One batch: the submissions of one transaction, what is decided of them, and what is stored."""

import asyncio
import itertools
import math
import secrets
from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct, field

from service.domain.commands import Command, DecisionContext
from service.domain.decide import decide, reads
from service.domain.events import Recorded
from service.domain.ids import SHARD
from service.domain.state import State
from service.store.log import event_log
from service.store.log.idempotency import IdempotencyKeys
from service.store.state import rows, saver
from service.store.state.loader import Loader
from service.store.state.row_cache import RowCache
from service.submission import Answer, Origin

CHANCE = secrets.SystemRandom().random
PROCESS = secrets.token_hex(6)
NUMBERS = itertools.count(1)


def submission_id() -> str:
    """Return an id that no other submission has, in any process."""
    return f"{PROCESS}.{next(NUMBERS)}"


class Pending(Struct, eq=False):
    """A submission that waits for its batch, the promise of its answer, and the time until which it may wait.

    Its *id* stays the same in every batch that it is put into, so that a command that was recorded twice shows in the log.
    """

    commands: Sequence[Command]
    origin: Origin
    answer: asyncio.Future[Answer]
    until: float
    id: str = field(default_factory=submission_id)

    @property
    def weight(self) -> int:
        """How much of a batch it takes: its commands, or the units that they import."""
        return sum(len(getattr(command, "units", ())) or 1 for command in self.commands)


class Batch:
    """What one transaction does with its commands, be they heartbeats or imports.

    It has answers by submission, events by position, idempotency keys to remember.
    """

    def __init__(self, submissions: list[Pending], row_cache: RowCache | None = None) -> None:
        self.submissions = submissions
        self.row_cache = row_cache or RowCache()
        self.answers: list[Answer] = []
        self.events: list[Recorded] = []
        self.keys = IdempotencyKeys()
        self.state = State()
        self.head = 0
        self.last: datetime | None = None

    async def transact(self, connection: event_log.Connection) -> None:
        """Lock, load, decide, append and save; the caller begins and commits."""
        await connection.fetchval(event_log.QUERIES.lock, SHARD)
        now = await connection.fetchrow(event_log.QUERIES.moment, SHARD)
        assert now is not None, "every shard has an engine"
        self.head, self.last, self.state = now["head"], now["last"], State(rows.engine(now))
        self.row_cache = self.row_cache.at(self.head, now["last"])
        read_set = reads((command for pending in self.submissions for command in pending.commands), now["planned"])
        await Loader(connection, SHARD, self.state, now["at"], self.row_cache).load(read_set)
        await self.keys.load(connection, [pending.origin for pending in self.submissions], now["at"])
        for pending in self.submissions:
            self.state.screens |= pending.origin.screens
        for pending in self.submissions:
            self.answers.append(self.answer(pending, now["at"]))
        await self.store(connection, now["at"])

    def remembered(self) -> RowCache:
        """Return what is known of the state now that all this is committed."""
        self.row_cache.keep(self.state, self.head + len(self.events), self.events[-1].at if self.events else self.last)
        return self.row_cache

    def answer(self, pending: Pending, at: datetime) -> Answer:
        """Decide one submission, or repeat what its key was answered."""
        origin, before = pending.origin, len(self.events)
        if (recorded := self.keys.recorded_answer(origin, len(pending.commands), self.head + before)) is not None:
            return recorded
        numbered = enumerate(pending.commands, start=1)
        results = tuple(self.decide(command, origin, at, f"{pending.id}.{number}") for number, command in numbered)
        answer = Answer(position=self.head + len(self.events), results=results)
        self.keys.record(origin, answer, stored_events=len(self.events) > before)
        return answer

    def decide(self, command: Command, origin: Origin, at: datetime, causation: str) -> object:
        """Decide one command at its place in the log; return its reply or its rejection."""
        place = self.head + len(self.events)
        context = DecisionContext(at, place, origin.actor, CHANCE, SHARD, origin.correlation_id, origin.span_id, causation)
        outcome = decide(self.state, command, context)
        self.events += outcome.events
        return outcome.reply if outcome.rejection is None else outcome.rejection

    async def store(self, connection: event_log.Connection, at: datetime) -> None:
        """Append the events and save what they touched, with screens and keys."""
        screens = {key: text for pending in self.submissions for key, text in pending.origin.screens.items()}
        if screens:
            await connection.execute(event_log.QUERIES.keep_screens, SHARD, at, list(screens), list(screens.values()))
        if self.events:
            await event_log.append(connection, self.events)
            await saver.save(connection, SHARD, self.state)
        await self.keys.save(connection, at)

    async def happened(self, connection: event_log.Connection) -> bool:
        """Tell whether this batch is in the log: behind the lock, its first position says whose it is.

        A batch without events changed nothing but its keys, and is run again.
        """
        if not self.events:
            return False
        # Whoever asks drops the connection after an error. A context manager would send a ROLLBACK first, and on a silent line
        # the end of the service would wait for its time-out.
        await connection.execute("BEGIN")
        await connection.fetchval(event_log.QUERIES.lock, SHARD)
        first = self.events[0]
        found = await connection.fetchval(event_log.QUERIES.causation_at, SHARD, first.position)
        await connection.execute("COMMIT")
        return bool(found == first.causation)


async def within(connection: event_log.Connection, command: Command, *, origin: Origin) -> Sequence[Recorded]:
    """Decide and store *command* in a transaction that the caller has begun and commits; return its events."""
    batch = Batch([Pending([command], origin, asyncio.get_running_loop().create_future(), math.inf)])
    await batch.transact(connection)
    return batch.events
