"""A request as the handlers see it: who asks, in which trace, for which thing, with which body."""

import re
from hashlib import sha256
from random import Random
from typing import TypeVar

from litestar import Request
from litestar.datastructures import State
from litestar.types import HTTPScope, Receive, Send
from msgspec.json import Decoder
from typing_extensions import override

from service.domain.commands import Command
from service.domain.content.path_names import NAME_CHARS, SLASH, PathNames
from service.domain.rejections import Rejection, Validation
from service.http.context import WriteContext
from service.http.request.body import decoded, read, require_json, require_modest, require_plain
from service.submission import LOCAL_ADMIN, Answer, Origin

WAITED = "waited_s"
"""Where a handler notes in the request's state for how long the caller wanted to wait."""
TRACE = re.compile(rb"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(-.*)?")
CHANCE = Random()  # noqa: S311 - names of traces, no secrets

T = TypeVar("T")


class WriteRequest(PathNames, Request[None, None, State]):
    """One request to the write side. What Litestar would prepare for its own ways to read a request is left out."""

    __slots__ = ("body_bytes", "fields")

    body_bytes: bytes
    fields: dict[bytes, bytes]

    def __init__(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        self.scope = scope
        self.receive = receive
        self.send = send
        self.body_bytes = b""
        self.fields = dict(scope["headers"])

    @property
    def context(self) -> WriteContext:
        """What the handlers stand at."""
        context: WriteContext = self.scope["route_handler"].opt["desk"]
        return context

    async def decoded_body(self, decoder: Decoder[T]) -> T:
        """Return the body, decoded."""
        return decoded(decoder, await self.raw_body())

    async def raw_body(self) -> bytes:
        """Return the body as it came; an empty one counts as `{}`."""
        require_modest(self.fields, self.context.body_limit)
        self.body_bytes = await read(self.receive, self.context.body_limit)
        if not self.body_bytes:
            return b"{}"
        require_plain(self.fields)
        require_json(self.fields)
        return self.body_bytes

    def origin(self, screens: dict[str, str] | None = None) -> Origin:
        """Return who asks, in the caller's trace or a new one that has no span yet, with the idempotency key if there is one."""
        given = self.fields.get(b"traceparent")
        trace = TRACE.fullmatch(given) if given else None
        key = self.key
        return Origin(
            actor=LOCAL_ADMIN,
            correlation_id=trace[1].decode() if trace else f"{CHANCE.getrandbits(128):032x}",
            span_id=trace[2].decode() if trace else None,
            key=key,
            digest=self.digest() if key else b"",
            screens=screens or {},
        )

    @property
    def key(self) -> str | None:
        """The idempotency key of a POST."""
        given = self.fields.get(b"idempotency-key")
        if given is None or self.method != "POST":
            return None
        key = given.decode("latin-1")
        if not 1 <= len(key) <= NAME_CHARS or not key.isprintable():
            detail = f"Idempotency-Key must be 1 to {NAME_CHARS} printable characters"
            raise Validation(detail, field="Idempotency-Key", allowed=f"1 to {NAME_CHARS} characters")
        return key

    def digest(self) -> bytes:
        """Return what tells this request from another under the same key."""
        head = f"{self.method}\0{self.scope['path']}\0".encode()
        return sha256(head + self.body_bytes).digest()

    async def submit(self, command: Command, origin: Origin | None = None) -> Answer:
        """Have one command decided; its refusal is raised."""
        answer = await self.context.writer.submit((command,), origin or self.origin())
        if not answer.replayed:
            answer.only()
        return answer

    @override
    def path_text(self, parameter: str) -> str:
        text: str = self.path_params[parameter]
        return text.replace(SLASH, "/")

    def query_parameter(self, name: str) -> str | None:
        """Return a parameter of the query."""
        return Request[None, None, State](self.scope).query_params.get(name)


def require(found: T | None, refusal: Rejection) -> T:
    """Return what was found, or refuse."""
    if found is None:
        raise refusal
    return found
