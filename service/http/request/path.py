"""The path of a request, made ready for routing: the names in it decoded, see `service.domain.content.path_names`."""

from litestar.types import HTTPScope

from service.domain.content.path_names import SLASH, decoded_segments, restored_path


def restore_query_name(scope: HTTPScope) -> None:
    """Put a name that the query sends, because a path cannot hold it, in its place in the path."""
    path = (scope.get("raw_path") or b"").partition(b"?")[0]
    scope["raw_path"], scope["query_string"] = restored_path(path, scope["query_string"])


def routed(raw: bytes) -> str:
    """Return the path with its segments decoded, a `/` within one marked.

    Raises:
        ValueError: it is not UTF-8, or holds a NUL.

    >>> routed(b"/v1/campaigns/c/units/a%2Fb%20c").replace(SLASH, "|")
    '/v1/campaigns/c/units/a|b c'
    """
    segments = decoded_segments(raw)
    if any(SLASH in segment for segment in segments):
        raise ValueError("a NUL in a path")
    return "/".join(segment.replace("/", SLASH) for segment in segments)
