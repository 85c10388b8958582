"""The command of a worker: one argument list for every unit, with placeholders and without a shell."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from service.client.claim_types import GrantedClaim

# `$` before a brace is a variable of a shell that the command may start, so `${HOME}` stays.
PLACEHOLDER = re.compile(
    r"\{\{(?P<literal>[^{}]*)\}\}|(?<!\$)\{(?P<name>[A-Za-z_][\w-]*(?:\.[\w-]+)*)\}",
)
NAMES = ("key", "campaign", "attempt")
ALLOWED = "{key}, {campaign}, {attempt}, {payload.FIELD}; write {{name}} for braces that stay"


class PlaceholderError(ValueError):
    """A placeholder names something that a unit does not have."""


class CommandLine:
    """The arguments of a command, their placeholders filled in for one unit at a time.

    Raises:
        PlaceholderError: a placeholder that no unit has.

    >>> claim = GrantedClaim(token="t", campaign="c", key="a", payload={"path": "a.py"})
    >>> CommandLine(["cc", "{payload.path}", "-o{key}.o", "{{key}}", "{print $1}"]).line(claim)
    ['cc', 'a.py', '-oa.o', '{key}', '{print $1}']
    """

    def __init__(self, arguments: Sequence[str]) -> None:
        self._arguments = tuple(arguments)
        for name in placeholder_names(self._arguments):
            if name not in NAMES and not name.startswith("payload."):
                raise PlaceholderError(f"unknown placeholder {{{name}}}; known are {ALLOWED}")

    def line(self, claim: GrantedClaim) -> list[str]:
        """Fill in the placeholders for *claim*."""

        def value(match: re.Match[str]) -> str:
            name = match["name"]
            return placeholder_value(claim, name) if name else f"{{{match['literal']}}}"

        return [PLACEHOLDER.sub(value, argument) for argument in self._arguments]


def placeholder_names(arguments: Sequence[str]) -> Iterator[str]:
    """Yield the name of every placeholder in *arguments*."""
    for argument in arguments:
        yield from (match["name"] for match in PLACEHOLDER.finditer(argument) if match["name"])


def placeholder_value(claim: GrantedClaim, name: str) -> str:
    """Return the value of placeholder *name*.

    Raises:
        PlaceholderError: the payload of the unit has no such field.

    """
    if name in NAMES:
        return str(getattr(claim, name))
    value = claim.payload
    for field in name.split(".")[1:]:
        if not isinstance(value, Mapping) or field not in value:
            raise PlaceholderError(f"the unit has no {{{name}}}")
        value = value[field]
    return argument_text(value)


def argument_text(value: object) -> str:
    """Write *value* as an argument: a string unchanged, everything else as JSON."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def environment(claim: GrantedClaim, url: str) -> dict[str, str]:
    """Return the environment of the command: that of the worker, the fields of the payload, and the claim."""
    own = {
        "MUSTER_URL": url,
        "MUSTER_CAMPAIGN": claim.campaign,
        "MUSTER_KEY": claim.key,
        "MUSTER_ATTEMPT": str(claim.attempt),
        "MUSTER_TOKEN": claim.token,
        "MUSTER_BRIEF": claim.brief or "",
        "MUSTER_RESUME_SESSION": claim.resume_session or "",
        "MUSTER_PAYLOAD": msgspec.json.encode(claim.payload).decode(),
    }
    # The claim comes last: a field of a payload cannot replace its token.
    return dict(os.environ) | dict(payload_fields(claim.payload)) | own


def payload_fields(payload: object) -> Iterator[tuple[str, str]]:
    """Yield the fields of *payload* as variables: `work-dir` becomes `MUSTER_PAYLOAD_WORK_DIR`."""
    if isinstance(payload, Mapping):
        for field, value in payload.items():
            yield "MUSTER_PAYLOAD_" + re.sub(r"[^A-Z0-9_]", "_", str(field).upper()), argument_text(value)
