"""Text for a terminal: times in the viewer's zone, durations, shares, and foreign text without anything that a terminal obeys."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from service.terminal_output import without_escapes

CLOCK = re.compile(r"~(\d\d):(\d\d)$")
UNPRINTABLE = "\N{MIDDLE DOT}"
NOTHING = "-"
EIGHTHS = " ▏▎▍▌▋▊▉█"
MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86400
HALF_DAY = timedelta(hours=12)


def one_line(text: str | None) -> str:
    r"""Return *text* on one line, without anything that moves a cursor, changes a colour or reverses the reading direction.

    >>> one_line("red\x1b[31m!\nnext\u202egnp.exe")
    'red! next·gnp.exe'
    """
    if text is None:
        return NOTHING
    bare = " ".join(without_escapes(text).split())
    return "".join(char if char.isprintable() else UNPRINTABLE for char in bare)


def shortened(text: str, width: int) -> str:
    """Return *text* in *width* characters at most, cut in the middle: names differ at their ends.

    >>> shortened("stdlib-20261120-113148", 15)
    'stdlib-…-113148'
    """
    if len(text) <= width:
        return text
    half = (width - 1) // 2
    return f"{text[: width - 1 - half]}…{text[-half:]}"


def safe_lines(text: str) -> list[str]:
    r"""Return the lines of a screen, each as safe as `one_line` makes it, with its blanks.

    >>> safe_lines("a\x1b]0;title\x07\n\tb")
    ['a', '        b']
    """
    bare = without_escapes(text).expandtabs()
    return ["".join(char if char.isprintable() else UNPRINTABLE for char in part) for part in bare.splitlines()]


def time_text(moment: datetime | None, now: datetime | None = None) -> str:
    """Return a time in the viewer's zone, with its date unless that is today."""
    if moment is None:
        return NOTHING
    local = moment.astimezone()
    today = (now or datetime.now(UTC)).astimezone().date()
    return f"{local:%H:%M:%S}" if local.date() == today else f"{local:%Y-%m-%d %H:%M}"


def duration(seconds: float | None) -> str:
    """Return a duration in its two largest units.

    >>> [duration(seconds) for seconds in (0.2, 59.6, 61, 7260, 90000, None)]
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


def age(moment: datetime | None, now: datetime | None = None) -> str:
    """Return how long ago something was."""
    return NOTHING if moment is None else duration(((now or datetime.now(UTC)) - moment).total_seconds())


def plural(number: int, word: str) -> str:
    """Return a number with its noun.

    >>> plural(1, "worker"), plural(1200, "worker")
    ('1 worker', '1,200 workers')
    """
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"


def percent(share: float | None) -> str:
    """Return a share as percent, rounded down, so that 100 % means all.

    >>> [percent(share) for share in (0, 0.999, 1, None)]
    ['0%', '99%', '100%', '-']
    """
    # 0.29 * 100 is 28.999…96 in binary floating point; 1e-9 is larger than that error and smaller than any real share.
    return NOTHING if share is None else f"{int(share * 100 + 1e-9)}%"


def bar(share: float, width: int) -> str:
    """Return a bar of *width* cells, in which the smallest share above zero still shows.

    >>> bar(0.5, 3), bar(0.001, 2)
    ('█▌ ', '▏ ')
    """
    eighths = max(round(max(0.0, min(share, 1.0)) * width * 8), int(share > 0))
    full, rest = divmod(eighths, 8)
    return ("█" * full + (EIGHTHS[rest] if rest else "")).ljust(width)


def segmented_bar(parts: Sequence[tuple[str, int]], total: int, width: int) -> str:
    """Return a bar of *width* cells; each part has a character of its own, and at least one cell when its count is not zero.

    >>> segmented_bar([("█", 97), ("▒", 1), ("!", 2)], 100, 10)
    '████████▒!'
    """
    cells = [max(int(count * width / total), int(count > 0)) if total else 0 for _, count in parts]
    while sum(cells) > width:  # the parts of one cell at least have taken too much
        cells[cells.index(max(cells))] -= 1
    return "".join(mark * number for (mark, _), number in zip(parts, cells, strict=True)).ljust(width)


def line_in_local_time(text: str | None, now: datetime | None = None) -> str:
    """Return a line of the API with its time of day, which is UTC, in the viewer's zone.

    >>> line_in_local_time("Auto paused · 3 fails")
    'Auto paused · 3 fails'
    """
    if text is None:
        return ""
    match = CLOCK.search(text)
    if match is None:
        return one_line(text)
    present = now or datetime.now(UTC)
    meant = present.astimezone(UTC).replace(hour=int(match[1]), minute=int(match[2]), second=0, microsecond=0)
    # The line has no date: the nearest such time of day is meant.
    if abs(meant - present) > HALF_DAY:
        meant += timedelta(days=1 if meant < present else -1)
    return one_line(f"{text[: match.start()]}~{meant.astimezone():%H:%M}")


def labels_text(pairs: dict[str, str]) -> str:
    """Return labels as the options of commands take them.

    >>> labels_text({"team": "core", "gpu": ""})
    'gpu= team=core'
    """
    return " ".join(one_line(f"{name}={value}") for name, value in sorted(pairs.items()))
