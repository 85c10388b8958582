"""The engine: its pause switch, its pool, and a sweep on demand."""

from typing import Annotated

from litestar import patch, post
from msgspec import Meta
from msgspec.json import Decoder

from service.domain.commands import Command, PauseEngine, ResizePool, ResumeEngine, TickEngine
from service.http.openapi.operation import ENGINE, described
from service.http.request.fields import Line, RequestBody
from service.http.request.request import WriteRequest
from service.http.response import RawResponse, submit_and_view


class EngineReason(RequestBody, frozen=True):
    """The reason that the event records."""

    reason: Line | None = None


class EnginePatch(RequestBody, frozen=True):
    """The number of slots of the whole installation; for I/O-bound work on one machine, start with twice its cores."""

    pool_size: Annotated[int, Meta(ge=0, le=1_000_000)]


class Tick(RequestBody, frozen=True):
    """With *force*, every gate opens first."""

    force: bool = False


REASON, PATCH, TICK = Decoder(EngineReason), Decoder(EnginePatch), Decoder(Tick)


async def submit_and_view_engine(request: WriteRequest, command: Command) -> RawResponse:
    """Submit a command about the engine; the answer is its view."""
    return await submit_and_view(request, command, request.context.views.engine)


@patch("/v1/engine", **described("ResizePool", EnginePatch, ENGINE))
async def resize_pool(request: WriteRequest) -> RawResponse:
    """Set the number of slots; units that already run above it go on."""
    body = await request.decoded_body(PATCH)
    return await submit_and_view_engine(request, ResizePool(pool_size=body.pool_size))


@post("/v1/engine/pause", **described("PauseEngine", EngineReason, ENGINE))
async def pause_engine(request: WriteRequest) -> RawResponse:
    """Stop every claim; running work goes on. Pausing twice is one pause."""
    body = await request.decoded_body(REASON)
    return await submit_and_view_engine(request, PauseEngine(reason=body.reason))


@post("/v1/engine/resume", **described("ResumeEngine", EngineReason, ENGINE))
async def resume_engine(request: WriteRequest) -> RawResponse:
    """Allow claims again."""
    body = await request.decoded_body(REASON)
    return await submit_and_view_engine(request, ResumeEngine(reason=body.reason))


@post("/v1/engine/tick", **described("TickEngine", Tick, ENGINE))
async def tick_engine(request: WriteRequest) -> RawResponse:
    """Sweep now; with `force`, open every gate first."""
    body = await request.decoded_body(TICK)
    return await submit_and_view_engine(request, TickEngine(force=body.force))


HANDLERS = (resize_pool, pause_engine, resume_engine, tick_engine)
