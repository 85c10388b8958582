"""The description of a read for the OpenAPI document, and the arguments of its route."""

from typing import Any

from projections.http.request import ReadRequest
from service.route_options import OperationDescription

AT_LEAST = "at_least"
LIST = (AT_LEAST, "limit", "cursor")


def described_read(path: str, operation: str, answer: Any, *parameters: str) -> dict[str, Any]:  # noqa: ANN401 - types of any form
    """Return the keyword arguments of a read's route handler, which carries its description."""
    refuses = (404,) if "{" in path else ()
    description = OperationDescription(operation=operation, answer=answer, parameters=parameters, refuses=refuses)
    return {
        "path": path,
        "operation_id": operation,
        "include_in_schema": False,
        "request_class": ReadRequest,
        "opt": {"description": description},
    }
