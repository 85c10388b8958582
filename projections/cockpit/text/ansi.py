"""The last screen of an attempt as HTML: colours and styles of ANSI escapes become classes, other escapes are dropped."""

import re
from collections.abc import Iterator

from markupsafe import Markup
from msgspec import Struct
from msgspec.structs import replace

from projections.cockpit.text.formatting import visible
from service.terminal_output import ESCAPE, overwritten

BRIGHT, BASE, LAST = 90, 30, 37
EXTENDED = {38: 2, 48: 2}
PALETTE, TRUE_COLOUR = 5, 2
SIXTEEN = 16


class Style(Struct, frozen=True):
    """The style of a run of text; colours are 0 to 15 of a terminal's palette."""

    ink: int | None = None
    paper: int | None = None
    bold: bool = False
    dim: bool = False
    underline: bool = False
    reverse: bool = False

    def classes(self) -> str:
        """Return the style as classes of `cockpit.css`."""
        ink, paper = (self.paper, self.ink) if self.reverse else (self.ink, self.paper)
        names = [f"ink{ink}"] if ink is not None else []
        names += [f"paper{paper}"] if paper is not None else []
        names += [name for name in ("bold", "dim", "underline") if getattr(self, name)]
        return " ".join([*names, "reverse"] if self.reverse and ink is None and paper is None else names)


def screen_html(text: str) -> Markup:
    r"""Return a screen as HTML.

    >>> str(screen_html("a\x1b[1;31mred<\x1b[0m\x1b[2J\x1b]0;title\x07."))
    'a<span class="ink1 bold">red&lt;</span>.'
    """
    return Markup("").join(
        Markup('<span class="{}">{}</span>').format(style.classes(), visible(run)) if style.classes() else visible(run)
        for style, run in runs(overwritten(text))
    )


def runs(text: str) -> Iterator[tuple[Style, str]]:
    """Yield runs of text in one style, without escapes."""
    style, after = Style(), 0
    run = ""
    for found in ESCAPE.finditer(text):
        run += text[after : found.start()]
        after = found.end()
        codes = found["style"]
        if codes is None:
            continue
        new = styled(style, [int(code or 0) for code in re.split("[;:]", codes)])
        if new != style and run:
            yield style, run
            run = ""
        style = new
    if run := run + text[after:]:
        yield style, run


FLAGS = {1: "bold", 2: "dim", 4: "underline", 7: "reverse"}
OFF = {22: ("bold", "dim"), 24: ("underline",), 27: ("reverse",), 39: ("ink",), 49: ("paper",)}


def styled(style: Style, codes: list[int]) -> Style:
    """Return *style* after an SGR sequence (ECMA-48); codes that are not supported change nothing."""
    index = 0
    while index < len(codes):
        code = codes[index]
        index += 1
        if code in EXTENDED:
            style, index = extended(style, code, codes, index)
        else:
            style = simple(style, code)
    return style


def simple(style: Style, code: int) -> Style:
    """Return *style* after a code of one number."""
    if code == 0:
        return Style()
    if code in FLAGS:
        return replace(style, **{FLAGS[code]: True})
    if code in OFF:
        return replace(style, **{name: None if name in ("ink", "paper") else False for name in OFF[code]})
    for base, bright in ((BASE, 0), (BRIGHT, 8)):
        if base <= code <= base + 7:
            return replace(style, ink=code - base + bright)
        if base + 10 <= code <= base + 17:
            return replace(style, paper=code - base - 10 + bright)
    return style


def extended(style: Style, code: int, codes: list[int], index: int) -> tuple[Style, int]:
    """Return *style* after an extended colour, and the index of the next code; only the first sixteen colours have a class."""
    kind = codes[index] if index < len(codes) else 0
    if kind == TRUE_COLOUR:
        return style, index + 4
    if kind == PALETTE and index + 1 < len(codes):
        colour = codes[index + 1]
        field = "ink" if code == BASE + 8 else "paper"
        return (replace(style, **{field: colour}) if colour < SIXTEEN else style), index + 2
    return style, index + 1


def last_lines(text: str, lines: int, chars: int) -> str:
    """Return the end of a screen, at most *lines* lines and *chars* characters."""
    return "\n".join(text[-chars:].split("\n")[-lines:])
