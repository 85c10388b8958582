"""A screen: the last lines of output that an attempt leaves."""

import re

from service.domain.content.redact import redact_text

ESCAPE = re.compile(
    r"\x1b\[(?P<style>[0-9;:]{0,64})m"
    r"|(?:\x1b\[|\x9b)[0-?]{0,64}[ -/]{0,8}[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]{0,4096}(?:\x07|\x1b\\|\x9c|(?=\x1b)|$)"
    r"|\x1b[ -/]{0,4}[0-~]?"
)
"""What a terminal obeys; *style* holds the numbers of one that only colours."""


def plain(text: str) -> str:
    r"""Return *text* as a terminal would leave it, without anything that a terminal obeys, and redacted again.

    >>> plain("10 %\r20 %\x1b[K\n\x1b[31mred\x1b[0m")
    '20 %\nred'
    """
    if text.isascii() and "\x1b" not in text and "\r" not in text:
        return text
    return redact_text(overwritten(ESCAPE.sub("", text)))


def overwritten(text: str) -> str:
    r"""Return *text* with lines that were drawn over and over as they looked last.

    >>> overwritten("10 %\r20 %\r\nnext\r\n")
    '20 %\nnext\n'
    """
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines)


def last_lines(text: str, limit: int) -> str:
    r"""Return the end of *text* that fits in *limit* bytes of UTF-8, from the beginning of a line where there is one.

    >>> last_lines("one\ntwo\nthree", 10)
    'two\nthree'
    """
    if len(text) * 4 <= limit or len(encoded := text.encode()) <= limit:
        return text
    end = encoded[-limit:]
    if encoded[-limit - 1] != ord("\n"):
        end = end[end.find(b"\n") + 1 :]
    return end.decode(errors="ignore")
