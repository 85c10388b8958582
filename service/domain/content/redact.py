"""Redaction: replaces everything that looks like a secret in screens, errors, notes, labels and bundles."""

import re
from typing import Any

REDACTED = "[redacted]"
ERROR_CHARS, NOTE_CHARS = 4000, 1000
SECRET_NAME = re.compile(r"token|key|password|secret|credential|auth", re.IGNORECASE)
PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY[^-]{0,10}-----.*?(?:-----END [^-]{0,60}-----|\Z)", re.DOTALL)
ADDRESS = re.compile(r"(?P<keep>://[^\s:/@]{0,200}:)[^\s/@]{1,500}(?=@)")
HEADER = re.compile(r"(?P<keep>authorization[\"']?[ \t]{0,4}[=:][ \t]{0,4}[\"']?)[^\r\n\"']{1,2000}", re.IGNORECASE)
BEARER = re.compile(r"(?P<keep>bearer[ \t]{1,4})[\w.~+/=-]{12,}", re.IGNORECASE)
ASSIGNED = re.compile(
    r"(?P<keep>(?:token|passw(?:or)?d|secret|credentials?|auth|api[_-]?key|[_-]key)[\"']?[ \t]{0,4}[=:][ \t]{0,4}[\"']?)"
    r"(?!\[redacted)[^\s\"',;&}]{4,}",
    re.IGNORECASE,
)
SHAPES = re.compile(
    r"\b(?:"
    r"[sr]k[-_][A-Za-z0-9_-]{16,}"
    r"|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}"
    r"|xox[abeprs]-[\w-]{10,}"
    r"|A[KS]IA[0-9A-Z]{16}"
    r"|AIza[\w-]{30,}|ya29\.[\w-]{20,}"
    r"|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]+"
    r"|npm_[A-Za-z0-9]{30,}|pypi-[\w-]{40,}|hf_[A-Za-z0-9]{20,}|SG\.[\w-]{16,}\.[\w-]{16,}"
    r")"
)
SECRET_SHAPES: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = (
    (PRIVATE_KEY, ("private key",)),
    (ADDRESS, ("://",)),
    (HEADER, ("authorization",)),
    (BEARER, ("bearer",)),
    (
        SHAPES,
        (
            "sk-",
            "rk-",
            "sk_",
            "rk_",
            "gh",
            "glpat-",
            "xox",
            "akia",
            "asia",
            "aiza",
            "ya29.",
            "eyj",
            "npm_",
            "pypi-",
            "hf_",
            "sg.",
        ),
    ),
    (ASSIGNED, ("token", "passw", "secret", "credential", "auth", "apikey", "_key", "-key")),
)
"""Shapes of secrets. A text is searched for one only if it contains one of its lower-case cues."""
POSSIBLE = re.compile(r"[:=]|\S{12}")
"""Cheap first test: every shape needs a `:` or `=`, or a word of 12 characters."""


def redact(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return *value* without secrets, at any depth: those under a telling name, and those that look like one.

    >>> redact({"env": {"API_KEY": "abc", "HOME": "/root"}, "url": ["http://me:pass@host/"]})
    {'env': {'API_KEY': '[redacted]', 'HOME': '/root'}, 'url': ['http://me:[redacted]@host/']}
    """
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, dict):
        return {name: REDACTED if is_secret(name, child) else redact(child) for name, child in value.items()}
    if isinstance(value, list | tuple):
        return [redact(child) for child in value]
    return value


def is_secret(name: object, value: object) -> bool:
    """Tell whether the name alone makes *value* a secret."""
    return value is not None and isinstance(name, str) and SECRET_NAME.search(name) is not None


def redact_text(text: str) -> str:
    """Return *text* with everything that looks like a credential replaced; time is linear in its length.

    >>> redact_text("export DB_PASSWORD=hunter22 && curl -H 'Authorization: Bearer abc.def'")
    "export DB_PASSWORD=[redacted] && curl -H 'Authorization: [redacted]'"
    """
    if POSSIBLE.search(text) is None:
        return text
    lowered = text.lower()
    for pattern, cues in SECRET_SHAPES:
        if any(cue in lowered for cue in cues):
            text = pattern.sub(masked_secret, text)
    return text


def masked_secret(match: re.Match[str]) -> str:
    """Return what stays of a secret: the words that say what it was."""
    return match.groupdict().get("keep", "") + REDACTED


def error_text(text: str | None) -> str | None:
    """Return an error as it is kept: redacted, at most 4,000 characters."""
    return text if text is None else redact_text(text[: 2 * ERROR_CHARS].replace("\0", ""))[:ERROR_CHARS]


def note_text(text: str | None) -> str | None:
    """Return a note as it is kept: redacted, at most 1,000 characters."""
    return text if text is None else redact_text(text[: 2 * NOTE_CHARS].replace("\0", ""))[:NOTE_CHARS]
