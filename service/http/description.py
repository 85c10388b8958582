"""What the OpenAPI document says of a route: its body, its answer, its refusals."""

from typing import Any

from msgspec import Struct

from service.http.contract import CampaignView, EngineView, QuotaView, UnitView, WorkerView

CAMPAIGN, UNIT, WORKER, ENGINE, QUOTA = CampaignView, UnitView, WorkerView, EngineView, QuotaView


class Description(Struct, frozen=True, kw_only=True):
    """One operation: *body* and *answer* are types, *refuses* the statuses beyond those that every route has."""

    operation: str
    body: Any = None
    answer: Any = None
    status: int = 200
    refuses: tuple[int, ...] = ()
    lines: bool = False


def described(operation: str, body: Any, answer: Any, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - types of any form
    """Return the keyword arguments of a route handler that carries its description."""
    description = Description(operation=operation, body=body, answer=answer, **more)
    return {
        "operation_id": operation,
        "status_code": description.status,
        "include_in_schema": False,
        "opt": {"description": description},
    }
