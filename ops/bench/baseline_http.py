"""`python -m ops.bench.baseline_http DSN PORT`: a Litestar handler that makes one durable insert a request, in group commits.

The server is the service's own (`service.server.serve`). The body is decoded into a Struct, one row goes into a table, the
answer comes after the commit: what a request to any durable service made of these parts costs at least.
"""

import asyncio
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from litestar import Litestar, get, post
from litestar.params import JSONBody
from msgspec import Struct

from service import server
from service.settings import Settings

TABLE = "CREATE TABLE IF NOT EXISTS inserted (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, token text, worker text)"
INSERT = "INSERT INTO inserted (token, worker) SELECT token, worker FROM unnest($1::text[], $2::text[]) AS row (token, worker)"
MAX_ROWS = 2000


class InsertRequest(Struct, frozen=True):
    """The body that the load generator sends to claim or to complete."""

    worker: str = ""
    max: int = 1
    campaigns: tuple[str, ...] = ()
    exit_code: int | None = None
    result: dict[str, Any] | None = None


class InsertResponse(Struct, frozen=True):
    """The response: the token, and the position of the row."""

    token: str
    position: int


class GroupCommit:
    """Rows that come while a commit is in flight go together in the next one."""

    def __init__(self) -> None:
        self.waiting: list[tuple[str, str, asyncio.Future[int]]] = []
        self.row_added = asyncio.Event()
        self.position = 0

    async def insert(self, token: str, worker: str) -> int:
        """Insert one row; return when it is durable."""
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.waiting.append((token, worker, answer))
        self.row_added.set()
        return await answer

    async def run(self, dsn: str) -> None:
        """Commit until cancelled."""
        connection = await asyncpg.connect(dsn)
        await connection.execute(TABLE)
        while True:
            await self.row_added.wait()
            self.row_added.clear()
            while rows := self.waiting[:MAX_ROWS]:
                del self.waiting[:MAX_ROWS]
                await connection.execute(INSERT, [row[0] for row in rows], [row[1] for row in rows])
                for _, _, answer in rows:
                    self.position += 1
                    answer.set_result(self.position)


def create_app(settings: Settings, _stopping: asyncio.Event | None = None) -> Litestar:
    """Build the service."""
    group = GroupCommit()

    @post(["/v1/claims", "/v1/claims/{token:str}/complete"], status_code=200)
    async def insert(data: JSONBody[InsertRequest]) -> InsertResponse:
        """Insert one row."""
        token = secrets.token_hex(8)
        return InsertResponse(token, await group.insert(token, data.worker))

    @get("/readyz")
    async def ready() -> None:
        """Say that it is there."""

    @asynccontextmanager
    async def running(_app: Litestar) -> AsyncIterator[None]:
        """Commit while the service runs."""
        commits = asyncio.create_task(group.run(settings.dsn))
        yield
        commits.cancel()

    return Litestar(route_handlers=[insert, ready], lifespan=[running], openapi_config=None, logging_config=None)


if __name__ == "__main__":
    chosen = Settings.read({}, dsn=sys.argv[1], port=int(sys.argv[2]))
    with server.listen(chosen) as listener:
        server.serve(create_app, chosen, listener)
