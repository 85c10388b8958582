"""`POST /v1/claims`: a worker asks for units, and may wait until there are some."""

import asyncio
from collections.abc import Iterable
from typing import Annotated, Any

import msgspec
from litestar import post
from litestar.types import Receive
from msgspec import Meta, Struct, field
from msgspec.json import Decoder
from msgspec.structs import replace

from service.domain import ids
from service.domain.commands import BlockedCampaign, ClaimReply, ClaimWork, Grant
from service.http.openapi.operation import described
from service.http.problems import TooManyRequests
from service.http.request.fields import Labels, RequestBody, Slug, Worker, printable
from service.http.request.request import WAITED, WriteRequest
from service.http.response import RawResponse, json_response
from service.submission import Answer

WAKEUP_REST_S = 0.02
"""Rest between a wake-up and the attempt that it causes, so that many wake-ups cause one attempt."""
POLL_S = 1.0
"""Time between attempts without a wake-up: covers wake-ups that were lost, and units that time alone has made claimable."""


class ClaimBody(RequestBody, frozen=True):
    """The worker, how many units it wants, and of which campaigns; without *campaigns*, of any. *wait_s* bounds the wait."""

    worker: Worker
    max: Annotated[int, Meta(ge=1, le=1000)] = 1
    campaigns: Annotated[tuple[Slug, ...], Meta(max_length=1000)] = ()
    labels: Labels = field(default_factory=dict)
    wait_s: Annotated[float, Meta(ge=0, le=60)] = 0
    mode: ids.Mode = "auto"
    kind: ids.ClaimKind = "unit"

    def __post_init__(self) -> None:
        """Check what the types cannot say."""
        printable("worker", self.worker)


class ClaimResponse(Struct, frozen=True):
    """The claims that were granted, and the campaigns that granted none, with the reason."""

    claims: tuple[Grant, ...]
    position: int
    blocked: tuple[BlockedCampaign, ...]


CLAIM, ENCODE = Decoder(ClaimBody), msgspec.json.Encoder().encode
EMPTY = b'{"claims":[],'


@post("/v1/claims", **described("ClaimWork", ClaimBody, ClaimResponse, refuses=(404, 422, 429)))
async def claim_work(request: WriteRequest) -> RawResponse:
    """Give the worker up to `max` units, each under a lease with a fencing token; say why a campaign gave nothing.

    With `wait_s` the answer waits until something is claimable. `mode: "manual"` ignores `auto: false`, the campaign's
    pause and the breaker; nothing ignores the engine's pause or the pool. `kind: "investigation"` gives quarantined units to
    look into, for 30 minutes and without heartbeats: with their error, exit code and the last 16 KiB of their screen.
    """
    body = await request.decoded_body(CLAIM)
    command = ClaimWork(
        worker=body.worker, max=body.max, campaigns=body.campaigns, labels=body.labels, mode=body.mode, kind=body.kind
    )
    if body.wait_s and len(request.context.waiting) >= request.context.waiting_limit:
        raise TooManyRequests("too many claims wait already", allowed=request.context.waiting_limit)
    poll = ClaimPoll(request, command)
    await poll.attempt(last=not body.wait_s)
    if not poll.settled():
        await poll_until_settled(poll, body.wait_s)
    return json_response(poll.content, poll.answer)


def render_claims(answer: Answer) -> bytes:
    """Return the body of the response.

    Raises:
        Rejection: the claim was refused.

    """
    claimed: ClaimReply = answer.only()
    return ENCODE(ClaimResponse(claimed.claims, answer.position, claimed.blocked))


class ClaimPoll:
    """The attempts of one request; the one that grants something, or the last one, stores the answer of its idempotency key."""

    answer: Answer
    content: bytes
    last: bool

    def __init__(self, request: WriteRequest, command: ClaimWork) -> None:
        self.context = request.context
        self.command = command
        self.origin = request.origin()
        self.receive = request.receive
        self.request_state = request.scope.setdefault("state", {})
        self.wakeups_seen = 0

    def settled(self) -> bool:
        """Tell whether there is nothing to wait for: something was granted, or the idempotency key has an answer already."""
        return self.last or self.answer.replayed or not self.content.startswith(EMPTY)

    def body_for_repetition(self, answer: Answer) -> bytes | None:
        """Return what a repetition of the key gets, None while the request goes on waiting."""
        content = render_claims(answer)
        return content if self.last or not content.startswith(EMPTY) else None

    async def attempt(self, *, last: bool = False) -> None:
        """Submit the claim once; the grants and the answer of the idempotency key are stored in one transaction."""
        self.wakeups_seen, self.last = self.context.wakeup.count, last
        origin = self.origin if self.origin.key is None else replace(self.origin, render=self.body_for_repetition)
        self.answer = await self.context.writer.submit((self.command,), origin)
        self.content = render_claims(self.answer) if self.answer.body is None else self.answer.body


async def poll_until_settled(poll: ClaimPoll, wait_s: float) -> None:
    """Attempt again at each wake-up, until something is granted, *wait_s* is over, the client leaves or the service stops."""
    clock = asyncio.get_running_loop().time
    started = clock()
    until = started + wait_s
    ends = asyncio.create_task(wait_for_disconnect(poll.receive)), asyncio.create_task(poll.context.stopping.wait())
    poll.context.waiting.add(poll)
    try:
        while not poll.settled() and not ends[0].done():
            await wait_for_wakeup(poll, min(max(until - clock(), 0.0), POLL_S), ends)
            if not ends[0].done():
                await poll.attempt(last=clock() >= until or ends[1].done())
    finally:
        poll.context.waiting.discard(poll)
        poll.request_state[WAITED] = clock() - started
        for end in ends:
            end.cancel()


async def wait_for_wakeup(poll: ClaimPoll, timeout_s: float, ends: Iterable[asyncio.Task[Any]]) -> None:
    """Wait for a wake-up, for the end of the time, or for one of *ends*."""
    wakeup = asyncio.create_task(poll.context.wakeup.after(poll.wakeups_seen, timeout_s))
    done, _ = await asyncio.wait((wakeup, *ends), return_when=asyncio.FIRST_COMPLETED)
    wakeup.cancel()
    if done == {wakeup}:
        await asyncio.sleep(WAKEUP_REST_S)


async def wait_for_disconnect(receive: Receive) -> None:
    """Return when the client has disconnected."""
    while (await receive())["type"] != "http.disconnect":
        pass


HANDLERS = (claim_work,)
