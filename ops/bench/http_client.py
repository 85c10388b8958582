"""One keep-alive HTTP/1.1 connection on a bare socket: bytes out, a body back.

The client shares two cores with the service and Postgres. A full client (httpx, aiohttp) spends more on a request than
the service does, and would measure itself; this one spends some ten microseconds, the same for ours and for a baseline.
"""

import asyncio
from typing import Self, cast
from urllib.parse import urlsplit

from typing_extensions import override

END = b"\r\n\r\n"
LENGTH = b"content-length: "
OK = (b"200", b"201")


class Refused(Exception):
    """The response was neither 200 nor 201; the text holds its beginning."""


class HttpConnection(asyncio.Protocol):
    """A connection with one request in flight at a time."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._needed = 0
        self._begun = 0
        self._answer: asyncio.Future[bytes] | None = None
        self._transport: asyncio.Transport | None = None

    @classmethod
    async def open(cls, url: str) -> Self:
        """Connect to the host and port of *url*."""
        host, _, port = urlsplit(url).netloc.partition(":")
        _, connection = await asyncio.get_running_loop().create_connection(cls, host, int(port))
        return connection

    async def ask(self, request: bytes) -> bytes:
        """Send *request* and return the body of its answer."""
        assert self._transport is not None, "a connection is opened before it is used"
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one without saying so

    @override
    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._needed:
            head = self._buffer.find(END)
            if head < 0:
                return
            length = self._buffer.index(LENGTH, 0, head) + len(LENGTH)
            self._begun = head + len(END)
            self._needed = self._begun + int(self._buffer[length : self._buffer.index(b"\r", length)])
        if len(self._buffer) >= self._needed:
            self._finish()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(Refused(f"the service hung up: {exc}"))

    def _finish(self) -> None:
        """Return the response to the caller and prepare for the next one."""
        assert self._answer is not None, "nothing is answered that was not asked"
        status, body = bytes(self._buffer[9:12]), bytes(self._buffer[self._begun :])
        self._buffer.clear()
        self._needed = 0
        if status in OK:
            self._answer.set_result(body)
        else:
            self._answer.set_exception(Refused(f"{status.decode()} {body[:300].decode(errors='replace')}"))


def post(path: str, body: bytes) -> bytes:
    """Return the bytes of a POST with a JSON body."""
    head = f"POST {path} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body
