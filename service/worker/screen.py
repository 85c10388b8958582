"""The screen: the last lines of a command's output, bounded, and when it last moved."""

import re
from datetime import UTC, datetime

LIMIT = 64 * 1024
ERROR = 2_000
ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


class Screen:
    """The tail of what a command has written, at most `LIMIT` bytes."""

    def __init__(self) -> None:
        self._tail = bytearray()
        self._cut = False
        self.moved_at: datetime | None = None

    def write(self, output: bytes) -> None:
        """Take in *output* and forget what has scrolled away."""
        self.moved_at = datetime.now(UTC)
        self._tail += output
        if len(self._tail) > 2 * LIMIT:
            del self._tail[:-LIMIT]
            self._cut = True

    def text(self) -> str:
        """Return the tail as text, begun at a line when its front was cut."""
        return tail(self._tail.decode(errors="replace").replace("\x00", ""), cut=self._cut)

    def last_line(self) -> str:
        """Return the last line that is not blank, without terminal escapes, or nothing."""
        lines = ESCAPES.sub("", self.text()).replace("\r", "\n").splitlines()
        shown = (CONTROLS.sub("", line).strip() for line in reversed(lines))
        return next(filter(None, shown), "")[:ERROR]


def tail(text: str, *, cut: bool) -> str:
    r"""Keep the last `LIMIT` bytes of *text*, from the front of a line if anything was cut.

    >>> tail("one", cut=False)
    'one'
    >>> tail("alf a line\nwhole", cut=True)
    'whole'
    """
    encoded = text.encode()
    if len(encoded) > LIMIT:
        text, cut = encoded[-LIMIT:].decode(errors="ignore"), True
    _, _, rest = text.partition("\n")
    return rest if cut and rest else text
