"""Values for any annotation, each field another: what a round trip must bring back."""

import itertools
from datetime import UTC, datetime, timedelta
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NewType, TypeVar, Union, get_args, get_origin

import msgspec
from msgspec import Raw, Struct

Made = TypeVar("Made", bound=Struct)
BIRTH = datetime(2026, 1, 1, tzinfo=UTC)


class Sampler:
    """Makes structures; a number that grows makes every value another."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    def struct(self, kind: type[Made], **given: object) -> Made:
        """Return a *kind* with every field filled, but those that are *given*."""
        made = {
            field.name: given[field.name] if field.name in given else self.value(field.type)
            for field in msgspec.structs.fields(kind)
        }
        return kind(**made)

    def value(self, kind: Any) -> Any:  # noqa: ANN401, PLR0911 - one return for each kind of annotation
        """Return a value of *kind*, never null where something else is allowed."""
        number = next(self._numbers)
        if isinstance(kind, NewType):
            return self.value(kind.__supertype__)
        origin, inner = get_origin(kind), get_args(kind)
        if origin is Literal:
            return inner[number % len(inner)]
        if origin is Annotated:
            return self.within(self.value(inner[0]), inner[1])
        if origin in (Union, UnionType):
            return self.value(next(one for one in inner if one is not NoneType))
        if origin is dict:
            return {self.value(inner[0]): self.value(inner[1])}
        if origin in (tuple, list):
            return origin([self.value(inner[0]), self.value(inner[0])])
        if isinstance(kind, type) and issubclass(kind, Struct):
            return self.struct(kind)
        return self.plain(kind, number)

    def within(self, value: Any, bounds: msgspec.Meta) -> Any:  # noqa: ANN401 - as above
        """Return *value*, or the nearest that *bounds* allow."""
        if bounds.ge is not None:
            value = max(value, bounds.ge)
        return value if bounds.le is None else min(value, bounds.le)

    def plain(self, kind: Any, number: int) -> Any:  # noqa: ANN401 - as above
        """Return a value of a kind that holds no other."""
        values: dict[Any, Any] = {
            str: f"text {number} — ü",
            int: number,
            float: number + 0.5,
            bool: True,
            bytes: bytes([number % 256]),
            datetime: BIRTH + timedelta(microseconds=number),
            Raw: Raw(b'{"n": %d}' % number),
            Any: {"n": number},
        }
        return values[kind]
