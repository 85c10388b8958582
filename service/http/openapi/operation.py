"""The description of a mutation for the OpenAPI document, and the arguments of its route."""

from typing import Any

from service.http.request.request import WriteRequest
from service.route_options import OperationDescription

CAMPAIGN, UNIT, WORKER, ENGINE, QUOTA = "CampaignView", "UnitView", "WorkerView", "EngineView", "QuotaView"
INVESTIGATION, RECOVERY = "InvestigationView", "RecoveryView"
"""The schemas of views, which the read side defines."""


def described(operation: str, body: Any, answer: Any, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - types of any form
    """Return the keyword arguments of a mutation's route handler, which carries its description."""
    description = OperationDescription(operation=operation, body=body, answer=answer, **more)
    return {
        "operation_id": operation,
        "status_code": description.status,
        "include_in_schema": False,
        "request_class": WriteRequest,
        "opt": {"description": description},
    }
