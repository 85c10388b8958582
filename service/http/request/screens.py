"""Terminal screens in reports: cut, redacted, and addressed by their content."""

from hashlib import sha256

from service.domain.content.redact import redact_text
from service.terminal_output import last_lines

SCREEN_BYTES = 64 * 1024


class Screens:
    """The screens of one request, each stored once under its SHA-256."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.chars_read = 0

    def keep(self, text: str | None) -> str | None:
        """Keep the last 64 KiB of a screen, redacted, and return its SHA-256; None when there is no text."""
        if not text:
            return None
        self.chars_read += len(text)
        # cut twice: before redaction, which is slow on long texts, and after it, which may lengthen the text
        screen = last_lines(redact_text(last_lines(text.replace("\0", ""), 2 * SCREEN_BYTES)), SCREEN_BYTES)
        name = sha256(screen.encode()).hexdigest()
        self.texts[name] = screen
        return name
