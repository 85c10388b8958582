"""A request as the write handlers see it: its actor, trace, idempotency key, path names and body."""

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
from service.http.request.body import decode_body, read_body, require_content_length, require_json, require_uncompressed
from service.submission import LOCAL_ADMIN, Answer, Origin

WAITED = "waited_s"
"""The entry of the request's state that holds for how many seconds the caller asked to wait."""
TRACEPARENT = re.compile(rb"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(-.*)?")
"""W3C Trace Context, https://www.w3.org/TR/trace-context/#traceparent-header."""
RANDOM = Random()  # noqa: S311 - trace ids, no secrets

T = TypeVar("T")


class WriteRequest(PathNames, Request[None, None, State]):
    """One request to the write side.

    It leaves out what Litestar prepares for its own accessors, which these handlers do not use.
    """

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
        """The dependencies of the write handlers."""
        context: WriteContext = self.scope["route_handler"].opt["write_context"]
        return context

    async def decoded_body(self, decoder: Decoder[T]) -> T:
        """Return the body, decoded.

        Raises:
            Validation: it is not what *decoder* expects.
            PayloadTooLarge: it is larger than the limit.

        """
        return decode_body(decoder, await self.raw_body())

    async def raw_body(self) -> bytes:
        """Return the body as bytes; an empty one counts as `{}`."""
        require_content_length(self.fields, self.context.body_limit)
        self.body_bytes = await read_body(self.receive, self.context.body_limit)
        if not self.body_bytes:
            return b"{}"
        require_uncompressed(self.fields)
        require_json(self.fields)
        return self.body_bytes

    def origin(self, screens: dict[str, str] | None = None) -> Origin:
        """Return the origin of this request's commands: in the caller's trace, or in a new one that has no span yet."""
        header = self.fields.get(b"traceparent")
        trace = TRACEPARENT.fullmatch(header) if header else None
        key = self.key
        return Origin(
            actor=LOCAL_ADMIN,
            correlation_id=trace[1].decode() if trace else f"{RANDOM.getrandbits(128):032x}",
            span_id=trace[2].decode() if trace else None,
            key=key,
            digest=self.digest() if key else b"",
            screens=screens or {},
        )

    @property
    def key(self) -> str | None:
        """The idempotency key of a POST.

        Raises:
            Validation: it is too long, or not printable.

        """
        header = self.fields.get(b"idempotency-key")
        if header is None or self.method != "POST":
            return None
        key = header.decode("latin-1")
        if not 1 <= len(key) <= NAME_CHARS or not key.isprintable():
            detail = f"Idempotency-Key must be 1 to {NAME_CHARS} printable characters"
            raise Validation(detail, field="Idempotency-Key", allowed=f"1 to {NAME_CHARS} characters")
        return key

    def digest(self) -> bytes:
        """Return the digest that tells this request from another one under the same idempotency key."""
        head = f"{self.method}\0{self.scope['path']}\0".encode()
        return sha256(head + self.body_bytes).digest()

    async def submit(self, command: Command, origin: Origin | None = None) -> Answer:
        """Submit one command.

        Raises:
            Rejection: it was refused.
            WriteUnavailable: the Writer has no outcome.

        """
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


def require(value: T | None, refusal: Rejection) -> T:
    """Return *value*, or raise *refusal* when it is None."""
    if value is None:
        raise refusal
    return value
