"""Formatting of text, numbers and times for pages; characters that could deceive a reader are made visible."""

import re
import unicodedata
from datetime import datetime

from markupsafe import Markup, escape

HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
MAX_COMBINING = 4
ELLIPSIS = "…"
NONE = Markup("—")
SPANS = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))
TENTHS_BELOW_S = 10


def visible(text: str) -> str:
    r"""Return *text* with characters that are invisible or reorder others written as code points.

    >>> visible("a\x1b[31m\u202eb")
    'a⟨1B⟩[31m⟨202E⟩b'
    """
    shown = HIDDEN.sub(code_point, text)
    return shown if shown.isascii() else limit_combining(shown)


def code_point(match: re.Match[str]) -> str:
    """Return an invisible character as its code point."""
    return f"⟨{ord(match[0]):02X}⟩"


def limit_combining(text: str) -> str:
    """Return *text* with at most a few combining marks per letter, so that none overlap the neighbouring lines."""
    chars, marks = [], 0
    for char in text:
        marks = marks + 1 if unicodedata.combining(char) else 0
        if marks <= MAX_COMBINING:
            chars.append(char)
    return "".join(chars)


def isolated(text: object, limit: int = 300) -> Markup:
    """Return foreign text as HTML: escaped, made visible, cut, and isolated from the direction of the text around it.

    >>> str(isolated("<b>"))
    '<bdi>&lt;b&gt;</bdi>'
    """
    if text is None:
        return NONE
    shown = visible(str(text)[: limit + 1])
    cut = shown if len(str(text)) <= limit else shown[:limit] + ELLIPSIS
    return Markup("<bdi>{}</bdi>").format(cut)


def plain(text: object, limit: int = 300) -> str:
    """Return foreign text for an attribute: made visible and cut."""
    shown = visible(str(text))
    return shown if len(shown) <= limit else shown[:limit] + ELLIPSIS


def count(number: float) -> str:
    """Return a whole number with thin spaces between thousands.

    >>> count(1234567)
    '1\u202f234\u202f567'
    """
    return f"{number:,.0f}".replace(",", "\u202f")


def percent(part: float) -> str:
    """Return a ratio as a percentage, rounded down so that 100 means all.

    >>> percent(0.9999), percent(1), percent(0.5), percent(0)
    ('99 %', '100 %', '50 %', '0 %')
    """
    return f"{int(part * 100)} %"


def span(seconds: float | None) -> str:
    """Return a length of time in its two largest units.

    >>> span(3725), span(0.25), span(59), span(90061), span(None)
    ('1 h 2 m', '0.2 s', '59 s', '1 d 1 h', Markup('—'))
    """
    if seconds is None:
        return NONE
    if seconds < TENTHS_BELOW_S:
        return f"{max(seconds, 0):.1f} s" if seconds % 1 else f"{max(seconds, 0):.0f} s"
    left = int(seconds)
    parts: list[str] = []
    for size, unit in SPANS:
        if left >= size or (parts and len(parts) < 2):  # noqa: PLR2004 - two units say enough
            number, left = divmod(left, size)
            parts.append(f"{number} {unit}")
    largest = parts[:2]
    return " ".join(largest[:1] if len(largest) > 1 and largest[1].startswith("0 ") else largest)


def clock(at: datetime | None, form: str = "%H:%M") -> Markup:
    """Return an instant in UTC, marked so that a script can show it in the viewer's zone.

    >>> str(clock(datetime(2026, 1, 1, 14, 30)))
    '<time datetime="2026-01-01T14:30:00Z" data-clock="%H:%M">14:30</time>'
    """
    if at is None:
        return NONE
    return Markup('<time datetime="{:%Y-%m-%dT%H:%M:%SZ}" data-clock="{}">{}</time>').format(at, form, at.strftime(form))


def day(at: datetime | None) -> Markup:
    """Return an instant with its day."""
    return clock(at, "%d %b %H:%M:%S")


def since(at: datetime | None, now: datetime) -> Markup:
    """Return how long ago something was; a script keeps it current."""
    if at is None:
        return NONE
    return aged((now - at).total_seconds())


def aged(seconds: float | None) -> Markup:
    """Return an age that a script keeps current."""
    if seconds is None:
        return NONE
    return Markup('<span data-age="{:.0f}">{}</span>').format(max(seconds, 0), span(int(max(seconds, 0))))


def left(at: datetime | None, now: datetime) -> Markup:
    """Return how long it is until an instant; a script keeps it current."""
    if at is None:
        return NONE
    seconds = (at - now).total_seconds()
    return Markup('<span data-left="{:.0f}">{}</span>').format(seconds, span(int(max(seconds, 0))))


def quota_line(line: str, resume_at: datetime | None) -> Markup:
    """Return the line of a closed gate, with its time marked so that a script can show it in the viewer's zone."""
    words, sign, _ = line.rpartition("~")
    if not sign or resume_at is None:
        return escape(line)
    return Markup("{}~{}").format(words, clock(resume_at))


def element_id(text: str) -> str:
    """Return *text* as part of an element's id.

    >>> element_id("a b/ü")
    'a-20b-2fü'
    """
    return "".join(char if char.isalnum() or char in "._" else f"-{ord(char):x}" for char in text)
