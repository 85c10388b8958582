"""A screen: the last lines of output that an attempt leaves."""


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
