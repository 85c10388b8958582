"""The address of a page of the cockpit: the decoded parts of its path, and its query."""

from typing import Self
from urllib.parse import parse_qsl, quote, urlencode

from msgspec import Struct
from typing_extensions import override

from service.domain.content.path_names import DOT_NAMES, PLACEHOLDER, PathNames, decoded_segments, restored_path
from service.domain.rejections import Validation

TEXT_CHARS, MAX_FIELDS, MAX_DIGITS = 1000, 40, 18
PLACES = {"name": 1, "key": 3, "worker": 1, "quota": 1, "investigation": 1, "recovery": 1}
"""Which part of a page's path holds the name of that kind."""


class PageUrl(PathNames, Struct, frozen=True):
    """A page: the decoded parts of its path, and its query."""

    parts: tuple[str, ...] = ()
    query: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, target: bytes) -> Self:
        """Parse a path with its query, as it is in a request.

        >>> PageUrl.of(b"/campaigns/c/units/a%2Fb?q=x")
        PageUrl(parts=('campaigns', 'c', 'units', 'a/b'), query=(('q', 'x'),))
        >>> PageUrl.of(b"/campaigns/c/units/-?key=..").unit
        '..'

        Raises:
            Validation: it cannot be parsed, or is too long.

        """
        path, _, query = target.partition(b"?")
        try:
            path, query = restored_path(path, query)
            parts = tuple(decoded_segments(path.strip(b"/")))
            asked = parse_qsl(query.decode("ascii", "replace"), max_num_fields=MAX_FIELDS)
        except ValueError:
            raise Validation("the address cannot be read") from None
        if not all(text.isprintable() and len(text) <= TEXT_CHARS for text in (*parts, *(value for _, value in asked))):
            raise Validation(f"an address holds only printable characters, and up to {TEXT_CHARS} in each part")
        return cls(() if parts == ("",) else parts, tuple(asked))

    @override
    def __str__(self) -> str:
        """Return the address."""
        return address(*self.parts, **dict(self.query))

    def query_value(self, name: str) -> str:
        """Return a field of the query, empty if it is absent."""
        return dict(self.query).get(name, "")

    def number(self, name: str) -> int:
        """Return a whole number of the query, 0 if it is absent or not a number."""
        text = self.query_value(name)
        return int(text) if text.isdecimal() and text.isascii() and len(text) <= MAX_DIGITS else 0

    def word(self, name: str, allowed: tuple[str, ...]) -> str | None:
        """Return a field of the query that is one of *allowed*, None if it is anything else."""
        text = self.query_value(name)
        return text if text in allowed else None

    def but(self, **changes: str | int | None) -> str:
        """Return this address with some fields of the query changed; None takes one away."""
        query = {**dict(self.query), **{name: None if value is None else str(value) for name, value in changes.items()}}
        return address(*self.parts, **query)

    @override
    def path_text(self, parameter: str) -> str:
        return self.parts[PLACES[parameter]]


def address(*parts: str, **query: str | None) -> str:
    """Return the address of a page.

    >>> address("campaigns", "c", "units", "a/b", q="x y")
    '/campaigns/c/units/a%2Fb?q=x+y'
    >>> address("campaigns", "c", "units", "..")
    '/campaigns/c/units/-?key=..'
    """
    name = next((part for part in parts if part in DOT_NAMES), None)
    path = "/" + "/".join(PLACEHOLDER if part in DOT_NAMES else quote(part, safe="") for part in parts)
    fields = {field: value for field, value in ({**query, "key": name} if name else query).items() if value}
    return f"{path}?{urlencode(fields)}" if fields else path
