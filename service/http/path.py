"""Paths: the names in them are decoded, and one may hold a `/`."""

from urllib.parse import unquote_to_bytes

SLASH = "\0"
"""Stands in the routed path for a `/` within a name; a NUL of the client's own is refused before."""


def routed(raw: bytes) -> str:
    """Return the path with its parts decoded, a `/` within one marked.

    >>> routed(b"/v1/campaigns/c/units/a%2Fb%20c").replace(SLASH, "|")
    '/v1/campaigns/c/units/a|b c'
    """
    parts = [unquote_to_bytes(part).decode() for part in raw.split(b"/")]
    if any(SLASH in part for part in parts):
        raise ValueError("a NUL in a path")
    return "/".join(part.replace("/", SLASH) for part in parts)
