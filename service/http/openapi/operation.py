"""What the OpenAPI document says of a route: its body, its answer, its refusals."""

from typing import Any, Protocol

from msgspec import Struct

from service.http.request.request import WriteRequest

CAMPAIGN, UNIT, WORKER, ENGINE, QUOTA = "CampaignView", "UnitView", "WorkerView", "EngineView", "QuotaView"
INVESTIGATION, RECOVERY = "InvestigationView", "RecoveryView"
"""The views, by the names under which the reads describe them."""


class DescribedHandler(Protocol):
    """What a handler of either side carries as `opt["description"]`; a type given as a text is the name of another's."""

    @property
    def operation(self) -> str:
        """The operation's id."""

    @property
    def body(self) -> Any:  # noqa: ANN401 - a type of any form
        """The type of the body, None without one."""

    @property
    def answer(self) -> Any:  # noqa: ANN401 - as above
        """The type of the answer."""

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the query parameters."""

    @property
    def status(self) -> int:
        """The status of a success."""

    @property
    def refuses(self) -> tuple[int, ...]:
        """The statuses of refusals, beyond those that every route has."""

    @property
    def lines(self) -> bool:
        """Whether the body may also come as lines."""


class OperationDescription(Struct, frozen=True, kw_only=True):
    """The description of a mutation."""

    operation: str
    body: Any = None
    answer: Any = None
    parameters: tuple[str, ...] = ()
    status: int = 200
    refuses: tuple[int, ...] = ()
    lines: bool = False


def described(operation: str, body: Any, answer: Any, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - types of any form
    """Return the keyword arguments of a route handler that carries its description."""
    description = OperationDescription(operation=operation, body=body, answer=answer, **more)
    return {
        "operation_id": operation,
        "status_code": description.status,
        "include_in_schema": False,
        "request_class": WriteRequest,
        "opt": {"description": description},
    }
