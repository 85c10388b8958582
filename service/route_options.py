"""What the routes of both sides carry in Litestar's `opt`: the description of their operation, and the contexts of handlers."""

from typing import Any, Self

from msgspec import Struct


class OperationDescription(Struct, frozen=True, kw_only=True):
    """What the OpenAPI document says about one operation; a type that is given as a text names a schema of the other side.

    *parameters* are those of the query, *refuses* the statuses beyond those that every operation has, *lines* tells whether
    the body may also come as NDJSON.
    """

    operation: str
    body: Any = None
    answer: Any = None
    parameters: tuple[str, ...] = ()
    status: int = 200
    refuses: tuple[int, ...] = ()
    lines: bool = False


class SharedContext(Struct, frozen=True, eq=False):
    """What the composition root gives to every handler of one side."""

    def __deepcopy__(self, _memo: object) -> Self:
        """Return the context itself: Litestar deep-copies the options of a route, and this object has to stay one."""
        return self
