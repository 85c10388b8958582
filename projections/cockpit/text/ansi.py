"""The last screen of an attempt, with the terminal's colours and without anything that a terminal would obey."""

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
    """How a run of text looks; colours are 0 to 15 of a terminal's palette."""

    ink: int | None = None
    paper: int | None = None
    bold: bool = False
    dim: bool = False
    underline: bool = False
    reverse: bool = False

    def classes(self) -> str:
        """Return the style as classes of our sheet."""
        ink, paper = (self.paper, self.ink) if self.reverse else (self.ink, self.paper)
        names = [f"ink{ink}"] if ink is not None else []
        names += [f"paper{paper}"] if paper is not None else []
        names += [name for name in ("bold", "dim", "underline") if getattr(self, name)]
        return " ".join([*names, "reverse"] if self.reverse and ink is None and paper is None else names)


def painted(text: str) -> Markup:
    r"""Return a screen as HTML.

    >>> str(painted("a\x1b[1;31mred<\x1b[0m\x1b[2J\x1b]0;title\x07."))
    'a<span class="ink1 bold">red&lt;</span>.'
    """
    return Markup("").join(
        Markup('<span class="{}">{}</span>').format(style.classes(), visible(run)) if style.classes() else visible(run)
        for style, run in runs(overwritten(text))
    )


def runs(text: str) -> Iterator[tuple[Style, str]]:
    """Yield runs of text in one style; every other escape is left out."""
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
    """Return *style* after an SGR sequence; what we have no colour for changes nothing."""
    url = 0
    while url < len(codes):
        code = codes[url]
        url += 1
        if code in EXTENDED:
            style, url = extended(style, code, codes, url)
        else:
            style = simple(style, code)
    return style


def simple(style: Style, code: int) -> Style:
    """Return *style* after one number that stands alone."""
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


def extended(style: Style, code: int, codes: list[int], url: int) -> tuple[Style, int]:
    """Return *style* after a colour of many, and where the next number stands; only the first sixteen have a class."""
    kind = codes[url] if url < len(codes) else 0
    if kind == TRUE_COLOUR:
        return style, url + 4
    if kind == PALETTE and url + 1 < len(codes):
        colour = codes[url + 1]
        field = "ink" if code == BASE + 8 else "paper"
        return (replace(style, **{field: colour}) if colour < SIXTEEN else style), url + 2
    return style, url + 1


def last_lines(text: str, lines: int, chars: int) -> str:
    """Return the end of a screen: so many lines, and no more characters than that."""
    return "\n".join(text[-chars:].split("\n")[-lines:])
