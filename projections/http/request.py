"""A read as its handler sees it: which thing, how many, from where, not older than what."""

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
LIMIT, MOST = 100, 1000
DIGITS, SMALL_DIGITS = 19, 10
INT32 = 2**31 - 1
EARLIEST, LATEST = 1970, 9000

T = TypeVar("T")


class ReadRequest(PathNames, Request[None, None, State]):
    """One request to the read side."""

    @property
    def context(self) -> ReadContext:
        """What the handlers look through."""
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
        """The position that a view must have reached."""
        return self.number("at_least")

    @property
    def limit(self) -> int:
        """How many items at most."""
        limit = self.number("limit")
        if limit is not None and not 1 <= limit <= MOST:
            raise Validation(f"limit must lie between 1 and {MOST}", field="limit", allowed=[1, MOST], current=limit)
        return LIMIT if limit is None else limit

    @property
    def cursor(self) -> str:
        """The key after which the list goes on; empty at its beginning."""
        given = self.text("cursor", limit=4000) or self.text("after", limit=4000)
        return "" if given is None else decoded(given)

    @property
    def position(self) -> int:
        """The position after which the log is read."""
        after = self.number("after")
        return (self.number("cursor") or 0) if after is None else after

    @property
    def kinds(self) -> tuple[str, ...] | None:
        """The kinds of events asked for; None asks for all."""
        given = [kind for text in self.query_params.getall("kind", []) for kind in text.split(",")]
        for kind in given:
            if kind not in KINDS:
                raise Validation(
                    "kind must be the kind of an event", field="kind", allowed=sorted(KINDS), current=kind[:SHOWN_CHARS]
                )
        return tuple(given) or None

    def small(self, field: str, least: int = -INT32 - 1) -> int | None:
        """Return a whole number of 32 bits, *least* or more."""
        given = self.query_params.get(field)
        digits = (given or "").removeprefix("-")
        if given is not None and not (digits.isdecimal() and digits.isascii() and len(digits) <= SMALL_DIGITS):
            raise Validation(f"{field} must be a whole number", field=field, current=given[:SHOWN_CHARS])
        if given is not None and not least <= int(given) <= INT32:
            raise Validation(
                f"{field} must lie between {least} and {INT32}", field=field, allowed=[least, INT32], current=int(given)
            )
        return None if given is None else int(given)

    def number(self, field: str) -> int | None:
        """Return a whole number of the query."""
        given = self.query_params.get(field)
        if given is None:
            return None
        if not (given.isdecimal() and given.isascii() and len(given) <= DIGITS and int(given) <= INT64):
            raise Validation(f"{field} must be a whole number", field=field, current=given[:SHOWN_CHARS])
        return int(given)

    def text(self, field: str, *, limit: int = KEY_CHARS) -> str | None:
        """Return a text of the query."""
        given = self.query_params.get(field)
        if given is not None and not (given.isprintable() and 1 <= len(given) <= limit):
            raise Validation(f"{field} must be 1 to {limit} printable characters", field=field, current=given[:SHOWN_CHARS])
        return given

    def instant(self, field: str) -> datetime | None:
        """Return an instant of the query."""
        given = self.text(field)
        if given is None:
            return None
        try:
            at = datetime.fromisoformat(given.replace(" ", "+"))
        except ValueError:
            at = None
        if at is None or at.tzinfo is None or not EARLIEST <= at.year <= LATEST:
            raise Validation(f"{field} must be a time with a zone, as RFC 3339 writes it", field=field, current=given)
        return at

    def word(self, field: str, allowed: Sequence[str]) -> str | None:
        """Return a word of a closed set."""
        given = self.query_params.get(field)
        if given is not None and given not in allowed:
            raise Validation(
                f"{field} must be one of {', '.join(allowed)}", field=field, allowed=allowed, current=given[:SHOWN_CHARS]
            )
        return given


class ListPage(Struct, Generic[T]):
    """A part of a list, and where it goes on."""

    items: list[T]
    next: str | None


def page(items: list[T], limit: int, key: str | None) -> ListPage[T]:
    """Return a page; it goes on after *key* when it is full."""
    return ListPage(items, encoded(key) if key is not None and len(items) >= limit else None)


def encoded(key: str) -> str:
    """Return *key* as a cursor.

    >>> decoded(encoded("a/b ü"))
    'a/b ü'
    """
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def decoded(cursor: str) -> str:
    """Return the key of a cursor."""
    try:
        key = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise Validation("the cursor is not one of ours", field="cursor", current=cursor[:SHOWN_CHARS]) from None
    if not key.isprintable():
        raise Validation("the cursor is not one of ours", field="cursor", current=cursor[:SHOWN_CHARS])
    return key


def json_response(value: object, headers: Mapping[str, str] | None = None) -> Response[bytes]:
    """Answer with *value* as JSON."""
    return Response(msgspec.json.encode(value), media_type="application/json", headers=headers)


def require_found(value: T | None, kind: str, name: str) -> T:
    """Return *value*, or refuse because nothing has that name."""
    if value is None:
        raise NotFound(f"there is no {kind} {name!r}", field=kind, current=name)
    return value
