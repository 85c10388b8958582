"""Names in paths: what a name may be, how a name that a path cannot hold is sent, and the names of a request by their kind.

A `/` in a name is sent as `%2F`. Browsers and many clients remove a path segment `.` or `..`; such a key is sent as the segment
`-` with `?key=.` or `?key=..`.
"""

import re
from abc import abstractmethod
from urllib.parse import unquote_to_bytes

from service.domain import ids
from service.domain.rejections import Validation

SLUG = r"[a-z0-9][a-z0-9._-]{0,62}"
KEY_CHARS, NAME_CHARS = 200, 128
MAX_CHARS = {"name": KEY_CHARS, "key": KEY_CHARS}
"""The longest text of a path parameter that is accepted; `NAME_CHARS` for those not listed."""

PLACEHOLDER, DOT_NAMES = "-", (".", "..")
"""The segment that stands in a path for a name that it cannot hold, and those names."""
SLASH = "\0"
"""Stands in a routed path for a `/` within a name, so that routing does not split it; a NUL that a client sends is refused."""


class PathNames:
    """The names in the path of a request, each checked when it is read."""

    __slots__ = ()

    @abstractmethod
    def path_text(self, parameter: str) -> str:
        """Return the decoded text of a path parameter, not checked."""

    def path_name(self, parameter: str) -> str:
        """Return the text of a path parameter.

        Raises:
            Validation: it is empty, too long, or holds a character that cannot be printed.

        """
        text, most = self.path_text(parameter), MAX_CHARS.get(parameter, NAME_CHARS)
        if not 1 <= len(text) <= most or not text.isprintable():
            raise Validation(f"{parameter} must be 1 to {most} printable characters", field=parameter, current=text[:most])
        return text

    @property
    def campaign(self) -> ids.CampaignName:
        """The campaign of the path.

        Raises:
            Validation: it is not a slug.

        """
        name = self.path_name("name")
        if not re.fullmatch(SLUG, name):
            raise Validation("a campaign is named by a slug", field="name", allowed=SLUG, current=name)
        return ids.CampaignName(name)

    @property
    def unit(self) -> ids.UnitKey:
        """The unit of the path."""
        return ids.UnitKey(self.path_name("key"))

    @property
    def worker(self) -> ids.WorkerId:
        """The worker of the path."""
        return ids.WorkerId(self.path_name("worker"))

    @property
    def quota(self) -> ids.QuotaKey:
        """The quota of the path."""
        return ids.QuotaKey(self.path_name("quota"))

    @property
    def token(self) -> ids.Token:
        """The claim of the path."""
        return ids.Token(self.path_name("token"))

    @property
    def investigation(self) -> ids.InvestigationId:
        """The investigation of the path."""
        return ids.InvestigationId(self.path_name("investigation"))

    @property
    def recovery(self) -> ids.RecoveryId:
        """The recovery plan of the path."""
        return ids.RecoveryId(self.path_name("recovery"))


def restored_path(path: bytes, query: bytes) -> tuple[bytes, bytes]:
    """Return a raw path and a raw query, a name that the query sends put in its place in the path.

    The name is written as `%2E`, which no later step takes for a relative segment.

    >>> restored_path(b"/v1/campaigns/c/units/-/retry", b"key=..&dry_run=1")
    (b'/v1/campaigns/c/units/%2E%2E/retry', b'dry_run=1')
    >>> restored_path(b"/v1/campaigns/c/units/a", b"key=..")
    (b'/v1/campaigns/c/units/a', b'key=..')
    """
    segments, fields = path.split(b"/"), query.split(b"&")
    name = next(filter(None, map(sent_dot_name, fields)), None)
    if name is None or PLACEHOLDER.encode() not in segments:
        return path, query
    segments[segments.index(PLACEHOLDER.encode())] = name.replace(b".", b"%2E")
    return b"/".join(segments), b"&".join(field for field in fields if sent_dot_name(field) is None)


def sent_dot_name(field: bytes) -> bytes | None:
    """Return the name that a raw field of a query sends in place of a segment, None when it sends none.

    >>> sent_dot_name(b"key=.."), sent_dot_name(b"key=%2e"), sent_dot_name(b"key=a")
    (b'..', b'.', None)
    """
    parameter, _, value = field.partition(b"=")
    name = value.replace(b"%2E", b".").replace(b"%2e", b".")
    return name if parameter == b"key" and name.decode("latin-1") in DOT_NAMES else None


def decoded_segments(path: bytes) -> list[str]:
    """Return the decoded segments of a raw path.

    Raises:
        ValueError: it is not UTF-8.

    >>> decoded_segments(b"/units/a%2Fb%20c")
    ['', 'units', 'a/b c']
    """
    return [unquote_to_bytes(segment).decode() for segment in path.split(b"/")]
