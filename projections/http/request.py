"""A request as the read handlers see it: path names, query parameters, and the position that a view must have reached."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Generic, TypeVar

import msgspec
from litestar import Request, Response
from litestar.datastructures import State
from msgspec import Struct
from typing_extensions import override

from projections.http.context import ReadContext
from projections.http.reads.reader import Reader
from service.domain.content.json_limits import INT64
from service.domain.content.path_names import KEY_CHARS, SLASH, PathNames
from service.domain.events import KINDS
from service.domain.rejections import NotFound, Validation

SHOWN_CHARS = 200
DEFAULT_LIMIT, MAX_LIMIT = 100, 1000
DIGITS, SMALL_DIGITS = 19, 10
INT32 = 2**31 - 1
CURSOR_CHARS = 4000
EARLIEST, LATEST = 1970, 9000

T = TypeVar("T")


class ReadRequest(PathNames, Request[None, None, State]):
    """One request to the read side."""

    @property
    def context(self) -> ReadContext:
        """The dependencies of the read handlers."""
        context: ReadContext = self.scope["route_handler"].opt["read_context"]
        return context

    @property
    def reader(self) -> Reader:
        """The views."""
        return self.context.reader

    @override
    def path_text(self, parameter: str) -> str:
        text: str = self.path_params[parameter]
        return text.replace(SLASH, "/")

    @property
    def at_least(self) -> int | None:
        """The position that a view must have reached, None when any will do."""
        return self.number("at_least")

    @property
    def limit(self) -> int:
        """The highest number of items.

        Raises:
            Validation: it is out of its bounds.

        """
        limit = self.number("limit")
        if limit is not None and not 1 <= limit <= MAX_LIMIT:
            raise Validation(f"limit must lie between 1 and {MAX_LIMIT}", field="limit", allowed=[1, MAX_LIMIT], current=limit)
        return DEFAULT_LIMIT if limit is None else limit

    @property
    def cursor(self) -> str:
        """The key after which the list continues; empty at its start."""
        cursor = self.text("cursor", limit=CURSOR_CHARS) or self.text("after", limit=CURSOR_CHARS)
        return "" if cursor is None else decode_cursor(cursor)

    @property
    def position(self) -> int:
        """The position of the log after which events are read."""
        after = self.number("after")
        return (self.number("cursor") or 0) if after is None else after

    @property
    def kinds(self) -> tuple[str, ...] | None:
        """The kinds of events that are wanted; None stands for all.

        Raises:
            Validation: there is no such kind.

        """
        kinds = [kind for text in self.query_params.getall("kind", []) for kind in text.split(",")]
        for kind in kinds:
            if kind not in KINDS:
                raise Validation(
                    "kind must be the kind of an event", field="kind", allowed=sorted(KINDS), current=kind[:SHOWN_CHARS]
                )
        return tuple(kinds) or None

    def small(self, field: str, least: int = -INT32 - 1) -> int | None:
        """Return a whole number of 32 bits, *least* or more.

        Raises:
            Validation: it is not one.

        """
        value = self.query_params.get(field)
        digits = (value or "").removeprefix("-")
        if value is not None and not (digits.isdecimal() and digits.isascii() and len(digits) <= SMALL_DIGITS):
            raise Validation(f"{field} must be a whole number", field=field, current=value[:SHOWN_CHARS])
        if value is not None and not least <= int(value) <= INT32:
            raise Validation(
                f"{field} must lie between {least} and {INT32}", field=field, allowed=[least, INT32], current=int(value)
            )
        return None if value is None else int(value)

    def number(self, field: str) -> int | None:
        """Return a whole number of the query, zero or more.

        Raises:
            Validation: it is not one.

        """
        value = self.query_params.get(field)
        if value is None:
            return None
        if not (value.isdecimal() and value.isascii() and len(value) <= DIGITS and int(value) <= INT64):
            raise Validation(f"{field} must be a whole number", field=field, current=value[:SHOWN_CHARS])
        return int(value)

    def text(self, field: str, *, limit: int = KEY_CHARS) -> str | None:
        """Return a text of the query.

        Raises:
            Validation: it is empty, too long or not printable.

        """
        value = self.query_params.get(field)
        if value is not None and not (value.isprintable() and 1 <= len(value) <= limit):
            raise Validation(f"{field} must be 1 to {limit} printable characters", field=field, current=value[:SHOWN_CHARS])
        return value

    def instant(self, field: str) -> datetime | None:
        """Return an instant of the query.

        Raises:
            Validation: it is no time with a zone.

        """
        value = self.text(field)
        if value is None:
            return None
        try:
            at = datetime.fromisoformat(value.replace(" ", "+"))  # an unescaped `+` of a zone arrives as a space
        except ValueError:
            at = None
        if at is None or at.tzinfo is None or not EARLIEST <= at.year <= LATEST:
            raise Validation(f"{field} must be a time with a zone, as RFC 3339 writes it", field=field, current=value)
        return at

    def word(self, field: str, allowed: Sequence[str]) -> str | None:
        """Return a word of a closed set.

        Raises:
            Validation: it is not in *allowed*.

        """
        value = self.query_params.get(field)
        if value is not None and value not in allowed:
            raise Validation(
                f"{field} must be one of {', '.join(allowed)}", field=field, allowed=allowed, current=value[:SHOWN_CHARS]
            )
        return value


class ListPage(Struct, Generic[T]):
    """A page of a list; *next* is the cursor of the next page, None on the last one."""

    items: list[T]
    next: str | None


def list_page(items: list[T], limit: int, key: str | None) -> ListPage[T]:
    """Return a page; when it is full, the next one starts after *key*."""
    return ListPage(items, encode_cursor(key) if key is not None and len(items) >= limit else None)


def encode_cursor(key: str) -> str:
    """Return *key* as a cursor.

    >>> decode_cursor(encode_cursor("a/b ü"))
    'a/b ü'
    """
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> str:
    """Return the key of a cursor.

    Raises:
        Validation: it is not a cursor.

    """
    try:
        key = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise Validation("the cursor is not one of ours", field="cursor", current=cursor[:SHOWN_CHARS]) from None
    if not key.isprintable():
        raise Validation("the cursor is not one of ours", field="cursor", current=cursor[:SHOWN_CHARS])
    return key


def json_response(value: object, headers: Mapping[str, str] | None = None) -> Response[bytes]:
    """Respond with *value* as JSON."""
    return Response(msgspec.json.encode(value), media_type="application/json", headers=headers)


def require_found(value: T | None, kind: str, name: str) -> T:
    """Return *value*.

    Raises:
        NotFound: it is None: no *kind* of thing has that *name*.

    """
    if value is None:
        raise NotFound(f"there is no {kind} {name!r}", field=kind, current=name)
    return value
