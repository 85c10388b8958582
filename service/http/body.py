"""Bodies: read with a limit, checked for what a database cannot hold, decoded, and refused by the name of the field."""

import asyncio
import math
import re
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from litestar.types import Receive
from msgspec.json import Decoder

from service.domain.rejections import Rejection, Validation
from service.http.problems import PayloadTooLarge
from service.http.shape import INT64, Misfit

PATIENCE_S = 30.0
JSON = re.compile(rb"[ \t]*application/(?:[\w.!#$&^+-]+\+)?json[ \t]*(?:;[ \t]*charset=\"?utf-?8\"?[ \t]*)?$", re.IGNORECASE)
FREE_TEXT = re.compile(r"(reports\[\d+\]\.)?(screen|error|note)")
ESCAPES = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
DIGITS = bytes.maketrans(b"123456789E", b"000000000e")
LONG_INTEGER, LONG_EXPONENT = b"0" * 19, re.compile(rb"0e[+-]?000")
PATH = re.compile(r"^(.*?)(?: - at (?:`key` in )?`\$(.*)`)?$", re.DOTALL)
NAMED = re.compile(r"(?:unknown|required) field `([^`]+)`")
EXPONENT = 300
LONGEST_NUMBER = 64
BEFORE_NUMBER = (b"", b":", b",", b"[", b" ", b"\t", b"\r", b"\n", b"0", b".")
"""What may stand before a number; digits, where it is longer than is looked at."""
MISSHAPEN = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)

T = TypeVar("T")


class Gone(Validation):
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
        raise Gone("the client left")
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
        raise PayloadTooLarge(f"the body is larger than {limit} bytes", allowed=limit)
    return body


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
        raise misshapen(error, within) from None


def shaped(decoder: Decoder[T], body: bytes) -> T:
    """Return what *body* says, its free documents not looked at."""
    try:
        return decoder.decode(body)
    except MISSHAPEN as error:
        raise misshapen(error) from None


def misshapen(error: Exception, within: str = "") -> Rejection:
    """Return the refusal that a decoder's error means."""
    if isinstance(error, RecursionError):
        return Validation("the body is nested too deeply", field=within or None)
    if isinstance(error, UnicodeDecodeError):
        return Validation("the body is not UTF-8", field=within or None)
    text, path = PATH.match(str(error)).groups()  # type: ignore[union-attr]
    if not isinstance(error, msgspec.ValidationError):
        return Validation(f"the body is not JSON: {text}", field=within or None)
    misfit = error.__cause__ if isinstance(error.__cause__, Misfit) else None
    named = NAMED.search(text)
    name = misfit.field if misfit else named[1] if named else None
    field = f"{within}{path or ''}" + (f".{name}" if name else "")
    field = field.removeprefix(".") or None  # type: ignore[assignment]
    detail = f"{field}: {text}" if field else text
    if misfit and misfit.too_large:
        return PayloadTooLarge(detail, field=field, allowed=misfit.too_large)
    return Validation(detail, field=field, allowed=text if text.startswith("Expected") else None)


def require_sound(body: bytes, within: str = "") -> None:
    """Refuse what is valid for a quick decoder and not for the database: see the tests named after each.

    The quick look has no false negative; only a body that fails it is looked through value by value.
    """
    if not body.isascii():
        body.decode()
    if ESCAPES.search(body) is None:
        digits = body.translate(DIGITS)
        if LONG_INTEGER not in digits and not any(bare(digits, found.start()) for found in LONG_EXPONENT.finditer(digits)):
            return
    look_through(CAREFUL.decode(body), within)


def bare(digits: bytes, end: int) -> bool:
    """Tell whether the digits before *end* are a number of JSON, and not part of a text such as a token.

    >>> bare(b'{"a":-0.00e000}', 9), bare(b'{"a":"f00e000"}', 8)
    (True, False)
    """
    rest = digits[max(end - LONGEST_NUMBER, 0) : end].rstrip(b"0.").removesuffix(b"-")
    return rest[-1:] in BEFORE_NUMBER


def sane_float(literal: str) -> float:
    """Return the number, infinite when it is larger or finer than a float can be.

    >>> sane_float("1.5e3"), sane_float("1e-999")
    (1500.0, inf)
    """
    _, _, exponent = literal.lower().partition("e")
    return math.inf if exponent and abs(int(exponent)) > EXPONENT else float(literal)


CAREFUL: Decoder[Any] = Decoder(float_hook=sane_float)


def look_through(document: Any, within: str) -> None:  # noqa: ANN401 - any JSON
    """Refuse a NUL, except in free text, and an integer of more than 64 bits, wherever it stands."""
    waiting = [(within, document)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, dict):
            waiting.extend((f"{path}.{name}".removeprefix("."), child) for name, child in value.items())
            value = "".join(value)
        if isinstance(value, list):
            waiting.extend((f"{path}[{index}]", child) for index, child in enumerate(value))
        elif isinstance(value, str) and "\0" in value and not FREE_TEXT.fullmatch(path):
            raise Validation(f"{path}: must not hold a NUL", field=path or None)
        elif (
            isinstance(value, int | float) and not -INT64 - 1 <= value <= INT64 and (isinstance(value, int) or math.isinf(value))
        ):
            raise Validation(f"{path}: is out of range", field=path or None)
