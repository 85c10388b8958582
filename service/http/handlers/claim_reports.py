"""The reports on one claim, one at a time, for shell scripts: the token stands in the path."""

from datetime import datetime
from typing import Literal

import msgspec
from litestar import post
from msgspec import Struct
from msgspec.json import Decoder

from service.domain import ids
from service.domain.commands import Heard
from service.http.openapi.operation import described
from service.http.request.report_bodies import Beat, Completion, Failure, Park, Release, Said
from service.http.request.request import Call
from service.http.request.screens import Screens
from service.http.response import Ready, answered
from service.submission import Answer

BEAT, COMPLETION, FAILURE, PARK, RELEASE = map(Decoder, (Beat, Completion, Failure, Park, Release))


class HeardAnswer(Struct, frozen=True):
    """The unit's state now, the new end of the lease, and what the worker shall do."""

    state: ids.UnitState | None
    lease_until: datetime | None
    signal: Literal["stop", "drain", "probe"] | None
    position: int
    ok: bool = True


async def said(request: Call, decoder: Decoder[Said]) -> Ready:
    """Record one word about the claim of the path."""
    token = request.token
    body = await request.told(decoder)
    screens = Screens()
    command = body.command(token, None, screens)
    return await answered(request, (command,), heard, screens.texts)


def heard(answer: Answer) -> bytes:
    """Return what the worker should know, or raise the refusal."""
    reply: Heard = answer.only()
    return msgspec.json.encode(HeardAnswer(reply.state, reply.lease_until, reply.signal, answer.position))


@post("/v1/claims/{token:str}/heartbeat", **described("Heartbeat", Beat, HeardAnswer, refuses=(404, 409)))
async def heartbeat(request: Call) -> Ready:
    """Say that the worker lives and holds the unit; this renews the lease."""
    return await said(request, BEAT)


@post("/v1/claims/{token:str}/complete", **described("Complete", Completion, HeardAnswer, refuses=(404, 409, 413)))
async def complete(request: Call) -> Ready:
    """Say that the work is done; accepted also after the lease lapsed, when nobody has claimed the unit since."""
    return await said(request, COMPLETION)


@post("/v1/claims/{token:str}/fail", **described("Fail", Failure, HeardAnswer, refuses=(404, 409)))
async def fail(request: Call) -> Ready:
    """Say that the execution failed; the policy decides between a retry and quarantine."""
    return await said(request, FAILURE)


@post("/v1/claims/{token:str}/park", **described("Park", Park, HeardAnswer, refuses=(404, 409, 422)))
async def park(request: Call) -> Ready:
    """Say that the work waits for a quota; never a failure, and no attempt is counted."""
    return await said(request, PARK)


@post("/v1/claims/{token:str}/release", **described("Release", Release, HeardAnswer, refuses=(404, 409)))
async def release(request: Call) -> Ready:
    """Hand the unit back; nothing is counted."""
    return await said(request, RELEASE)


HANDLERS = (heartbeat, complete, fail, park, release)
