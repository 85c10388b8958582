"""The form of a campaign: every field of the policy with its limits and what it means, and the patch that a form asks for."""

import types
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta, Struct

from service.domain.content.redact import redact
from service.domain.policy import Policy
from service.domain.rejections import Validation

MEANINGS = {
    "max_attempts": "Executions of one unit in total.",
    "retry.backoff_ms": "Rest before the second attempt, in milliseconds.",
    "retry.factor": "Each further rest is so many times longer.",
    "retry.max_delay_ms": "No rest is longer, in milliseconds.",
    "retry.jitter.kind": "How chance moves a rest.",
    "retry.jitter.ratio": "By how much, for symmetric jitter.",
    "retry.jitter.ms": "By how many milliseconds, for additive jitter.",
    "retry.retryable_errors": "Globs on the error, one a line; none: every error is retried.",
    "lease_s": "Seconds that a claim holds without a heartbeat.",
    "heartbeat.warn_s": "Silence in seconds until a worker is warned of.",
    "heartbeat.stale_s": "Silence until it is stale.",
    "heartbeat.dead_s": "Silence until it is dead.",
    "heartbeat.dead_ticks": "Looks in a row that find it dead before its claims are revoked.",
    "on_dead": "What becomes of a dead worker's units.",
    "idle_grace_observations": "Idle heartbeats in a row that fail an attempt.",
    "breaker.threshold": "Failures in a row that stop automatic claims.",
    "breaker.counts": "What counts as one.",
    "concurrency": "Units that run at a time.",
    "groups": "Whether a later group waits for an earlier one.",
    "on_dependency_failure": "What becomes of units whose dependency failed for good.",
    "max_duration_s": "Seconds an attempt may take.",
    "idle_output_s": "Seconds its output may stand still.",
    "require_evidence": "Whether a completion needs evidence.",
    "investigate": "Whether a quarantined unit is looked into.",
    "max_claims": "Claims of one unit, whatever came of them.",
}
FIRST = ("concurrency", "max_attempts", "breaker.threshold", "lease_s", "max_duration_s", "idle_output_s")


class Field(Struct, frozen=True, kw_only=True):
    """One field of the form."""

    name: str
    value: Any
    meaning: str
    kind: Literal["number", "choice", "switch", "lines"]
    choices: tuple[str, ...] = ()
    least: float | None = None
    above: bool = False
    most: float | None = None
    whole: bool = False

    @property
    def first(self) -> bool:
        """Whether it stands among the fields that are changed most."""
        return self.name in FIRST


def fields(policy: Policy) -> list[Field]:
    """Return every field of a policy, those that are changed most first."""
    found = list(leaves(policy, MEANINGS))
    return sorted(found, key=lambda field: FIRST.index(field.name) if field.first else len(FIRST))


def leaves(document: Struct, meanings: dict[str, str], within: str = "") -> Iterator[Field]:
    """Yield the fields of *document*, those of its parts by dotted names."""
    hints = get_type_hints(type(document), include_extras=True)
    for name, hint in hints.items():
        value = getattr(document, name)
        if isinstance(value, Struct):
            yield from leaves(value, meanings, f"{within}{name}.")
        else:
            yield leaf(f"{within}{name}", value, hint, meanings.get(f"{within}{name}", ""))


def leaf(name: str, value: object, hint: Any, meaning: str) -> Field:  # noqa: ANN401 - a type of any form
    """Return the field of one value."""
    if isinstance(value, bool):
        return Field(name=name, value=value, meaning=meaning, kind="switch")
    if isinstance(value, tuple):
        return Field(name=name, value="\n".join(value), meaning=meaning, kind="lines")
    if get_origin(hint) is Literal:
        return Field(name=name, value=value, meaning=meaning, kind="choice", choices=get_args(hint))
    base, meta = get_args(hint)[0], limits(hint)
    least = meta.gt if meta.ge is None else meta.ge
    return Field(
        name=name,
        value=value,
        meaning=meaning,
        kind="number",
        least=least,
        above=meta.ge is None and meta.gt is not None,
        most=meta.le,
        whole=base is int,
    )


def limits(hint: Any) -> Meta:  # noqa: ANN401 - a type of any form
    """Return the limits of an annotated number."""
    assert get_origin(hint) not in (Union, types.UnionType), "no number of a policy is optional"
    return next((part for part in get_args(hint) if isinstance(part, Meta)), Meta())


def patch(form: dict[str, str], policy: Policy) -> dict[str, Any]:
    """Return the merge patch that a sent form asks for; fields that are not in it stay."""
    changes: dict[str, Any] = {}
    for name in ("title", "quota", "brief"):
        if name in form:
            changes[name] = form[name].strip() or None
    if "labels" in form:
        changes["labels"] = redact(labels(form["labels"]))
    if "deadline" in form:
        changes["deadline"] = deadline(form["deadline"].strip())
    if "switches" in form:
        changes["auto"] = "auto" in form
    for field in fields(policy):
        if f"policy.{field.name}" in form or (field.kind == "switch" and "switches" in form):
            put(
                changes.setdefault("policy", {}),
                field.name.split("."),
                submitted_value(field, form.get(f"policy.{field.name}", "")),
            )
    return changes


def put(document: dict[str, Any], path: list[str], value: object) -> None:
    """Put a value under a path of names."""
    for name in path[:-1]:
        document = document.setdefault(name, {})
    document[path[-1]] = value


def submitted_value(field: Field, text: str) -> Any:  # noqa: ANN401 - a value of the field's own type
    """Return what was sent as a value of the field."""
    match field.kind:
        case "switch":
            return bool(text)
        case "choice":
            return text
        case "lines":
            return [line for line in (line.strip() for line in text.split("\n")) if line]
        case "number":
            return number(field, text.strip())


def number(field: Field, text: str) -> float | None:
    """Return a number; nothing gives back the default."""
    if not text:
        return None
    try:
        return msgspec.convert(text, int if field.whole else float, strict=False)
    except msgspec.ValidationError:
        raise Validation(f"{field.name} must be a {'whole ' if field.whole else ''}number", field=field.name) from None


def labels(text: str) -> dict[str, str]:
    """Return labels that were written one a line, `name=value`.

    >>> labels("team=core")
    {'team': 'core'}
    """
    found = {}
    for line in text.split("\n"):
        name, sign, value = line.strip().partition("=")
        if name and sign:
            found[name.strip()] = value.strip()
        elif name:
            raise Validation("a label is written name=value, one a line", field="labels")
    return found


def deadline(text: str) -> datetime | None:
    """Return a time in UTC; nothing means none."""
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Validation("the deadline is a date with a time", field="deadline") from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at
