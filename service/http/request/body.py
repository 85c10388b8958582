"""Bodies: read with a limit, checked for what a database cannot hold, decoded, and refused by the name of the field."""

import asyncio
import re
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from litestar.types import Receive
from msgspec.json import Decoder

from service.domain.content.json_limits import require_sound
from service.domain.decode_error import located, refusal
from service.domain.rejections import Rejection, Validation
from service.http.problems import PayloadTooLarge

PATIENCE_S = 30.0
JSON = re.compile(rb"[ \t]*application/(?:[\w.!#$&^+-]+\+)?json[ \t]*(?:;[ \t]*charset=\"?utf-?8\"?[ \t]*)?$", re.IGNORECASE)
MISSHAPEN = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)

T = TypeVar("T")


class ClientDisconnected(Validation):
    """The client left before its request was complete; nobody reads this."""


async def read(receive: Receive, limit: int) -> bytes:
    """Return the whole body, or refuse it as soon as it is larger than *limit* bytes."""
    message = await receive()
    body: bytes = message.get("body", b"")  # type: ignore[assignment]
    if not message.get("more_body") and message["type"] == "http.request":
        return require_size(body, limit)
    parts = [body]
    size = len(body)
    while message.get("more_body"):
        message = await next_part(receive)
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > limit:
            break
    if message["type"] == "http.disconnect":
        raise ClientDisconnected("the client left")
    return require_size(b"".join(parts), limit)


async def next_part(receive: Receive) -> Any:  # noqa: ANN401 - an ASGI message
    """Return the next message of a body that comes in parts, unless it takes too long."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await receive()
    except TimeoutError:
        raise Validation(f"the next part of the body did not come within {PATIENCE_S:g} s") from None


def require_size(body: bytes, limit: int) -> bytes:
    """Return *body* when it is not too large."""
    if len(body) > limit:
        raise too_large(limit)
    return body


def require_modest(headers: Mapping[bytes, bytes], limit: int) -> None:
    """Refuse a body that says of itself that it is larger than *limit* bytes, before it comes."""
    said = headers.get(b"content-length", b"")
    if said.isdigit() and int(said) > limit:
        raise too_large(limit)


def too_large(limit: int) -> PayloadTooLarge:
    """Return the refusal of a body over *limit* bytes."""
    return PayloadTooLarge(f"the body is larger than {limit} bytes", allowed=limit)


def require_json(headers: Mapping[bytes, bytes]) -> None:
    """Refuse a body that does not say that it is JSON in UTF-8."""
    given = headers.get(b"content-type", b"")
    if given != b"application/json" and not JSON.match(given):
        raise Validation(
            "the body must be JSON in UTF-8, and say so",
            field="Content-Type",
            allowed=["application/json"],
            current=given.decode("latin-1") or None,
        )


def require_plain(headers: Mapping[bytes, bytes]) -> None:
    """Refuse a body that is packed: it is not unpacked here, where its size would no longer be known."""
    given = headers.get(b"content-encoding", b"identity")
    if given.strip().lower() not in (b"identity", b""):
        raise Validation(
            "the body must not be packed",
            field="Content-Encoding",
            allowed=["identity"],
            current=given.decode("latin-1"),
        )


def decoded(decoder: Decoder[T], body: bytes, within: str = "") -> T:
    """Return what *body* says, or refuse it naming the field; *within* is where it stands in its request."""
    try:
        require_sound(body, within)
        return decoder.decode(body)
    except MISSHAPEN as error:
        raise misshapen(error, decoder.type, within) from None


def shaped(decoder: Decoder[T], body: bytes) -> T:
    """Return what *body* says, its free documents not looked at."""
    try:
        return decoder.decode(body)
    except MISSHAPEN as error:
        raise misshapen(error, decoder.type) from None


def misshapen(error: Exception, kind: object, within: str = "") -> Rejection:
    """Return the refusal that the error of a decoder of *kind* means."""
    if isinstance(error, RecursionError):
        return Validation("the body is nested too deeply", field=within or None)
    if isinstance(error, UnicodeDecodeError):
        return Validation("the body is not UTF-8", field=within or None)
    if not isinstance(error, msgspec.ValidationError):
        return Validation(f"the body is not JSON: {error}", field=within or None)
    place = located(error, kind, within)
    if place.too_large:
        return PayloadTooLarge(place.detail, field=place.field, allowed=place.too_large)
    return refusal(error, kind, within)
