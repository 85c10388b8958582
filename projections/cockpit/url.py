"""Where somebody is in the cockpit: the parts of the path and the query, as they were sent."""

import re
from typing import Self
from urllib.parse import parse_qsl, quote, unquote_to_bytes, urlencode

from msgspec import Struct
from typing_extensions import override

from service.domain import ids
from service.domain.rejections import Validation

SLUG = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
KEY_CHARS, NAME_CHARS, TEXT_CHARS = 200, 128, 1000
MOST_FIELDS, DIGITS = 40, 18
KEPT, DOTS = "-", (".", "..")
"""What stands in an address for a name that browsers take out of it, see `service.http.path`."""


class PageUrl(Struct, frozen=True):
    """A page: the decoded parts of its path, and its query."""

    parts: tuple[str, ...] = ()
    query: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, target: bytes) -> Self:
        """Read a path with its query, as it stands in a request.

        >>> PageUrl.of(b"/campaigns/c/units/a%2Fb?q=x")
        PageUrl(parts=('campaigns', 'c', 'units', 'a/b'), query=(('q', 'x'),))
        """
        path, _, query = target.partition(b"?")
        try:
            parts = tuple(unquote_to_bytes(part).decode() for part in path.strip(b"/").split(b"/"))
            asked = parse_qsl(query.decode("ascii", "replace"), max_num_fields=MOST_FIELDS)
        except ValueError:
            raise Validation("the address cannot be read") from None
        if not all(text.isprintable() and len(text) <= TEXT_CHARS for text in (*parts, *(value for _, value in asked))):
            raise Validation(f"an address holds printable characters alone, and up to {TEXT_CHARS} in one place")
        return cls(*restore_query_name(() if parts == ("",) else parts, tuple(asked)))

    @override
    def __str__(self) -> str:
        """Return the address."""
        return address(*self.parts, **dict(self.query))

    def query_value(self, name: str) -> str:
        """Return a field of the query, empty when it is not there."""
        return dict(self.query).get(name, "")

    def number(self, name: str) -> int:
        """Return a whole number of the query, 0 when there is none."""
        text = self.query_value(name)
        return int(text) if text.isdecimal() and text.isascii() and len(text) <= DIGITS else 0

    def word(self, name: str, allowed: tuple[str, ...]) -> str | None:
        """Return a word of a closed set, None when it is another or none."""
        text = self.query_value(name)
        return text if text in allowed else None

    def but(self, **changes: str | int | None) -> str:
        """Return this address with some fields of the query changed; None takes one away."""
        query = {**dict(self.query), **{name: None if value is None else str(value) for name, value in changes.items()}}
        return address(*self.parts, **query)

    @property
    def campaign(self) -> ids.CampaignName:
        """The campaign of the path."""
        if not SLUG.fullmatch(self.parts[1]):
            raise Validation("a campaign is named by a slug", field="name", current=self.parts[1][:KEY_CHARS])
        return ids.CampaignName(self.parts[1])

    @property
    def unit(self) -> ids.UnitKey:
        """The unit of the path."""
        return ids.UnitKey(self._named(3, KEY_CHARS))

    @property
    def worker(self) -> ids.WorkerId:
        """The worker of the path."""
        return ids.WorkerId(self._named(1, NAME_CHARS))

    @property
    def quota(self) -> ids.QuotaKey:
        """The quota of the path."""
        return ids.QuotaKey(self._named(1, NAME_CHARS))

    def _named(self, url: int, limit: int) -> str:
        text = self.parts[url]
        if not 1 <= len(text) <= limit:
            raise Validation(f"a name has 1 to {limit} characters")
        return text


def restore_query_name(
    parts: tuple[str, ...], asked: tuple[tuple[str, str], ...]
) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """Put a name that cannot stand in a path in the place that was kept for it, out of the query."""
    name = dict(asked).get("key", "")
    if name not in DOTS or KEPT not in parts:
        return parts, asked
    url = parts.index(KEPT)
    return (*parts[:url], name, *parts[url + 1 :]), tuple(field for field in asked if field[0] != "key")


def address(*parts: str, **query: str | None) -> str:
    """Return the address of a page.

    >>> address("campaigns", "c", "units", "a/b", q="x y")
    '/campaigns/c/units/a%2Fb?q=x+y'
    >>> address("campaigns", "c", "units", "..")
    '/campaigns/c/units/-?key=..'
    """
    kept = next((part for part in parts if part in DOTS), None)
    path = "/" + "/".join(KEPT if part in DOTS else quote(part, safe="") for part in parts)
    given = {name: value for name, value in ({**query, "key": kept} if kept else query).items() if value}
    return f"{path}?{urlencode(given)}" if given else path
