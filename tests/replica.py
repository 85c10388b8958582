"""One replica's Writer on a real Postgres, as tests drive it, and waiting without sleeping blindly."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Self

import asyncpg
from msgspec import Raw
from typing_extensions import override

from service.domain import commands as c
from service.domain import ids
from service.domain.commands import Command
from service.domain.events import Recorded
from service.settings import Settings
from service.store.db.pool import SESSION, open_connection
from service.submission import Answer, Origin
from service.wakeup import Wakeup
from service.writer import Writer, WriterObserver
from tests.patience import PATIENCE_S

NIGHT = ids.CampaignName("night")


class Replica(WriterObserver):
    """A running Writer; it counts its batches, its failures, and the connections it opened."""

    session: Mapping[str, str] = SESSION

    def __init__(self, settings: Settings, name: str = "writer", patience_s: float = PATIENCE_S) -> None:
        self.settings = settings
        self.name = name
        self.wakeup = Wakeup()
        self.batches = 0
        self.failures: Counter[str] = Counter()
        self.connections: list[asyncpg.Connection] = []
        self.committed: list[Recorded] = []
        self.writer = Writer(self._connect, committed=self._committed, observer=self, patience_s=patience_s)
        self._running: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._running = asyncio.create_task(self.writer.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._running is not None
        self._running.cancel()
        await asyncio.wait([self._running])

    async def _connect(self) -> asyncpg.Connection:
        connection = await open_connection(self.settings, name=self.name, session=self.session)
        self.connections.append(connection)
        return connection

    def _committed(self, events: Sequence[Recorded]) -> None:
        self.committed += events
        self.wakeup.notify()

    @override
    def observe_append(self, seconds: float, events: int) -> None:
        self.batches += 1

    @override
    def append_failed(self, reason: str) -> None:
        self.failures[reason] += 1

    async def submit(self, *commands: Command, **origin: Any) -> Answer:  # noqa: ANN401 - the fields of an origin
        """Submit *commands* as one request."""
        return await self.writer.submit(commands, Origin(**{"actor": "tester", **origin}))

    async def order(self, command: Command, **origin: Any) -> Any:  # noqa: ANN401 - each command has its own reply
        """Submit one command; return its reply or raise its rejection."""
        return (await self.submit(command, **origin)).only()

    async def campaign(self, name: str = NIGHT, units: Sequence[c.UnitSpec] = (), **fields: Any) -> None:  # noqa: ANN401
        """Begin a campaign; *fields* are those of the command or of its policy."""
        own = {field: fields.pop(field) for field in ("auto", "quota", "labels", "brief", "title") if field in fields}
        await self.order(c.CreateCampaign(name=ids.CampaignName(name), units=tuple(units), policy=fields, **own))

    async def claim(self, worker: str = "w", count: int = 1, *campaigns: str, **fields: Any) -> tuple[c.Grant, ...]:  # noqa: ANN401
        """Claim up to *count* units."""
        names = tuple(ids.CampaignName(name) for name in campaigns)
        claimed = await self.order(c.ClaimWork(worker=ids.WorkerId(worker), max=count, campaigns=names, **fields))
        return tuple(claimed.claims)


def units(*keys: str, **fields: Any) -> tuple[c.UnitSpec, ...]:  # noqa: ANN401 - the fields of a unit
    """Return one unit for each of *keys*."""
    return tuple(c.UnitSpec(key=ids.UnitKey(key), **fields) for key in keys)


def unit(key: str, *depends_on: str, payload: bytes = b"null", **fields: Any) -> c.UnitSpec:  # noqa: ANN401 - as above
    """Return one unit that depends on others."""
    return c.UnitSpec(
        key=ids.UnitKey(key), depends_on=tuple(ids.UnitKey(one) for one in depends_on), payload=Raw(payload), **fields
    )


async def eventually(holds: Callable[[], Awaitable[object]], patience_s: float = PATIENCE_S) -> None:
    """Look again until *holds* gives something true, less often the longer it takes."""
    began = time.monotonic()
    while not await holds():
        waited = time.monotonic() - began
        assert waited < patience_s, "it never came true"
        await asyncio.sleep(min(0.01 + waited / 20, 0.2))


async def lapsed(pool: asyncpg.Pool) -> None:
    """Return when every lease has run out by the database's clock."""

    async def over() -> bool:
        return bool(await pool.fetchval("SELECT max(lease_until) < clock_timestamp() FROM claims"))

    await eventually(over)
