"""A line between a client and Postgres that breaks as a test orders: cut, silent, or cut around a COMMIT."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Literal, Self
from urllib.parse import parse_qs, urlsplit

COMMIT = b"Q\x00\x00\x00\x0bCOMMIT\x00"
Fault = Literal["before_commit", "after_commit", "before_query"]


class Line:
    """A TCP address that leads to the socket of a Postgres; the next faults wait in a queue."""

    def __init__(self, dsn: str) -> None:
        parts = urlsplit(dsn)
        asked = parse_qs(parts.query)
        self._socket = str(Path(asked["host"][0]) / f".s.PGSQL.{asked['port'][0]}")
        self._login = f"{parts.username}:{parts.password}", parts.path
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._passing = asyncio.Event()
        self._passing.set()
        self.away = False
        self.instead = b""
        self.faults: list[Fault] = []
        self.reached: Counter[str] = Counter()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self.deaf = False
        self._server.close()
        self.cut()

    @property
    def dsn(self) -> str:
        """The address that goes over this line."""
        assert self._server is not None
        login, database = self._login
        return f"postgresql://{login}@127.0.0.1:{self._server.sockets[0].getsockname()[1]}{database}?sslmode=disable"

    @property
    def deaf(self) -> bool:
        """Whether nothing passes, in either direction, and nobody is told."""
        return not self._passing.is_set()

    @deaf.setter
    def deaf(self, deaf: bool) -> None:
        if deaf:
            self._passing.clear()
        else:
            self._passing.set()

    def cut(self) -> None:
        """End every connection that is open."""
        for writer in self._open:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection until either side ends it, or a fault does."""
        try:
            if self.away:
                raise ConnectionRefusedError
            inner_reader, inner_writer = await asyncio.open_unix_connection(self._socket)
        except OSError:
            writer.transport.abort()
            return
        self._open |= {writer, inner_writer}
        muted = asyncio.Event()
        ways = [self._ask(reader, inner_writer, muted), self._answer(inner_reader, writer, muted)]
        tasks = [asyncio.ensure_future(way) for way in ways]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:  # the loop ends; asyncio.streams would log this as a fault of ours
            pass
        finally:
            self._open -= {writer, inner_writer}
            for task in tasks:
                task.cancel()
            for end in (writer, inner_writer):
                end.transport.abort()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _ask(self, reader: asyncio.StreamReader, inner: asyncio.StreamWriter, muted: asyncio.Event) -> None:
        """Carry what the client says, until a fault says otherwise."""
        while said := await reader.read(65536):
            await self._passing.wait()
            fault = self._due(said)
            if fault == "after_commit":
                muted.set()
            elif fault is not None:
                return
            inner.write(said)
            await inner.drain()

    def _due(self, said: bytes) -> Fault | None:
        """Return the next fault if its time has come."""
        if not self.faults or (self.faults[0] == "before_query") == said.endswith(COMMIT):
            return None
        fault = self.faults.pop(0)
        self.reached[fault] += 1
        return fault

    async def _answer(self, inner: asyncio.StreamReader, writer: asyncio.StreamWriter, muted: asyncio.Event) -> None:
        """Carry what the server says; of the answer to a muted COMMIT nothing, or *instead* of it what is set."""
        while said := await inner.read(65536):
            await self._passing.wait()
            if muted.is_set():
                if not self.instead:
                    return
                muted.clear()
                said = self.instead
            writer.write(said)
            await writer.drain()
