"""The screens of workers: cut, redacted, and named by what they hold."""

from hashlib import sha256

from service.domain.content.redact import redact_text
from service.terminal_output import last_lines

SCREEN_BYTES = 64 * 1024


class Screens:
    """The screens of one request, each stored once under its SHA-256."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.read = 0

    def keep(self, text: str | None) -> str | None:
        """Take in the last 64 KiB of a screen, redacted, and return its name."""
        if not text:
            return None
        self.read += len(text)
        shown = last_lines(redact_text(last_lines(text.replace("\0", ""), 2 * SCREEN_BYTES)), SCREEN_BYTES)
        name = sha256(shown.encode()).hexdigest()
        self.texts[name] = shown
        return name
