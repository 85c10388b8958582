"""The form of a campaign: every field of the policy with its limits and what it means, and the patch that a form asks for."""

import types
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta, Struct

from service.domain.content.redact import redact
from service.domain.policy import Policy
from service.domain.rejections import Validation

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
    return sorted(leaves(policy), key=lambda field: FIRST.index(field.name) if field.first else len(FIRST))


def leaves(document: Struct, within: str = "") -> Iterator[Field]:
    """Yield the fields of *document*, those of its parts by dotted names."""
    hints = get_type_hints(type(document), include_extras=True)
    for name, hint in hints.items():
        value = getattr(document, name)
        if isinstance(value, Struct):
            yield from leaves(value, f"{within}{name}.")
        else:
            yield leaf(f"{within}{name}", value, hint)


def leaf(name: str, value: Any, hint: Any) -> Field:  # noqa: ANN401 - a value and a type of any form
    """Return the field of one value, which may be optional, as its type describes it."""
    base, metas = unwrapped(hint)
    meaning = next((meta.description for meta in metas if meta.description), "")
    if base is bool:
        return Field(name=name, value=value, meaning=meaning, kind="switch")
    if get_origin(base) is tuple:
        return Field(name=name, value="\n".join(value or ()), meaning=meaning, kind="lines")
    if get_origin(base) is Literal:
        return Field(name=name, value=value, meaning=meaning, kind="choice", choices=get_args(base))
    from_least, above, most = (
        next((limit for meta in metas if (limit := getattr(meta, bound)) is not None), None) for bound in ("ge", "gt", "le")
    )
    return Field(
        name=name,
        value=value,
        meaning=meaning,
        kind="number",
        least=above if from_least is None else from_least,
        above=from_least is None and above is not None,
        most=most,
        whole=base is int,
    )


def unwrapped(hint: Any) -> tuple[Any, list[Meta]]:  # noqa: ANN401 - a type of any form
    """Return the type under the annotations of *hint*, and under its `| None`, with what the annotations say.

    >>> unwrapped(Annotated[int, Meta(ge=1)] | None)
    (<class 'int'>, [msgspec.Meta(ge=1)])
    """
    metas: list[Meta] = []
    while get_origin(hint) in (Annotated, Union, types.UnionType):
        if get_origin(hint) is Annotated:
            metas += [part for part in hint.__metadata__ if isinstance(part, Meta)]
        hint = next(part for part in get_args(hint) if part is not types.NoneType)
    return hint, metas


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
