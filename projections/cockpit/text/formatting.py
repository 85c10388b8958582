"""Words and numbers as people read them, and hostile text made visible."""

import re
import unicodedata
from datetime import datetime

from markupsafe import Markup, escape

HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
MARKS = 4
CUT = "…"
NONE = Markup("—")
SPANS = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))
TENTH_S = 10


def visible(text: str) -> str:
    r"""Return *text* with everything that hides or reorders other characters written out.

    >>> visible("a\x1b[31m\u202eb")
    'a⟨1B⟩[31m⟨202E⟩b'
    """
    shown = HIDDEN.sub(picture, text)
    return shown if shown.isascii() else calmed(shown)


def picture(found: re.Match[str]) -> str:
    """Return a character that cannot be seen as one that can."""
    return f"⟨{ord(found[0]):02X}⟩"


def calmed(text: str) -> str:
    """Return *text* with no more than a few marks on one letter, so that none climbs over its neighbours."""
    kept, marks = [], 0
    for char in text:
        marks = marks + 1 if unicodedata.combining(char) else 0
        if marks <= MARKS:
            kept.append(char)
    return "".join(kept)


def isolated(text: object, limit: int = 300) -> Markup:
    """Return text of others as HTML: escaped, visible, cut, and with a direction of its own.

    >>> str(isolated("<b>"))
    '<bdi>&lt;b&gt;</bdi>'
    """
    if text is None:
        return NONE
    shown = visible(str(text)[: limit + 1])
    cut = shown if len(str(text)) <= limit else shown[:limit] + CUT
    return Markup("<bdi>{}</bdi>").format(cut)


def plain(text: object, limit: int = 300) -> str:
    """Return text of others for an attribute: visible and cut."""
    shown = visible(str(text))
    return shown if len(shown) <= limit else shown[:limit] + CUT


def count(number: float) -> str:
    """Return a whole number with thin spaces between thousands.

    >>> count(1234567)
    '1\u202f234\u202f567'
    """
    return f"{number:,.0f}".replace(",", "\u202f")


def percent(part: float) -> str:
    """Return a ratio as a percentage that says 100 only of the whole.

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
    if seconds < TENTH_S:
        return f"{max(seconds, 0):.1f} s" if seconds % 1 else f"{max(seconds, 0):.0f} s"
    left = int(seconds)
    parts: list[str] = []
    for size, unit in SPANS:
        if left >= size or (parts and len(parts) < 2):  # noqa: PLR2004 - two units say enough
            number, left = divmod(left, size)
            parts.append(f"{number} {unit}")
    kept = parts[:2]
    return " ".join(kept[:1] if len(kept) > 1 and kept[1].startswith("0 ") else kept)


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
    """Return how long ago something was; a script lets it grow."""
    if at is None:
        return NONE
    return aged((now - at).total_seconds())


def aged(seconds: float | None) -> Markup:
    """Return an age that a script lets grow."""
    if seconds is None:
        return NONE
    return Markup('<span data-age="{:.0f}">{}</span>').format(max(seconds, 0), span(int(max(seconds, 0))))


def left(at: datetime | None, now: datetime) -> Markup:
    """Return how long it is until an instant; a script lets it shrink."""
    if at is None:
        return NONE
    seconds = (at - now).total_seconds()
    return Markup('<span data-left="{:.0f}">{}</span>').format(seconds, span(int(max(seconds, 0))))


def quota_line(line: str, resume_at: datetime | None) -> Markup:
    """Return the line of a closed gate with its time marked for the viewer's zone; the words stay."""
    words, sign, _ = line.rpartition("~")
    if not sign or resume_at is None:
        return escape(line)
    return Markup("{}~{}").format(words, clock(resume_at))


def mark(text: str) -> str:
    """Return *text* as the last part of an element's id.

    >>> mark("a b/ü")
    'a-20b-2fü'
    """
    return "".join(char if char.isalnum() or char in "._" else f"-{ord(char):x}" for char in text)
