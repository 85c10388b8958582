"""Texts of workers: cut, redacted, and screens named by what they hold."""

from hashlib import sha256

from service.domain.redact import redact_text
from service.domain.screen import last_lines

SCREEN_BYTES = 64 * 1024
ERROR_CHARS = 4000
NOTE_CHARS = 1000


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


def error_text(text: str | None) -> str | None:
    """Return an error as it is kept: redacted, at most 4,000 characters."""
    return text if text is None else redact_text(text[: 2 * ERROR_CHARS].replace("\0", ""))[:ERROR_CHARS]


def note_text(text: str | None) -> str | None:
    """Return a note as it is kept: redacted, at most 1,000 characters."""
    return text if text is None else redact_text(text[: 2 * NOTE_CHARS].replace("\0", ""))[:NOTE_CHARS]
