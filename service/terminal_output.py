"""What a program writes to a terminal: its escape sequences, its overwritten lines, its last lines.

Pure and without imports of ours, because the service, the worker and the terminal read such text by the same rules.
"""

import re

ESCAPE = re.compile(
    r"\x1b\[(?P<style>[0-9;:]{0,64})m"
    r"|(?:\x1b\[|\x9b)[0-?]{0,64}[ -/]{0,8}[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]{0,4096}(?:\x07|\x1b\\|\x9c|(?=\x1b)|$)"
    r"|\x1b[ -/]{0,4}[0-~]?"
)
"""A control sequence of ECMA-48, with `ESC` or as one C1 character; *style* holds the numbers of one that only colours.

Every part is bounded, so that hostile text cannot make the search slow.
"""


def without_escapes(text: str) -> str:
    r"""Return *text* without anything that a terminal obeys.

    >>> without_escapes("a\x1b[31mred\x1b[0m\x1b]0;title\x07\x9b2J\x1bc.")
    'ared.'
    """
    return ESCAPE.sub("", text)


def overwritten(text: str) -> str:
    r"""Return *text* with each line as it last looked, where carriage returns drew it several times.

    >>> overwritten("10 %\r20 %\r\nnext\r\n")
    '20 %\nnext\n'
    """
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines)


def last_lines(text: str, limit: int) -> str:
    r"""Return the end of *text* that fits in *limit* bytes of UTF-8, from the start of a line where one starts in it.

    >>> last_lines("one\ntwo\nthree", 10), last_lines("a long line\n", 5)
    ('two\nthree', 'line\n')
    """
    if len(text) * 4 <= limit or len(encoded := text.encode()) <= limit:
        return text
    end = encoded[-limit:]
    if encoded[-limit - 1] != ord("\n"):
        end = end.partition(b"\n")[2] or end  # one long line has no other start
    return end.decode(errors="ignore")
