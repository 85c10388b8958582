"""Free JSON documents: their limits in size and depth, and valid JSON that the database cannot hold."""

import math
import re
from typing import Any

from msgspec import Raw
from msgspec.json import Decoder

from service.domain.rejections import Validation

PAYLOAD_BYTES = 256 * 1024
DEEPEST = 64
INT64 = 2**63 - 1
EXPONENT = 300
LONGEST_NUMBER = 64
FREE_TEXT = re.compile(r"(reports\[\d+\]\.)?(screen|error|note)")
"""Texts of a worker, which are stored without their NULs."""
ESCAPES = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
DIGITS = bytes.maketrans(b"123456789E", b"000000000e")
LONG_INTEGER, LONG_EXPONENT = b"0" * 19, re.compile(rb"0e[+-]?000")
BEFORE_NUMBER = (b"", b":", b",", b"[", b" ", b"\t", b"\r", b"\n", b"0", b".")
"""What may stand before a number; `0` and `.` belong to one that is longer than the window."""
QUOTE, BACKSLASH = ord('"'), ord("\\")
OPENING, CLOSING = frozenset(b"[{"), frozenset(b"]}")


class Misfit(ValueError):
    """A value of the right type that its field forbids; raised while a body is decoded."""

    def __init__(self, field: str, detail: str, *, too_large: int | None = None) -> None:
        super().__init__(detail)
        self.field = field
        self.too_large = too_large


def require_fit(field: str, document: Raw | bytes) -> None:
    """Refuse a free JSON document that is too large or nested too deeply.

    Raises:
        Misfit: it is; while a body is decoded, msgspec makes it the cause of its error.

    """
    text = bytes(document)
    if len(text) > PAYLOAD_BYTES:
        raise Misfit(field, f"is {len(text)} bytes; at most {PAYLOAD_BYTES} are allowed", too_large=PAYLOAD_BYTES)
    if text.count(b"[") + text.count(b"{") > DEEPEST and depth(text) > DEEPEST:
        raise Misfit(field, f"is nested more than {DEEPEST} levels deep")


def depth(text: bytes) -> int:
    """Return how deeply a valid JSON text is nested.

    >>> depth(b'{"a": [1, "[[[", {}]}')
    3
    """
    deepest = level = 0
    quoted = escaped = False
    for char in text:
        if quoted:
            escaped, quoted = char == BACKSLASH and not escaped, char != QUOTE or escaped
        elif char == QUOTE:
            quoted = True
        elif char in OPENING:
            level += 1
            deepest = max(deepest, level)
        elif char in CLOSING:
            level -= 1
    return deepest


def require_sound(body: bytes, within: str = "") -> None:
    """Refuse JSON that a fast decoder accepts and the database does not.

    A quick scan of the bytes has no false negative; only a body that fails it is decoded carefully and walked value by value.
    """
    if not body.isascii():
        body.decode()
    if ESCAPES.search(body) is None:
        digits = body.translate(DIGITS)
        if LONG_INTEGER not in digits and not any(bare(digits, found.start()) for found in LONG_EXPONENT.finditer(digits)):
            return
    require_storable(CAREFUL.decode(body), within)


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


def require_storable(document: Any, within: str) -> None:  # noqa: ANN401 - any JSON
    """Refuse a NUL, except in free text, and an integer of more than 64 bits, at any depth.

    Raises:
        Validation: with the path of the first such value.

    """
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
