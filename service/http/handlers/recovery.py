"""Recovery: what to do with a campaign whose workers all went while the service was away."""

from litestar import post
from msgspec.json import Decoder

from service.domain.commands import ApplyRecovery, Command, DeclineRecovery
from service.http.openapi.operation import RECOVERY, described
from service.http.request.fields import RequestBody
from service.http.request.request import WriteRequest
from service.http.response import RawResponse, submit_and_view


class Decision(RequestBody, frozen=True):
    """A decision says nothing but itself."""


DECISION = Decoder(Decision)


async def submit_decision(request: WriteRequest, command: Command) -> RawResponse:
    """Have a decision carried out; the answer is the plan."""
    known = request.recovery
    await request.decoded_body(DECISION)
    return await submit_and_view(request, command, lambda position: request.context.views.recovery(known, position))


@post("/v1/recovery/{recovery:str}/apply", **described("ApplyRecovery", Decision, RECOVERY, refuses=(404, 409)))
async def apply(request: WriteRequest) -> RawResponse:
    """Let the campaign go on: the units of the plan that dead claims still hold are ready again, nothing is counted."""
    return await submit_decision(request, ApplyRecovery(id=request.recovery))


@post("/v1/recovery/{recovery:str}/decline", **described("DeclineRecovery", Decision, RECOVERY, refuses=(404, 409)))
async def decline(request: WriteRequest) -> RawResponse:
    """Let the campaign end: it is cancelled, reason `interrupted-not-resumed`."""
    return await submit_decision(request, DeclineRecovery(id=request.recovery))


HANDLERS = (apply, decline)
