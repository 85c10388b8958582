"""The bulk retry: every quarantine of a campaign that matches is cleared, in chunks, under one bulk id."""

from hashlib import sha256
from typing import Annotated
from uuid import uuid4

import msgspec
from litestar import post
from msgspec import Meta, Struct
from msgspec.json import Decoder

from service.domain import ids
from service.domain.commands import ClearQuarantine, ClearReply
from service.http.openapi.operation import described
from service.http.request.fields import Line, RequestBody, Text
from service.http.request.request import WriteRequest, require
from service.http.response import RawResponse, json_response, keep, not_found
from service.submission import Answer

CHUNK = 1000


class RetryFilter(RequestBody, frozen=True):
    """Which quarantined units; *error_glob* knows `*` and `?`, whole message, any case."""

    reason: ids.QuarantineReason | None = None
    error_glob: Annotated[str, Meta(min_length=1, max_length=1000)] | None = None


class RetryFailed(RequestBody, frozen=True):
    """What to retry and how; *dry_run* only counts."""

    reload_brief: Text | None = None
    where: RetryFilter = RetryFilter()
    dry_run: bool = False
    reason: Line | None = None


class RetryAnswer(Struct, frozen=True):
    """How many units matched, and how many came back to work."""

    bulk_id: str
    matched: int
    cleared: int
    position: int


RETRY_FAILED = Decoder(RetryFailed)


@post("/v1/campaigns/{name:str}/retry-failed", **described("RetryFailed", RetryFailed, RetryAnswer, refuses=(404, 409, 422)))
async def retry_failed(request: WriteRequest) -> RawResponse:
    """Send quarantined units back to work with their attempts at zero; they are claimable at once.

    Interrupted, it is asked again under the same `Idempotency-Key`: it goes on under the same bulk id.
    """
    campaign = request.campaign
    body = await request.decoded_body(RETRY_FAILED)
    if body.dry_run:
        return await counted(request, campaign, body)
    bulk_id = sha256(request.key.encode()).hexdigest()[:32] if request.key else uuid4().hex
    first = ClearQuarantine(campaign=campaign, keys=(), bulk_id=bulk_id, brief=body.reload_brief, reason=body.reason)
    begun = await request.submit(first)
    if begun.body is not None:
        return json_response(begun.body, begun)
    answer = await cleared(request, first, body.where, begun)
    content = msgspec.json.encode(answer)
    await keep(request, 200, content)
    return json_response(content, msgspec.structs.replace(begun, position=answer.position))


async def cleared(request: WriteRequest, first: ClearQuarantine, where: RetryFilter, begun: Answer) -> RetryAnswer:
    """Clear what matches, a chunk a transaction."""
    origin = msgspec.structs.replace(request.origin(), key=None)
    matched = count = 0
    position, after = begun.position, None
    while keys := tuple(await request.context.quarantine.keys(first.campaign, where, after, CHUNK)):
        answer = await request.submit(msgspec.structs.replace(first, keys=keys, brief=None), origin)
        done: ClearReply = answer.only()
        matched, count = matched + len(keys), count + done.cleared
        position, after = answer.position, keys[-1]
    return RetryAnswer(first.bulk_id, matched, count, position)


async def counted(request: WriteRequest, campaign: ids.CampaignName, body: RetryFailed) -> RawResponse:
    """Count what would be retried, and change nothing."""
    view = require(await request.context.views.campaign(campaign, None), not_found("campaign", campaign))
    matched, after = 0, None
    while keys := tuple(await request.context.quarantine.keys(campaign, body.where, after, CHUNK)):
        matched, after = matched + len(keys), keys[-1]
    position = msgspec.json.decode(view, type=ViewPosition).position
    answer = RetryAnswer("", matched, 0, position)
    return json_response(msgspec.json.encode(answer), Answer(position=position))


class ViewPosition(Struct):
    """A view's position in the log."""

    position: int


HANDLERS = (retry_failed,)
