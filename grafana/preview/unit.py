"""Values as Grafana writes them, by unit."""

import math
from collections.abc import Callable
from datetime import UTC, datetime

SPANS = (
    (1e-3, 1e6, "µs"),
    (1, 1e3, "ms"),
    (60, 1, "s"),
    (3600, 1 / 60, "min"),
    (86_400, 1 / 3600, "h"),
    (math.inf, 1 / 86_400, "d"),
)
THOUSANDS = ((1e3, 1, ""), (1e6, 1e-3, " K"), (1e9, 1e-6, " Mil"), (math.inf, 1e-9, " Bil"))
BYTES = ((2**10, 1, " B"), (2**20, 2**-10, " KiB"), (2**30, 2**-20, " MiB"), (math.inf, 2**-30, " GiB"))
Scale = tuple[tuple[float, float, str], ...]


def scaled(value: float, scale: Scale) -> str:
    """Return *value* in the first unit of *scale* that is large enough."""
    for below, factor, name in scale:
        if abs(value) < below:
            return f"{digits(value * factor)}{name}"
    return digits(value)


def digits(value: float) -> str:
    """Return three significant digits, without a trail of zeros.

    >>> digits(1234.5), digits(0.5), digits(12.0)
    ('1234', '0.5', '12')
    """
    if value == 0 or abs(value) >= 1000:
        return f"{value:.0f}"
    return f"{value:.3g}"


def span(seconds: float) -> str:
    """Return a length of time.

    >>> span(0.0042), span(90), span(0), span(7200)
    ('4.2 ms', '1.5 min', '0 s', '2 h')
    """
    if seconds == 0:
        return "0 s"
    text = scaled(seconds, SPANS)
    at = next(index for index, letter in enumerate(text) if letter.isalpha())
    return f"{text[:at]} {text[at:]}"


def formatted(value: float, unit: str, now: float = 0.0) -> str:
    """Return *value* in *unit*; *now*, in seconds since 1970, is what times are compared with.

    >>> formatted(0.256, "percentunit"), formatted(15300, "short"), formatted(3600_000, "dateTimeFromNow", now=0)
    ('25.6%', '15.3 K', 'in 1 h')
    """
    if math.isnan(value):
        return "-"
    if unit in ("dateTimeFromNow", "dateTimeAsIso"):
        return (
            when(value / 1000, now) if unit == "dateTimeFromNow" else f"{datetime.fromtimestamp(value / 1000, UTC):%d %b %H:%M}"
        )
    return WRITTEN[unit](value) if unit in WRITTEN else scaled(value, THOUSANDS)


def when(at: float, now: float) -> str:
    """Return *at* as seen from *now*."""
    return f"in {span(at - now)}" if at >= now else f"{span(now - at)} ago"


WRITTEN: dict[str, Callable[[float], str]] = {
    "percentunit": lambda value: f"{digits(value * 100)}%",
    "s": span,
    "h": lambda value: span(value * 3600),
    "bytes": lambda value: scaled(value, BYTES),
    "ops": lambda value: f"{digits(value)} ops/s",
    "reqps": lambda value: f"{digits(value)} req/s",
    "bool_on_off": lambda value: "On" if value else "Off",
}
