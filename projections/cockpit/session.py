"""The session of a browser: a secret against forged requests, which every form repeats, and the flash, a message shown once."""

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
MAX_FLASH_CHARS = 3000


class Forged(Rejection):
    """The action does not come from a page of this session."""

    status, slug, title = 403, "forbidden", "Not allowed"


class Flash(Struct, frozen=True):
    """What happened, shown once; *position* is what the next page must show."""

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
    """Return the session's secret, None if there is none or it is malformed."""
    token = cookies.get(SESSION, "")
    return token if TOKEN.fullmatch(token) else None


def require_own(token: str | None, submitted: str, fetch_site: str | None) -> None:
    """Refuse an action that another site sends, or whose form does not repeat the session's secret.

    Raises:
        Forged: the action is one of these.

    """
    if fetch_site not in (None, "same-origin", "none"):
        raise Forged("the action comes from another site")
    if token is None or not secrets.compare_digest(token.encode(), submitted.encode("utf-8", "replace")):
        raise Forged("this page is from another session; load it again and press once more")


def flash_cookie(flash: Flash) -> str:
    """Return *flash* as the value of a cookie."""
    return base64.urlsafe_b64encode(msgspec.json.encode(flash)).decode().rstrip("=")


def flash_of(cookies: dict[str, str]) -> Flash | None:
    """Return the message of the last action, if there is one."""
    value = cookies.get(FLASH, "")
    if not value or len(value) > MAX_FLASH_CHARS:
        return None
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)), type=Flash)
    except (binascii.Error, msgspec.MsgspecError, UnicodeError):
        return None
