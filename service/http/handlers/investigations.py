"""Investigations: the result of an investigation of a quarantined unit."""

from litestar import post
from msgspec import Raw, field
from msgspec.json import Decoder

from service.domain.commands import ConcludeInvestigation, Fix
from service.domain.content.json_limits import require_fit
from service.domain.content.redact import error_text
from service.http.openapi.operation import INVESTIGATION, described
from service.http.request.fields import Key, RequestBody, Text, null
from service.http.request.request import WriteRequest
from service.http.response import RawResponse, submit_and_view


class FixBody(RequestBody, frozen=True):
    """The unit that fixes the investigated one; its key is `<key>.fix`, whatever *key* says."""

    key: Key | None = None
    payload: Raw = field(default_factory=null)

    def __post_init__(self) -> None:
        """Check what the types cannot express."""
        require_fit("payload", self.payload)


class InvestigationResult(RequestBody, frozen=True):
    """The result; without a *unit* there is no fix. The cause is stored up to 4,000 characters."""

    unit: FixBody | None = None
    root_cause: Text | None = None


RESULT = Decoder(InvestigationResult)


@post(
    "/v1/investigations/{investigation:str}/result",
    **described("ConcludeInvestigation", InvestigationResult, INVESTIGATION, refuses=(404, 409, 422)),
)
async def conclude(request: WriteRequest) -> RawResponse:
    """End an investigation, with one new unit in the group of the investigated one, marked as its fix, or without.

    An investigation ends 30 minutes after its claim at the latest; a result after that is a conflict.
    """
    investigation = request.investigation
    body = await request.decoded_body(RESULT)
    fix = None if body.unit is None else Fix(body.unit.key, body.unit.payload)
    command = ConcludeInvestigation(id=investigation, fix=fix, root_cause=error_text(body.root_cause))
    return await submit_and_view(request, command, lambda position: request.context.views.investigation(investigation, position))


HANDLERS = (conclude,)
