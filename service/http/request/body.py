"""Request bodies: read up to a limit, checked for values that Postgres cannot store, and decoded; errors name the field."""

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

PART_TIMEOUT_S = 30.0
JSON = re.compile(rb"[ \t]*application/(?:[\w.!#$&^+-]+\+)?json[ \t]*(?:;[ \t]*charset=\"?utf-?8\"?[ \t]*)?$", re.IGNORECASE)
DECODING_ERRORS = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)

T = TypeVar("T")


class ClientDisconnected(Validation):
    """The client disconnected before its request was complete; the answer reaches nobody."""


async def read_body(receive: Receive, limit: int) -> bytes:
    """Return the whole body.

    Raises:
        PayloadTooLarge: it has more than *limit* bytes; the rest is not read.
        ClientDisconnected: the client left.
        Validation: the next part did not come in time.

    """
    # Nearly every body comes in one message: it is returned without a list of parts and without a copy.
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
        raise ClientDisconnected("the client disconnected")
    return require_size(b"".join(parts), limit)


async def next_part(receive: Receive) -> Any:  # noqa: ANN401 - an ASGI message
    """Return the next message of a body.

    Raises:
        Validation: it did not come in time.

    """
    try:
        async with asyncio.timeout(PART_TIMEOUT_S):
            return await receive()
    except TimeoutError:
        raise Validation(f"the next part of the body did not come within {PART_TIMEOUT_S:g} s") from None


def require_size(body: bytes, limit: int) -> bytes:
    """Return *body*.

    Raises:
        PayloadTooLarge: it has more than *limit* bytes.

    """
    if len(body) > limit:
        raise too_large(limit)
    return body


def require_content_length(headers: Mapping[bytes, bytes], limit: int) -> None:
    """Refuse a body by its `Content-Length`, before any of it is read.

    Raises:
        PayloadTooLarge: it has more than *limit* bytes.

    """
    length = headers.get(b"content-length", b"")
    if length.isdigit() and int(length) > limit:
        raise too_large(limit)


def too_large(limit: int) -> PayloadTooLarge:
    """Return the refusal of a body over *limit* bytes."""
    return PayloadTooLarge(f"the body is larger than {limit} bytes", allowed=limit)


def require_json(headers: Mapping[bytes, bytes]) -> None:
    """Refuse a body that is not declared as JSON in UTF-8.

    Raises:
        Validation: `Content-Type` is missing or another.

    """
    content_type = headers.get(b"content-type", b"")
    if content_type != b"application/json" and not JSON.match(content_type):
        raise Validation(
            "the body must be JSON in UTF-8, and say so",
            field="Content-Type",
            allowed=["application/json"],
            current=content_type.decode("latin-1") or None,
        )


def require_uncompressed(headers: Mapping[bytes, bytes]) -> None:
    """Refuse a compressed body: its size after decompression is not known before, so no limit would protect the service.

    Raises:
        Validation: `Content-Encoding` is not `identity`.

    """
    encoding = headers.get(b"content-encoding", b"identity")
    if encoding.strip().lower() not in (b"identity", b""):
        raise Validation(
            "the body must not be compressed",
            field="Content-Encoding",
            allowed=["identity"],
            current=encoding.decode("latin-1"),
        )


def decode_body(decoder: Decoder[T], body: bytes, within: str = "") -> T:
    """Return *body* decoded; *within* is its place in the request when it is a part of one.

    Raises:
        Validation: it is not what *decoder* expects; the message names the field.
        PayloadTooLarge: a document in it is too large.

    """
    try:
        require_sound(body, within)
        return decoder.decode(body)
    except DECODING_ERRORS as error:
        raise decoding_refusal(error, decoder.type, within) from None


def decode_unchecked(decoder: Decoder[T], body: bytes) -> T:
    """Return *body* decoded, without the check that Postgres can store every text and number in it.

    Raises:
        Validation: it is not what *decoder* expects.

    """
    try:
        return decoder.decode(body)
    except DECODING_ERRORS as error:
        raise decoding_refusal(error, decoder.type) from None


def decoding_refusal(error: Exception, kind: object, within: str = "") -> Rejection:
    """Return the refusal of a body that a decoder of *kind* failed on with *error*."""
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
