"""A request whose body comes in parts, straight into the app."""

from collections.abc import AsyncIterator, Iterable
from typing import Any

import msgspec
from litestar.types import ASGIApp
from msgspec import Struct


class Reply(Struct):
    """An answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:  # noqa: ANN401 - any JSON
        """Return the body, decoded."""
        return msgspec.json.decode(self.body)


async def post(app: ASGIApp, path: str, parts: AsyncIterator[bytes], headers: dict[str, str], *, leave: bool = False) -> Reply:
    """Send *parts* as they come; with *leave*, go away after them instead of ending the request."""
    return await ask(app, "POST", path, parts, headers, leave=leave)


async def ask(
    app: ASGIApp, method: str, path: str, parts: AsyncIterator[bytes], headers: dict[str, str], *, leave: bool = False
) -> Reply:
    """Send a request of any method and any path."""
    reply = Reply(0, {}, b"")
    ended = False

    async def receive() -> dict[str, Any]:
        nonlocal ended
        if ended:
            return {"type": "http.disconnect"}
        async for part in parts:
            return {"type": "http.request", "body": part, "more_body": True}
        ended = True
        return {"type": "http.disconnect"} if leave else {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            reply.status = message["status"]
            reply.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            reply.body += message["body"]

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2),
    }
    await app(scope, receive, send)  # type: ignore[arg-type]
    return reply


async def of(parts: Iterable[bytes]) -> AsyncIterator[bytes]:
    """Yield *parts*."""
    for part in parts:
        yield part
