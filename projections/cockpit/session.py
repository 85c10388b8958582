"""Who may press a button: a secret of the browser's session, which every form repeats; and what happened last, shown once."""

import base64
import binascii
import re
import secrets
from typing import Literal

import msgspec
from msgspec import Struct

from service.domain.rejections import Rejection

SESSION, FLASH = "muster-session", "muster-flash"
TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
FLASH_S = 60
LONGEST = 3000


class Forged(Rejection):
    """The order does not come from a page of this session."""

    status, slug, title = 403, "forbidden", "Not allowed"


class Flash(Struct, frozen=True):
    """What happened, said once; *position* is what the next page must have seen."""

    text: str
    kind: Literal["done", "refused"] = "done"
    position: int = 0


def new_token() -> str:
    """Return a secret that nobody can guess."""
    return secrets.token_urlsafe(32)


def cookies_of(header: str) -> dict[str, str]:
    """Return the cookies of a request, values as they were sent.

    Our own values need no unquoting. A cookie of another service on the same host may have any form, and hides none of ours.

    >>> cookies_of('seen={"tour":true}; muster-session=x; =; a')["muster-session"]
    'x'
    """
    pairs = (part.strip().partition("=") for part in header.split(";"))
    return {name: value for name, _, value in pairs}


def token_of(cookies: dict[str, str]) -> str | None:
    """Return the session's secret, None when there is none worth the name."""
    token = cookies.get(SESSION, "")
    return token if TOKEN.fullmatch(token) else None


def require_own(token: str | None, given: str, fetch_site: str | None) -> None:
    """Refuse an order whose form does not repeat the session's secret, or that another site sends."""
    if fetch_site not in (None, "same-origin", "none"):
        raise Forged("the order comes from another site")
    if token is None or not secrets.compare_digest(token.encode(), given.encode("utf-8", "replace")):
        raise Forged("this page is from another session; load it again and press once more")


def flash_cookie(flash: Flash) -> str:
    """Return *flash* as the value of a cookie."""
    return base64.urlsafe_b64encode(msgspec.json.encode(flash)).decode().rstrip("=")


def flash_of(cookies: dict[str, str]) -> Flash | None:
    """Return what the last order left to say."""
    value = cookies.get(FLASH, "")
    if not value or len(value) > LONGEST:
        return None
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)), type=Flash)
    except (binascii.Error, msgspec.MsgspecError, UnicodeError):
        return None
