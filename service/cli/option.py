"""Options that several commands share: addresses, labels, policies, times."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import click
import httpx
import msgspec

SPAN = re.compile(r"(\d+(?:\.\d+)?)([smhd])")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def url_of(_: click.Context, __: click.Parameter, url: str) -> str:
    """Read an address that can be asked."""
    try:
        if re.fullmatch(r"https?://[^/\s]+(/\S*)?", url):
            return str(httpx.URL(url)).rstrip("/")
    except httpx.InvalidURL:
        pass
    raise click.BadParameter(f"{url!r} is not http://HOST:PORT or https://…")


def labels_of(_: click.Context, __: click.Parameter, pairs: tuple[str, ...]) -> dict[str, str]:
    """Read `name=value`, repeated or separated by commas."""
    words = [word for pair in pairs for word in pair.split(",") if word]
    if wrong := [word for word in words if not re.fullmatch(r"[^=]+=.*", word)]:
        raise click.BadParameter(f"{wrong[0]!r} is not name=value")
    return dict(word.split("=", 1) for word in words)


def policy_of(_: click.Context, __: click.Parameter, pairs: tuple[str, ...]) -> dict[str, Any]:
    """Read `max_attempts=2` or `retry.backoff_ms=200`, repeated, into the document that they mean."""
    policy: dict[str, Any] = {}
    for pair in pairs:
        path, sign, text = pair.partition("=")
        *outer, name = path.split(".")
        if not sign or not all([*outer, name]):
            raise click.BadParameter(f"{pair!r} is not FIELD=VALUE or FIELD.FIELD=VALUE")
        place = policy
        for part in outer:
            place = place.setdefault(part, {})
            if not isinstance(place, dict):
                raise click.BadParameter(f"{pair!r}: {part} has a value already")
        place[name] = value_of(text)
    return policy


def value_of(text: str) -> Any:  # noqa: ANN401 - any JSON
    """Return JSON as what it is, everything else as the text it is.

    >>> [value_of(text) for text in ("2", "true", "[1]", "quarantine")]
    [2, True, [1], 'quarantine']
    """
    try:
        return msgspec.json.decode(text)
    except msgspec.MsgspecError:
        return text


def instant_of(_: click.Context, __: click.Parameter, text: str | None) -> str | None:
    """Read a time: a span from now (`90s`, `30m`, `2h`, `1d`), or RFC 3339, in the viewer's zone unless it names one."""
    if text is None:
        return None
    if match := SPAN.fullmatch(text):
        moment = datetime.now(UTC) + timedelta(**{UNITS[match[2]]: float(match[1])})
    else:
        try:
            moment = datetime.fromisoformat(text).astimezone(UTC)
        except (ValueError, OverflowError):
            raise click.BadParameter(f"{text!r} is no span such as 30m and no time such as 2026-01-31T14:30") from None
    return moment.isoformat().replace("+00:00", "Z")
