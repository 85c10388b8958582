"""Single reports about a claim, for shell scripts: the token is in the path."""

from typing import Literal

import msgspec
from litestar import post
from msgspec import Struct
from msgspec.json import Decoder

from service.domain import ids
from service.domain.commands import ReportReply
from service.domain.instant import Instant
from service.http.openapi.operation import described
from service.http.request.report_bodies import CompletionBody, FailureBody, HeartbeatBody, ParkBody, ReleaseBody, ReportBody
from service.http.request.request import WriteRequest
from service.http.request.screens import Screens
from service.http.response import RawResponse, submit_and_render
from service.submission import Answer

HEARTBEAT, COMPLETION, FAILURE, PARK, RELEASE = map(Decoder, (HeartbeatBody, CompletionBody, FailureBody, ParkBody, ReleaseBody))


class ReportReceipt(Struct, frozen=True):
    """The unit's state now, the new end of the lease, and what the worker should do."""

    state: ids.UnitState | None
    lease_until: Instant | None
    signal: Literal["stop", "drain", "probe"] | None
    position: int
    ok: bool = True


async def record_report(request: WriteRequest, decoder: Decoder[ReportBody]) -> RawResponse:
    """Record one report about the claim of the path."""
    token = request.token
    body = await request.decoded_body(decoder)
    screens = Screens()
    command = body.command(token, None, screens)
    return await submit_and_render(request, (command,), render_receipt, screens.texts)


def render_receipt(answer: Answer) -> bytes:
    """Return the receipt of a report.

    Raises:
        Rejection: the report was refused.

    """
    reply: ReportReply = answer.only()
    return msgspec.json.encode(ReportReceipt(reply.state, reply.lease_until, reply.signal, answer.position))


@post("/v1/claims/{token:str}/heartbeat", **described("Heartbeat", HeartbeatBody, ReportReceipt, refuses=(404, 409)))
async def heartbeat(request: WriteRequest) -> RawResponse:
    """Report that the worker lives and holds the unit; this renews the lease."""
    return await record_report(request, HEARTBEAT)


@post("/v1/claims/{token:str}/complete", **described("Complete", CompletionBody, ReportReceipt, refuses=(404, 409, 413)))
async def complete(request: WriteRequest) -> RawResponse:
    """Report that the work is done; also accepted after the lease has lapsed, unless the unit was claimed again since."""
    return await record_report(request, COMPLETION)


@post("/v1/claims/{token:str}/fail", **described("Fail", FailureBody, ReportReceipt, refuses=(404, 409)))
async def fail(request: WriteRequest) -> RawResponse:
    """Report that the execution failed; the policy decides between a retry and quarantine."""
    return await record_report(request, FAILURE)


@post("/v1/claims/{token:str}/park", **described("Park", ParkBody, ReportReceipt, refuses=(404, 409, 422)))
async def park(request: WriteRequest) -> RawResponse:
    """Report that the work waits for a quota; this is no failure, and no attempt is counted."""
    return await record_report(request, PARK)


@post("/v1/claims/{token:str}/release", **described("Release", ReleaseBody, ReportReceipt, refuses=(404, 409)))
async def release(request: WriteRequest) -> RawResponse:
    """Hand the unit back; nothing is counted."""
    return await record_report(request, RELEASE)


HANDLERS = (heartbeat, complete, fail, park, release)
