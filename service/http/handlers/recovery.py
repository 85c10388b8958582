"""Recovery: decisions on the plan for a campaign whose workers all died while the service was away."""

from litestar import post
from msgspec.json import Decoder

from service.domain.commands import ApplyRecovery, Command, DeclineRecovery
from service.http.openapi.operation import RECOVERY, described
from service.http.request.fields import RequestBody
from service.http.request.request import WriteRequest
from service.http.response import RawResponse, submit_and_view


class Decision(RequestBody, frozen=True):
    """The empty body of a decision."""


DECISION = Decoder(Decision)


async def submit_decision(request: WriteRequest, command: Command) -> RawResponse:
    """Submit a decision; the answer is the plan."""
    recovery = request.recovery
    await request.decoded_body(DECISION)
    return await submit_and_view(request, command, lambda position: request.context.views.recovery(recovery, position))


@post("/v1/recovery/{recovery:str}/apply", **described("ApplyRecovery", Decision, RECOVERY, refuses=(404, 409)))
async def apply(request: WriteRequest) -> RawResponse:
    """Continue the campaign: the units of the plan that dead claims still hold become ready, and no attempt is counted."""
    return await submit_decision(request, ApplyRecovery(id=request.recovery))


@post("/v1/recovery/{recovery:str}/decline", **described("DeclineRecovery", Decision, RECOVERY, refuses=(404, 409)))
async def decline(request: WriteRequest) -> RawResponse:
    """Cancel the campaign, with reason `interrupted-not-resumed`."""
    return await submit_decision(request, DeclineRecovery(id=request.recovery))


HANDLERS = (apply, decline)
