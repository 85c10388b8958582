"""The screen of a unit: the last lines of its command's output, bounded, and when output last came."""

import re
from datetime import UTC, datetime

from service.terminal_output import last_lines, without_escapes

SCREEN_BYTES = 64 * 1024
ERROR_CHARS = 2_000
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


class Screen:
    """The end of what a command has written, at most `SCREEN_BYTES`."""

    def __init__(self) -> None:
        self._tail = bytearray()
        self._cut = False
        self.moved_at: datetime | None = None

    def write(self, output: bytes) -> None:
        """Append *output* and drop what no longer fits."""
        self.moved_at = datetime.now(UTC)
        self._tail += output
        # Cutting at twice the size copies the tail once per 64 KiB instead of once per write.
        if len(self._tail) > 2 * SCREEN_BYTES:
            del self._tail[:-SCREEN_BYTES]
            self._cut = True

    def text(self) -> str:
        """Return the end of the output as text, from the start of a line if anything was cut."""
        text = self._tail.decode(errors="replace").replace("\x00", "")
        if self._cut:
            text = text.partition("\n")[2] or text
        return last_lines(text, SCREEN_BYTES)  # decoding broken bytes may have made it longer

    def last_line(self) -> str:
        """Return the last line that is not blank, without terminal escapes; an empty text when every line is blank."""
        lines = without_escapes(self.text()).replace("\r", "\n").splitlines()
        printable = (CONTROLS.sub("", line).strip() for line in reversed(lines))
        return next(filter(None, printable), "")[:ERROR_CHARS]
