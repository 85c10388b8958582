"""Options that several commands share: the service's address, labels, policies, times."""

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import click
import httpx
import msgspec

DEFAULT_URL = "http://127.0.0.1:8110"
DURATION = re.compile(r"(\d+(?:\.\d+)?)([smhd])")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def url_of(_: click.Context, __: click.Parameter, url: str) -> str:
    """Read the address of a service.

    Raises:
        BadParameter: it is not an HTTP address.

    """
    try:
        if re.fullmatch(r"https?://[^/\s]+(/\S*)?", url):
            return str(httpx.URL(url)).rstrip("/")
    except httpx.InvalidURL:
        pass
    raise click.BadParameter(f"{url!r} is not http://HOST:PORT or https://…")


def with_service_address(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give *command* the options `--url` and `--bearer`, which say which service it calls."""
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
    """Read `name=value`, repeated or separated by commas.

    Raises:
        BadParameter: a label without a name or `=`.

    """
    labels = [label for pair in pairs for label in pair.split(",") if label]
    if wrong := [label for label in labels if not re.fullmatch(r"[^=]+=.*", label)]:
        raise click.BadParameter(f"{wrong[0]!r} is not name=value")
    return dict(label.split("=", 1) for label in labels)


def policy_of(_: click.Context, __: click.Parameter, pairs: tuple[str, ...]) -> dict[str, Any]:
    """Read `max_attempts=2` or `retry.backoff_ms=200`, repeated, into one policy document.

    Raises:
        BadParameter: no field or no `=`, or a field of a field that has a value.

    """
    policy: dict[str, Any] = {}
    for pair in pairs:
        path, sign, text = pair.partition("=")
        *outer, name = path.split(".")
        if not sign or not all([*outer, name]):
            raise click.BadParameter(f"{pair!r} is not FIELD=VALUE or FIELD.FIELD=VALUE")
        parent = policy
        for part in outer:
            parent = parent.setdefault(part, {})
            if not isinstance(parent, dict):
                raise click.BadParameter(f"{pair!r}: {part} has a value already")
        parent[name] = value_of(text)
    return policy


def value_of(text: str) -> Any:  # noqa: ANN401 - any JSON
    """Return the value of a JSON text, and any other text unchanged.

    >>> [value_of(text) for text in ("2", "true", "[1]", "quarantine")]
    [2, True, [1], 'quarantine']
    """
    try:
        return msgspec.json.decode(text)
    except msgspec.MsgspecError:
        return text


def instant_of(_: click.Context, __: click.Parameter, text: str | None) -> str | None:
    """Read a future time for the API: a duration from now, or what `parse_time` reads.

    Raises:
        BadParameter: it is neither.

    """
    if text is None:
        return None
    ahead, moment = parse_duration(text), None
    with suppress(OverflowError):
        moment = parse_time(text) if ahead is None else datetime.now(UTC) + ahead
    if moment is None:
        raise click.BadParameter(f"{text!r} is no span such as 30m and no time such as 2026-01-31T14:30")
    return moment.isoformat().replace("+00:00", "Z")


def past_of(_: click.Context, __: click.Parameter, text: str | None) -> datetime | None:
    """Read a time of the past.

    Raises:
        BadParameter: it is no time.

    """
    moment = None if text is None else parse_time(text)
    if text is not None and moment is None:
        raise click.BadParameter(f"{text!r} is no time such as 2026-01-31T14:30")
    return moment


def step_of(_: click.Context, __: click.Parameter, text: str) -> timedelta:
    """Read a duration above zero.

    Raises:
        BadParameter: it is no duration, or zero.

    """
    if step := parse_duration(text):
        return step
    raise click.BadParameter(f"{text!r} is no span such as 15s, 1m or 1h")


def parse_duration(text: str) -> timedelta | None:
    """Read a number of seconds, minutes, hours or days; None for any other text.

    >>> parse_duration("1.5h"), parse_duration("soon")
    (datetime.timedelta(seconds=5400), None)
    """
    match = DURATION.fullmatch(text)
    try:
        return timedelta(**{UNITS[match[2]]: float(match[1])}) if match else None
    except OverflowError:
        return None


def parse_time(text: str) -> datetime | None:
    """Read a time of RFC 3339 as UTC, None for any other text. Without an offset it is in the viewer's zone.

    >>> parse_time("2026-01-31T14:30+02:00")
    datetime.datetime(2026, 1, 31, 12, 30, tzinfo=datetime.timezone.utc)
    """
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
