"""Paths: the names in them are decoded, and may be anything printable.

A `/` in one is sent as `%2F`; one that is `.` or `..`, which browsers and many clients take out of a path, as `-` with `?key=.`
or `?key=..`.
"""

from urllib.parse import unquote_to_bytes

from litestar.types import HTTPScope

SLASH = "\0"
"""Stands in the routed path for a `/` within a name; a NUL of the client's own is refused before."""

KEPT, DOT = b"-", b"%2E"
DOTS = {b"KEY=" + dot * times: DOT * times for dot in (b".", DOT) for times in (1, 2)}
"""The fields of a query that name what cannot stand in a path, and how it is written in ours."""


def restore_query_name(scope: HTTPScope) -> None:
    """Put a name that cannot stand in a path in the place that was kept for it, out of the query."""
    fields = scope["query_string"].split(b"&")
    name = next((dots for field in fields if (dots := DOTS.get(field.upper()))), None)
    parts = (scope.get("raw_path") or b"").partition(b"?")[0].split(b"/")
    if name is None or KEPT not in parts:
        return
    parts[parts.index(KEPT)] = name
    scope["raw_path"] = b"/".join(parts)
    scope["query_string"] = b"&".join(field for field in fields if field.upper() not in DOTS)


def routed(raw: bytes) -> str:
    """Return the path with its parts decoded, a `/` within one marked.

    >>> routed(b"/v1/campaigns/c/units/a%2Fb%20c").replace(SLASH, "|")
    '/v1/campaigns/c/units/a|b c'
    """
    parts = [unquote_to_bytes(part).decode() for part in raw.split(b"/")]
    if any(SLASH in part for part in parts):
        raise ValueError("a NUL in a path")
    return "/".join(part.replace("/", SLASH) for part in parts)
