"""What the OpenAPI document says of a read: its query, its answer."""

from typing import Any

from msgspec import Struct

from projections.http.request import ReadRequest

AT_LEAST = "at_least"
LIST = (AT_LEAST, "limit", "cursor")


class ReadDescription(Struct, frozen=True, kw_only=True):
    """One operation: the type of its answer, the names of its query parameters, the statuses of its refusals."""

    operation: str
    answer: Any
    parameters: tuple[str, ...] = ()
    status: int = 200
    refuses: tuple[int, ...] = ()
    body: Any = None
    lines: bool = False


def described_read(path: str, operation: str, answer: Any, *parameters: str) -> dict[str, Any]:  # noqa: ANN401 - types of any form
    """Return the keyword arguments of a route handler that carries its description."""
    refuses = (404,) if "{" in path else ()
    description = ReadDescription(operation=operation, answer=answer, parameters=parameters, refuses=refuses)
    return {
        "path": path,
        "operation_id": operation,
        "include_in_schema": False,
        "request_class": ReadRequest,
        "opt": {"description": description},
    }
