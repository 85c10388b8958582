"""What clients were told, and whether the log says the same (A4)."""

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

import asyncpg
from msgspec import Struct

from service.domain import commands as c
from service.domain import ids
from service.domain.events import Recorded
from service.domain.rejections import NotFound, WriteUnavailable
from tests.refold import audit, events
from tests.replica import Replica, eventually


class Told(Struct):
    """One request as its client knows it: *position* when acknowledged, *refused* when it was, neither when it does not know."""

    name: str
    position: int | None = None
    refused: bool = False
    replayed: bool = False
    doubts: int = 0


class Clients:
    """Clients whose every request is one event, or now and then nonsense; when in doubt, they ask again with the same key.

    Without keys nothing but the Writer itself stands between a lost answer and a second event.
    """

    def __init__(self, replica: Replica, name: str = "client", *, resolve: bool = True, keyed: bool = True) -> None:
        self.replica = replica
        self.name = name
        self.told: list[Told] = []
        self.tired = False
        self._resolve = resolve
        self._keyed = keyed
        self._numbers = itertools.count(1)

    async def work(self, clients: int, requests: int) -> None:
        """Let *clients* at once make *requests* each, fewer when they are *tired* before."""
        await asyncio.gather(*(self._client(f"{number}", requests) for number in range(clients)))

    async def _client(self, client: str, requests: int) -> None:
        luck = random.Random(client)
        for _ in range(requests):
            if self.tired:
                return
            told = Told(f"{self.name}.{client}.{next(self._numbers)}")
            self.told.append(told)
            await self.ask(told, nonsense=luck.random() < 0.1)

    async def ask(self, told: Told, *, nonsense: bool = False) -> None:
        """Ask until there is an answer, or once."""
        order = c.DrainWorker(worker=ids.WorkerId("nobody")) if nonsense else c.BeatWorker(worker=ids.WorkerId("w"))
        key = told.name if self._keyed else None
        while True:
            try:
                answer = await self.replica.submit(order, actor=told.name, key=key, digest=b"1")
            except WriteUnavailable:
                told.doubts += 1
                if not self._resolve:
                    return
                await asyncio.sleep(0.01)
                continue
            told.replayed, told.refused = answer.replayed, any(isinstance(result, NotFound) for result in answer.results)
            told.position = None if told.refused else answer.position
            return

    def check(self, recorded: list[Recorded]) -> None:
        """A4: acknowledged ⇒ there, once, at its place; refused ⇒ absent; unknown ⇒ at most once."""
        places = {event.actor: event.position for event in recorded}
        counts = Counter(event.actor for event in recorded)
        for told in self.told:
            if told.position is not None:
                assert (counts[told.name], places.get(told.name)) == (1, told.position), told
            elif told.refused:
                assert counts[told.name] == 0, told
            else:
                assert counts[told.name] <= 1, told


async def harried(crowds: Sequence[Clients], owner: asyncpg.Connection, whose: str) -> int:
    """Let *crowds* ask while the connections that are *whose*, a condition in SQL, are killed ten times; return how many were."""
    luck = random.Random(7)
    loading = asyncio.gather(*(crowd.work(4, 100_000) for crowd in crowds))
    kills = 0
    for _ in range(10):
        for crowd in crowds:
            await eventually(grown(crowd, len(crowd.told) + luck.randrange(1, 40)))
        kills += await owner.fetchval(f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE {whose}")
    for crowd in crowds:
        crowd.tired = True
    await loading
    return kills


async def held_against_the_log(clients: Clients, pool: asyncpg.Pool) -> None:
    """A1, A3, A4, A5."""
    await audit(pool)
    async with pool.acquire() as connection:
        clients.check(await events(connection))


def grown(clients: Clients, count: int) -> Callable[[], Awaitable[object]]:
    """Return the condition that so many requests were made."""

    async def holds() -> bool:
        return len(clients.told) >= count

    return holds


def doubted(clients: Clients, count: int) -> Callable[[], Awaitable[object]]:
    """Return the condition that clients were told so often that the database is away."""

    async def holds() -> bool:
        return sum(told.doubts for told in clients.told) >= count

    return holds
