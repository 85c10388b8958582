"""Recovery: what to do with a campaign whose workers all went while the service was away."""

from litestar import post
from msgspec.json import Decoder

from service.domain.commands import ApplyRecovery, Command, DeclineRecovery
from service.http.openapi.operation import RECOVERY, described
from service.http.request.fields import Body
from service.http.request.request import Call
from service.http.response import Ready, shown


class Decision(Body, frozen=True):
    """A decision says nothing but itself."""


DECISION = Decoder(Decision)


async def decided(request: Call, command: Command) -> Ready:
    """Have a decision carried out; the answer is the plan."""
    known = request.recovery
    await request.told(DECISION)
    return await shown(request, command, lambda position: request.desk.views.recovery(known, position))


@post("/v1/recovery/{recovery:str}/apply", **described("ApplyRecovery", Decision, RECOVERY, refuses=(404, 409)))
async def apply(request: Call) -> Ready:
    """Let the campaign go on: the units of the plan that dead claims still hold are ready again, nothing is counted."""
    return await decided(request, ApplyRecovery(id=request.recovery))


@post("/v1/recovery/{recovery:str}/decline", **described("DeclineRecovery", Decision, RECOVERY, refuses=(404, 409)))
async def decline(request: Call) -> Ready:
    """Let the campaign end: it is cancelled, reason `interrupted-not-resumed`."""
    return await decided(request, DeclineRecovery(id=request.recovery))


HANDLERS = (apply, decline)
