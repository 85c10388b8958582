"""A long history in a log: nights of work decided by the real core in memory, appended by the real log.

Units are added a thousand at a time, claimed by a clients, heard of twice, and end: most are done, some fail and rest before
another attempt, a few are quarantined. The state that follows from it all is saved at the end.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from random import Random

import asyncpg
from msgspec import Raw

from service.domain import commands as c
from service.domain import ids
from service.domain.decide import decide
from service.domain.events import Recorded
from service.domain.state import State
from service.store.log import event_log
from service.store.state import saver

CHUNK, CAMPAIGNS, WORKERS, CAPACITY = 1000, 4, 10, 50
STEP = timedelta(seconds=20)
BEATS = 2
FAILURES = 0.05
ERRORS = ("exit 1: assertion failed in test_parser", "exit 137: killed", "connection reset by peer")
POLICY = {"concurrency": 100_000, "breaker": {"threshold": 1000}, "max_attempts": 3}

Held = list[ids.Token]


class History:
    """A shard in memory, whose events come out in the order of the log."""

    def __init__(self, seed: int = 1) -> None:
        self.state = State()
        self.at = datetime(2026, 1, 1, tzinfo=UTC)
        self.events: list[Recorded] = []
        self.head = 0
        self._random = Random(seed)
        self._resting: deque[tuple[ids.CampaignName, ids.UnitKey]] = deque()
        self._names = [ids.CampaignName(f"night-{number}") for number in range(CAMPAIGNS)]

    def order(self, command: c.Command) -> object:
        """Decide one command now; return its reply."""
        context = c.DecisionContext(
            self.at,
            self.head,
            "local/admin",
            self._random.random,
            0,
            "0af7651916cd43dd8448eb211c80319c",
            "b7ad6b7169203331",
            "h.1",
        )
        outcome = decide(self.state, command, context)
        if outcome.rejection is not None:
            raise outcome.rejection
        self.events += outcome.events
        self.head += len(outcome.events)
        return outcome.reply

    def begin(self) -> None:
        """Make the campaigns and the pool."""
        self.order(c.ResizePool(pool_size=1_000_000))
        for name in self._names:
            self.order(c.CreateCampaign(name=name, policy=POLICY))

    def add(self, number: int) -> None:
        """Add a chunk of units to one campaign."""
        name = self._names[number % CAMPAIGNS]
        keys = [ids.UnitKey(f"src/part_{number:04d}_{place:04d}.py") for place in range(CHUNK)]
        payload = Raw(b'{"file":"src/part.py","goal":"refactor"}')
        self.order(c.AddUnits(campaign=name, units=tuple(c.UnitSpec(key, payload) for key in keys)))
        self.state.candidates.setdefault(name, deque()).extend(keys)

    def claim(self) -> Held:
        """Claim a batch for every worker."""
        replies = [self.order(c.ClaimWork(worker=worker_named(number), max=CAPACITY)) for number in range(WORKERS)]
        return [grant.token for reply in replies if isinstance(reply, c.ClaimReply) for grant in reply.claims]

    def beat(self, held: Held, progress: float) -> None:
        """Let every claim of *held* be heard."""
        for token in held:
            self.order(c.RecordHeartbeat(token=token, progress=progress, idle=False, output_at=self.at))

    def end(self, held: Held) -> None:
        """End every claim of *held*, well or not."""
        for token in held:
            claim = self.state.claims[token]
            if self._random.random() > FAILURES:
                self.order(c.CompleteUnit(token=token, exit_code=0, result=Raw(b'{"ok":true,"changed":3}')))
                continue
            self.order(c.FailAttempt(token=token, reason="crash", error=self._random.choice(ERRORS), exit_code=1))
            if self.state.units[claim.campaign, claim.unit].state == "delayed":
                self._resting.append((claim.campaign, claim.unit))

    def rested(self) -> None:
        """Send those back to work who have rested."""
        for _ in range(len(self._resting)):
            name, key = self._resting.popleft()
            due_at = self.state.units[name, key].due_at
            if due_at is not None and due_at > self.at:
                self._resting.append((name, key))
            else:
                self.order(c.ReleaseRetries(campaign=name, keys=(key,)))
                self.state.candidates[name].append(key)

    def taken(self) -> Sequence[Recorded]:
        """Return the events of this step and advance the clock."""
        events, self.events = self.events, []
        self.at += STEP
        return events

    def steps(self, count: int) -> Iterator[Sequence[Recorded]]:
        """Yield the events of each step, *count* in all or a few more."""
        self.begin()
        shifts: deque[Held] = deque()
        added = 0
        while self.head < count or shifts:
            if self.head < count and self.ready() < WORKERS * CAPACITY:
                self.add(added)
                added += 1
            if self.head < count:
                shifts.append(self.claim())
            for age, held in enumerate(list(shifts)[-1 - BEATS : -1]):
                self.beat(held, 0.3 * (age + 1))
            if len(shifts) > BEATS + 1 or self.head >= count:
                self.end(shifts.popleft())
            self.rested()
            yield self.taken()

    def ready(self) -> int:
        """Count the units that wait."""
        return sum(campaign.counts.ready for campaign in self.state.campaigns.values())


def worker_named(number: int) -> ids.WorkerId:
    """Return a worker's name."""
    return ids.WorkerId(f"clients-{number}")


async def write(dsn: str, count: int) -> int:
    """Write a history of about *count* events and the state that follows; return the head of the log."""
    history = History()
    connection = await asyncpg.connect(dsn)
    try:
        for events in history.steps(count):
            async with connection.transaction():
                await event_log.append(connection, events)
        async with connection.transaction():
            await saver.save(connection, 0, history.state)
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()
    return history.head
