"""Which words may stand at a place of a document, told from its type."""

import re
from collections.abc import Iterator

from msgspec import inspect

STEP = re.compile(r"\.[^.\[]+|\[[^]]*\]")


def choices(kind: object, path: str) -> list[str] | None:
    """Return the words that *kind* allows at *path*, as msgspec writes it, None where it is no matter of words.

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
    """Yield what *kind* may be, one by one."""
    match kind:
        case inspect.UnionType(types=types):
            for one in types:
                yield from plain(one)
        case inspect.Metadata(type=described):
            yield from plain(described)
        case _:
            yield kind


def inner(kind: inspect.Type, step: str) -> Iterator[inspect.Type]:
    """Yield what may stand one *step* further in: a field, the word that tells structs apart, a member, an item."""
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
