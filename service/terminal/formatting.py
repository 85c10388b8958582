"""Words for eyes: times in the viewer's zone, spans, shares, and texts that cannot harm a terminal."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from service.terminal_output import without_escapes

CLOCK = re.compile(r"~(\d\d):(\d\d)$")
UNSEEN = "\N{MIDDLE DOT}"
NOTHING = "-"
EIGHTHS = " ▏▎▍▌▋▊▉█"
MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86400
HALF_DAY = timedelta(hours=12)


def line(text: str | None) -> str:
    r"""Return *text* on one line, without anything that moves a cursor, changes a colour or turns the reading direction.

    >>> line("red\x1b[31m!\nnext\u202egnp.exe")
    'red! next·gnp.exe'
    """
    if text is None:
        return NOTHING
    bare = " ".join(without_escapes(text).split())
    return "".join(char if char.isprintable() else UNSEEN for char in bare)


def short(text: str, width: int) -> str:
    """Return *text* in *width* characters at most; its beginning and its end say most.

    >>> short("stdlib-20261120-113148", 15)
    'stdlib-…-113148'
    """
    if len(text) <= width:
        return text
    half = (width - 1) // 2
    return f"{text[: width - 1 - half]}…{text[-half:]}"


def lines(text: str) -> list[str]:
    r"""Return the lines of a screen, each as harmless as `line` makes it, with its blanks.

    >>> lines("a\x1b]0;title\x07\n\tb")
    ['a', '        b']
    """
    bare = without_escapes(text).expandtabs()
    return ["".join(char if char.isprintable() else UNSEEN for char in part) for part in bare.splitlines()]


def at(moment: datetime | None, now: datetime | None = None) -> str:
    """Return a time in the viewer's zone; the day is told when it is another one than today's."""
    if moment is None:
        return NOTHING
    local = moment.astimezone()
    today = (now or datetime.now(UTC)).astimezone().date()
    return f"{local:%H:%M:%S}" if local.date() == today else f"{local:%Y-%m-%d %H:%M}"


def span(seconds: float | None) -> str:
    """Return a span in its two largest units.

    >>> [span(seconds) for seconds in (0.2, 59.6, 61, 7260, 90000, None)]
    ['0s', '59s', '1m01s', '2h01m', '1d01h', '-']
    """
    if seconds is None:
        return NOTHING
    whole = int(max(seconds, 0))
    if whole < MINUTE_S:
        return f"{whole}s"
    if whole < HOUR_S:
        return f"{whole // MINUTE_S}m{whole % MINUTE_S:02}s"
    if whole < DAY_S:
        return f"{whole // HOUR_S}h{whole % HOUR_S // MINUTE_S:02}m"
    return f"{whole // DAY_S}d{whole % DAY_S // HOUR_S:02}h"


def since(moment: datetime | None, now: datetime | None = None) -> str:
    """Return how long ago something was."""
    return NOTHING if moment is None else span(((now or datetime.now(UTC)) - moment).total_seconds())


def some(number: int, word: str) -> str:
    """Return a number of things.

    >>> some(1, "worker"), some(1200, "worker")
    ('1 worker', '1,200 workers')
    """
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"


def percent(share: float | None) -> str:
    """Return a share as percent, never 100 before it is whole.

    >>> [percent(share) for share in (0, 0.999, 1, None)]
    ['0%', '99%', '100%', '-']
    """
    return NOTHING if share is None else f"{int(share * 100 + 1e-9)}%"


def bar(share: float, width: int) -> str:
    """Return a bar of *width* cells; a little is never nothing.

    >>> bar(0.5, 3), bar(0.001, 2)
    ('█▌ ', '▏ ')
    """
    eighths = max(round(max(0.0, min(share, 1.0)) * width * 8), int(share > 0))
    full, rest = divmod(eighths, 8)
    return ("█" * full + (EIGHTHS[rest] if rest else "")).ljust(width)


def segments(parts: Sequence[tuple[str, int]], total: int, width: int) -> str:
    """Return a bar of *width* cells in which every part has a mark of its own, and a cell at least when there is any of it.

    >>> segments([("█", 97), ("▒", 1), ("!", 2)], 100, 10)
    '████████▒!'
    """
    spans = [max(int(count * width / total), int(count > 0)) if total else 0 for _, count in parts]
    while sum(spans) > width:
        spans[spans.index(max(spans))] -= 1
    return "".join(mark * cells for (mark, _), cells in zip(parts, spans, strict=True)).ljust(width)


def local_line(text: str | None, now: datetime | None = None) -> str:
    """Return the API's words with their time of day, which is UTC, in the viewer's zone.

    >>> local_line("Auto paused · 3 fails")
    'Auto paused · 3 fails'
    """
    if text is None:
        return ""
    found = CLOCK.search(text)
    if found is None:
        return line(text)
    here = now or datetime.now(UTC)
    meant = here.astimezone(UTC).replace(hour=int(found[1]), minute=int(found[2]), second=0, microsecond=0)
    if abs(meant - here) > HALF_DAY:
        meant += timedelta(days=1 if meant < here else -1)
    return line(f"{text[: found.start()]}~{meant.astimezone():%H:%M}")


def labels_text(pairs: dict[str, str]) -> str:
    """Return labels as they are typed.

    >>> labels_text({"team": "core", "gpu": ""})
    'gpu= team=core'
    """
    return " ".join(line(f"{name}={value}") for name, value in sorted(pairs.items()))
