"""A service without HTTP writes: the Writer, the projector and the reads on a test's own database."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

import asyncpg
from httpx import ASGITransport, AsyncClient
from litestar import Litestar
from msgspec import Raw

from projections.http.context import ReadContext
from projections.http.reads.reader import Reader
from projections.http.routes import READS
from projections.measures.process import Process
from projections.projector import Projector
from projections.rebuild import rebuild
from service.domain import commands as c
from service.domain import ids
from service.http.middleware import Middleware
from service.http.problems import HANDLERS
from service.settings import Settings
from service.store.db.pool import open_connection
from service.submission import Answer, Origin
from service.writer import Writer, within

rebuilt = partial(rebuild, note=partial(within, origin=Origin(actor="test/rebuild")))
"""What `muster rebuild` does."""
NIGHTLY = ids.CampaignName("nightly")
WORKER = ids.WorkerId("w-1")


class Fleet:
    """What a test needs to send commands and to read their outcome."""

    def __init__(self, writer: Writer, projector: Projector, reader: Reader, client: AsyncClient) -> None:
        self.writer = writer
        self.projector = projector
        self.reader = reader
        self.client = client
        self.position = 0

    async def order(self, *commands: c.Command) -> Answer:
        """Have commands decided in one batch."""
        answer = await self.writer.submit(commands, Origin(actor="test/admin"))
        self.position = answer.position
        return answer

    async def begin(self, *keys: str, **fields: object) -> None:
        """Create the campaign `nightly` with units."""
        units = tuple(c.UnitSpec(ids.UnitKey(key), Raw(b'{"file": "a.py"}')) for key in keys)
        (await self.order(c.CreateCampaign(name=NIGHTLY, units=units, **fields))).only()  # type: ignore[arg-type]

    async def claim(self, count: int = 1) -> Sequence[c.Grant]:
        """Claim units as the worker `w-1`."""
        claimed: c.ClaimReply = (await self.order(c.ClaimWork(worker=WORKER, max=count))).only()
        return claimed.claims

    async def get(self, path: str, **parameters: str | int) -> dict[str, Any]:
        """Return what a path answers once the views have seen every order."""
        answer = await self.client.get(path, params={"at_least": self.position, **parameters})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


@asynccontextmanager
async def fleet(settings: Settings, pool: asyncpg.Pool, *, leads: bool = True) -> AsyncIterator[Fleet]:
    """Run a Writer, and the projector when this replica leads."""
    writer = Writer(partial(open_connection, settings, name="writer"))
    process = Process()
    projector = Projector(pool, process)
    reader = Reader(pool, projector)
    app = Litestar(
        [*READS],
        opt={"read_context": ReadContext(reader, process, asyncio.Event())},
        exception_handlers=HANDLERS,
        openapi_config=None,
        logging_config=None,
    )
    running = [asyncio.create_task(writer.run())]
    if leads:
        running.append(asyncio.create_task(projector.run()))
    try:
        transport = ASGITransport(Middleware(app))  # type: ignore[arg-type]  # one protocol under two names
        async with AsyncClient(transport=transport, base_url="http://muster") as client:
            yield Fleet(writer, projector, reader, client)
    finally:
        for task in running:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
