"""The screen of a unit."""

from service.worker.screen import SCREEN_BYTES, Screen


def screen_of(*output: bytes) -> Screen:
    """Return a screen that has seen *output*."""
    screen = Screen()
    for chunk in output:
        screen.write(chunk)
    return screen


def test_a_screen_keeps_the_end_of_a_long_output_from_the_start_of_a_line() -> None:
    """B-RETRY-6."""
    text = screen_of(*(b"line %d\n" % number for number in range(50_000))).text()
    assert len(text.encode()) <= SCREEN_BYTES
    assert text.startswith("line ")
    assert text.endswith("line 49999\n")


def test_a_screen_is_bounded_when_broken_bytes_grow_in_decoding() -> None:
    assert len(screen_of(b"\xff" * SCREEN_BYTES).text().encode()) <= SCREEN_BYTES


def test_a_screen_without_a_line_end_is_kept() -> None:
    assert screen_of(b"x" * 3 * SCREEN_BYTES).text() == "x" * SCREEN_BYTES


def test_a_screen_has_no_null_characters() -> None:
    assert screen_of(b"a\x00b").text() == "ab"


def test_the_last_line_is_the_last_one_that_is_not_blank() -> None:
    assert screen_of(b"first\n\x1b[31mSyntaxError: bad\x1b[0m\n  \n\n").last_line() == "SyntaxError: bad"


def test_the_last_line_of_a_cut_screen_is_whole() -> None:
    screen = screen_of(b"x" * 200_000 + b"\n", b"the end\n")
    assert screen.text() == "the end\n"
    assert screen.last_line() == "the end"


def test_one_long_line_with_its_end_is_kept() -> None:
    assert screen_of(b"x" * 100_000 + b"\n").text() == "x" * (SCREEN_BYTES - 1) + "\n"


def test_the_last_line_is_bounded() -> None:
    assert screen_of(b"e" * 5000).last_line() == "e" * 2000


def test_output_moves_the_screen() -> None:
    screen = Screen()
    assert screen.moved_at is None
    first = screen_of(b"a").moved_at
    second = screen_of(b"a", b"b").moved_at
    assert first
    assert second
    assert second >= first
