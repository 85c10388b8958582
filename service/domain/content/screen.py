"""The screen of an attempt, as people may read it."""

from service.domain.content.redact import redact_text
from service.terminal_output import overwritten, without_escapes


def plain(text: str) -> str:
    r"""Return *text* as a terminal would show it, without escape sequences, and redacted again.

    >>> plain("10 %\r20 %\x1b[K\n\x1b[31mred\x1b[0m")
    '20 %\nred'
    """
    if text.isascii() and "\x1b" not in text and "\r" not in text:
        return text
    # A secret may have been split by an escape sequence when the text was stored.
    return redact_text(overwritten(without_escapes(text)))
