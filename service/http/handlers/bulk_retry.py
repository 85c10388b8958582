"""`POST /v1/campaigns/{name}/retry-failed`: the bulk retry of quarantined units."""

from hashlib import sha256
from typing import Annotated
from uuid import uuid4

import msgspec
from litestar import post
from msgspec import Meta, Struct
from msgspec.json import Decoder
from msgspec.structs import replace

from service.bulk_retry import clear_matching, matching_chunks
from service.domain import ids
from service.domain.commands import ClearQuarantine
from service.http.openapi.operation import described
from service.http.request.fields import Line, RequestBody, Text
from service.http.request.request import WriteRequest, require
from service.http.response import RawResponse, json_response, keep, not_found
from service.submission import Answer


class RetryFilter(RequestBody, frozen=True):
    """Which quarantined units; in *error_glob*, `*` and `?` match, over the whole message and in any case."""

    reason: ids.QuarantineReason | None = None
    error_glob: Annotated[str, Meta(min_length=1, max_length=1000)] | None = None


class RetryFailed(RequestBody, frozen=True):
    """Which units to retry, and with which brief; *dry_run* only counts them."""

    reload_brief: Text | None = None
    where: RetryFilter = RetryFilter()
    dry_run: bool = False
    reason: Line | None = None


class RetryAnswer(Struct, frozen=True):
    """How many units matched, and how many became ready again."""

    bulk_id: str
    matched: int
    cleared: int
    position: int


RETRY_FAILED = Decoder(RetryFailed)


@post("/v1/campaigns/{name:str}/retry-failed", **described("RetryFailed", RetryFailed, RetryAnswer, refuses=(404, 409, 422)))
async def retry_failed(request: WriteRequest) -> RawResponse:
    """Make quarantined units ready again, with their attempts at zero.

    If the request is interrupted, repeat it with the same `Idempotency-Key`: it continues under the same bulk id.
    """
    campaign = request.campaign
    body = await request.decoded_body(RETRY_FAILED)
    if body.dry_run:
        return await count_matching(request, campaign, body)
    bulk_id = sha256(request.key.encode()).hexdigest()[:32] if request.key else uuid4().hex
    first = ClearQuarantine(campaign=campaign, keys=(), bulk_id=bulk_id, brief=body.reload_brief, reason=body.reason)
    begun = await request.submit(first)
    if begun.body is not None:
        return json_response(begun.body, begun)
    context, origin = request.context, replace(request.origin(), key=None)
    done = await clear_matching(context.writer, context.quarantine, first, body.where, origin, begun.position)
    content = msgspec.json.encode(RetryAnswer(bulk_id, done.matched, done.cleared, done.position))
    await keep(request, 200, content)
    return json_response(content, replace(begun, position=done.position))


async def count_matching(request: WriteRequest, campaign: ids.CampaignName, body: RetryFailed) -> RawResponse:
    """Count the units that would be retried, and change nothing."""
    view = require(await request.context.views.campaign(campaign, None), not_found("campaign", campaign))
    matched = 0
    async for keys in matching_chunks(request.context.quarantine, campaign, body.where):
        matched += len(keys)
    position = msgspec.json.decode(view, type=ViewPosition).position
    answer = RetryAnswer("", matched, 0, position)
    return json_response(msgspec.json.encode(answer), Answer(position=position))


class ViewPosition(Struct):
    """The part of a view that says its position in the log."""

    position: int


HANDLERS = (retry_failed,)
