"""The reports on one claim, one at a time, for shell scripts: the token stands in the path."""

from datetime import datetime
from typing import Literal

import msgspec
from litestar import post
from msgspec import Struct
from msgspec.json import Decoder

from service.domain import ids
from service.domain.commands import ReportReply
from service.http.openapi.operation import described
from service.http.request.report_bodies import CompletionBody, FailureBody, HeartbeatBody, ParkBody, ReleaseBody, ReportBody
from service.http.request.request import WriteRequest
from service.http.request.screens import Screens
from service.http.response import RawResponse, answered
from service.submission import Answer

BEAT, COMPLETION, FAILURE, PARK, RELEASE = map(Decoder, (HeartbeatBody, CompletionBody, FailureBody, ParkBody, ReleaseBody))


class HeardAnswer(Struct, frozen=True):
    """The unit's state now, the new end of the lease, and what the worker shall do."""

    state: ids.UnitState | None
    lease_until: datetime | None
    signal: Literal["stop", "drain", "probe"] | None
    position: int
    ok: bool = True


async def record_report(request: WriteRequest, decoder: Decoder[ReportBody]) -> RawResponse:
    """Record one word about the claim of the path."""
    token = request.token
    body = await request.decoded_body(decoder)
    screens = Screens()
    command = body.command(token, None, screens)
    return await answered(request, (command,), report_response, screens.texts)


def report_response(answer: Answer) -> bytes:
    """Return what the worker should know, or raise the refusal."""
    reply: ReportReply = answer.only()
    return msgspec.json.encode(HeardAnswer(reply.state, reply.lease_until, reply.signal, answer.position))


@post("/v1/claims/{token:str}/heartbeat", **described("Heartbeat", HeartbeatBody, HeardAnswer, refuses=(404, 409)))
async def heartbeat(request: WriteRequest) -> RawResponse:
    """Say that the worker lives and holds the unit; this renews the lease."""
    return await record_report(request, BEAT)


@post("/v1/claims/{token:str}/complete", **described("Complete", CompletionBody, HeardAnswer, refuses=(404, 409, 413)))
async def complete(request: WriteRequest) -> RawResponse:
    """Say that the work is done; accepted also after the lease lapsed, when nobody has claimed the unit since."""
    return await record_report(request, COMPLETION)


@post("/v1/claims/{token:str}/fail", **described("Fail", FailureBody, HeardAnswer, refuses=(404, 409)))
async def fail(request: WriteRequest) -> RawResponse:
    """Say that the execution failed; the policy decides between a retry and quarantine."""
    return await record_report(request, FAILURE)


@post("/v1/claims/{token:str}/park", **described("Park", ParkBody, HeardAnswer, refuses=(404, 409, 422)))
async def park(request: WriteRequest) -> RawResponse:
    """Say that the work waits for a quota; never a failure, and no attempt is counted."""
    return await record_report(request, PARK)


@post("/v1/claims/{token:str}/release", **described("Release", ReleaseBody, HeardAnswer, refuses=(404, 409)))
async def release(request: WriteRequest) -> RawResponse:
    """Hand the unit back; nothing is counted."""
    return await record_report(request, RELEASE)


HANDLERS = (heartbeat, complete, fail, park, release)
