"""Options that several commands share: addresses, labels, policies, times."""

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import click
import httpx
import msgspec

DEFAULT_URL = "http://127.0.0.1:8110"
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


def addressed(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give *command* the options that say which service it asks: `url` and `bearer`."""
    url = click.option(
        "--url",
        default=DEFAULT_URL,
        envvar="MUSTER_URL",
        show_default=True,
        callback=url_of,
        help="Where the service is; MUSTER_URL.",
    )
    return url(
        click.option("--bearer", envvar="MUSTER_BEARER", help="Token, where the service wants one; MUSTER_BEARER.")(command)
    )


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
    """Read a time that is to come, as the API takes it: a span from now, or what `moment` reads."""
    if text is None:
        return None
    ahead, found = span(text), None
    with suppress(OverflowError):
        found = moment(text) if ahead is None else datetime.now(UTC) + ahead
    if found is None:
        raise click.BadParameter(f"{text!r} is no span such as 30m and no time such as 2026-01-31T14:30")
    return found.isoformat().replace("+00:00", "Z")


def past_of(_: click.Context, __: click.Parameter, text: str | None) -> datetime | None:
    """Read a time of the past."""
    found = None if text is None else moment(text)
    if text is not None and found is None:
        raise click.BadParameter(f"{text!r} is no time such as 2026-01-31T14:30")
    return found


def step_of(_: click.Context, __: click.Parameter, text: str) -> timedelta:
    """Read a span that is longer than nothing."""
    if step := span(text):
        return step
    raise click.BadParameter(f"{text!r} is no span such as 15s, 1m or 1h")


def span(text: str) -> timedelta | None:
    """Return a number of seconds, minutes, hours or days, None when it is none.

    >>> span("1.5h"), span("soon")
    (datetime.timedelta(seconds=5400), None)
    """
    match = SPAN.fullmatch(text)
    try:
        return timedelta(**{UNITS[match[2]]: float(match[1])}) if match else None
    except OverflowError:
        return None


def moment(text: str) -> datetime | None:
    """Return a time of RFC 3339 in UTC, None when it is none; it is in the viewer's zone unless it names one.

    >>> moment("2026-01-31T14:30+02:00")
    datetime.datetime(2026, 1, 31, 12, 30, tzinfo=datetime.timezone.utc)
    """
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
