"""Claims: a worker asks for units, and may wait for them."""

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

TURN_S = 0.02
"""Rest between a ring and the look that it causes, so that a storm of rings is one look."""
POLL_S = 1.0
"""A look stands behind every lost ring, and finds what time alone has made claimable."""


class ClaimBody(RequestBody, frozen=True):
    """Who asks for how much of what; no *campaigns* means any, *wait_s* waits until something is claimable."""

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
    """What was given, and why a campaign gave nothing."""

    claims: tuple[Grant, ...]
    position: int
    blocked: tuple[BlockedCampaign, ...]


CLAIM, ENCODE = Decoder(ClaimBody), msgspec.json.Encoder().encode
NOTHING = b'{"claims":[],'


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
    look = ClaimPoll(request, command)
    await look(last=not body.wait_s)
    if not look.answered():
        await wait(look, body.wait_s)
    return json_response(look.content, look.answer)


def rendered(answer: Answer) -> bytes:
    """Return the answer to a claim, or raise its refusal."""
    claimed: ClaimReply = answer.only()
    return ENCODE(ClaimResponse(claimed.claims, answer.position, claimed.blocked))


class ClaimPoll:
    """One wish, looked at as often as the bell rings; the look that gives something, or the last one, uses up its key."""

    answer: Answer
    content: bytes
    last: bool

    def __init__(self, request: WriteRequest, command: ClaimWork) -> None:
        self.context = request.context
        self.command = command
        self.origin = request.origin()
        self.receive = request.receive
        self.notes = request.scope.setdefault("state", {})
        self.wakeups_seen = 0

    def answered(self) -> bool:
        """Tell whether there is nothing to wait for: something was given, or the key was answered before."""
        return self.last or self.answer.replayed or not self.content.startswith(NOTHING)

    def kept(self, answer: Answer) -> bytes | None:
        """Return what a repetition of the key gets, None while the wait goes on."""
        content = rendered(answer)
        return content if self.last or not content.startswith(NOTHING) else None

    async def __call__(self, *, last: bool = False) -> None:
        """Ask the Writer once; what is given and the key's answer are stored together."""
        self.wakeups_seen, self.last = self.context.wakeup.count, last
        origin = self.origin if self.origin.key is None else replace(self.origin, render=self.kept)
        self.answer = await self.context.writer.submit((self.command,), origin)
        self.content = rendered(self.answer) if self.answer.body is None else self.answer.body


async def wait(look: ClaimPoll, wait_s: float) -> None:
    """Look again whenever the bell rings, until something is given, time is over, or nobody listens any more."""
    clock = asyncio.get_running_loop().time
    began = clock()
    until = began + wait_s
    ends = asyncio.create_task(left(look.receive)), asyncio.create_task(look.context.stopping.wait())
    look.context.waiting.add(look)
    try:
        while not look.answered() and not ends[0].done():
            await rest(look, min(max(until - clock(), 0.0), POLL_S), ends)
            if not ends[0].done():
                await look(last=clock() >= until or ends[1].done())
    finally:
        look.context.waiting.discard(look)
        look.notes[WAITED] = clock() - began
        for end in ends:
            end.cancel()


async def rest(look: ClaimPoll, timeout_s: float, ends: Iterable[asyncio.Task[Any]]) -> None:
    """Wait for a ring, for the end of the time, or for the end of the wait itself."""
    ring = asyncio.create_task(look.context.wakeup.after(look.wakeups_seen, timeout_s))
    done, _ = await asyncio.wait((ring, *ends), return_when=asyncio.FIRST_COMPLETED)
    ring.cancel()
    if done == {ring}:
        await asyncio.sleep(TURN_S)


async def left(receive: Receive) -> None:
    """Return when the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass


HANDLERS = (claim_work,)
