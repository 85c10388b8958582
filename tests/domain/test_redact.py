"""Redaction: what looks like a secret goes, what does not stays."""

from time import process_time

import pytest

from service.domain.content.redact import REDACTED, redact, redact_text
from service.domain.content.screen import plain

KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA7\nq8Y9\n-----END RSA PRIVATE KEY-----"
TOKEN = "ghp_" + "A1b2C3d4E5f6G7h8I9j0K1l2"


@pytest.mark.parametrize(
    "secret",
    [
        TOKEN,
        "sk-" + "a1B2" * 8,
        "xoxb-" + "1234567890-abcdef",
        "AKIA" + "ABCDEFGHIJKLMNOP",
        "AIza" + "Sy" * 17,
        "glpat-" + "a1b2c3d4e5f6g7h8",
        "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl",
        "npm_" + "a1B2c3" * 6,
    ],
)
def test_a_word_of_a_providers_shape_goes_wherever_it_stands(secret: str) -> None:
    """B-DIAG-2."""
    assert redact_text(f"before {secret} after") == f"before {REDACTED} after"
    assert redact_text(secret) == REDACTED


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Authorization: Bearer abc.def", f"Authorization: {REDACTED}"),
        ("authorization=Basic YTpi", f"authorization={REDACTED}"),
        ("curl -H 'X: Bearer abcdef123456'", f"curl -H 'X: Bearer {REDACTED}'"),
        ("postgresql://me:hunter22@host:5432/db", f"postgresql://me:{REDACTED}@host:5432/db"),
        ("DB_PASSWORD=hunter22", f"DB_PASSWORD={REDACTED}"),
        ('{"api_key": "hunter22"}', f'{{"api_key": "{REDACTED}"}}'),
        ("client_secret: hunter22", f"client_secret: {REDACTED}"),
        (f"a\n{KEY}\nb", f"a\n{REDACTED}\nb"),
        (f"a\n{KEY[:50]}", f"a\n{REDACTED}"),
    ],
)
def test_a_secret_that_is_named_goes_and_its_name_stays(text: str, shown: str) -> None:
    """B-DIAG-2."""
    assert redact_text(text) == shown
    assert redact_text(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        "KeyError: 'monkey'",
        "3 of 7 tests",
        "exit 1: no such file",
        "see https://example.org/a:b?c=d",
        "the author wrote 12 keys",
        "commit 8aee0f5d6c7b8a9e0f1d2c3b4a5968778695a4b3",
        '  File "a.py", line 3\nSyntaxError: invalid syntax',
    ],
)
def test_redaction_keeps_ordinary_words(text: str) -> None:
    assert redact_text(text) == text


def test_a_value_under_a_telling_name_goes_at_any_depth() -> None:
    """B-DIAG-2."""
    given = {"a": [{"TOKEN": 1, "b": {"Private-Key": ["x"]}}, ("password=abcdef",)], "authority": "x", "secret": None, "n": 3}
    assert redact(given) == {
        "a": [{"TOKEN": REDACTED, "b": {"Private-Key": REDACTED}}, [f"password={REDACTED}"]],
        "authority": REDACTED,
        "secret": None,
        "n": 3,
    }


def spent_s(text: str) -> float:
    """Return how much of the processor's time a text takes."""
    started = process_time()
    redact_text(text)
    return process_time() - started


@pytest.mark.parametrize(
    "piece", ["a.", "key", "://a:", "bearer ", "sk-", "token= ", "-----BEGIN PRIVATE KEY-----", "eyJ", "auth:"]
)
def test_redaction_takes_linear_time(piece: str) -> None:
    """Sixteen times the text would take 256 times as long were it quadratic; what the processor spends counts, not the clock."""
    short, long = (min(spent_s(piece * (length // len(piece)) + " key") for _ in range(5)) for length in (4_096, 65_536))
    assert long < 64 * short


def test_a_secret_that_a_screen_paints_in_two_colours_is_redacted_when_the_colours_go() -> None:
    """B-RETRY-6, B-DIAG-2."""
    assert "hunter" not in plain("it said gh\x1b[1mp_\x1b[0mhunterhunterhunterhunterhunterhunter\n")
