"""The words that a type allows at one place of a document."""

import re
from collections.abc import Iterator

from msgspec import inspect

STEP = re.compile(r"\.[^.\[]+|\[[^]]*\]")


def choices(kind: object, path: str) -> list[str] | None:
    """Return the words that *kind* allows at *path*, written as msgspec does; None where the type is not a Literal.

    >>> from service.domain.policy import Policy
    >>> choices(Policy, ".retry.jitter.kind"), choices(Policy, ".max_attempts")
    (['additive', 'full', 'none', 'symmetric'], None)
    """
    found = [inspect.type_info(kind)]
    for step in STEP.findall(path):
        found = [below for one in found for below in inner(one, step)]
    alternatives = [one for place in found for one in plain(place)]
    words = [str(word) for one in alternatives if isinstance(one, inspect.LiteralType) for word in one.values]
    return words or None


def plain(kind: inspect.Type) -> Iterator[inspect.Type]:
    """Yield the alternatives of *kind*."""
    match kind:
        case inspect.UnionType(types=types):
            for one in types:
                yield from plain(one)
        case inspect.Metadata(type=described):
            yield from plain(described)
        case _:
            yield kind


def inner(kind: inspect.Type, step: str) -> Iterator[inspect.Type]:
    """Yield the types one *step* further in: of a field, the tag of a union of structs, a member, an item."""
    for one in plain(kind):
        match one:
            case inspect.StructType(fields=fields, tag_field=tag_field, tag=tag):
                yield from (field.type for field in fields if f".{field.encode_name}" == step)
                if tag_field is not None and f".{tag_field}" == step:
                    yield inspect.LiteralType((tag,))
            case inspect.DictType(value_type=value):
                yield value
            case inspect.ListType(item_type=item) | inspect.VarTupleType(item_type=item):
                yield item
            case _:
                pass
