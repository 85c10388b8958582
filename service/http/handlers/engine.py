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
    """Why a person does this."""

    reason: Line | None = None


class EnginePatch(RequestBody, frozen=True):
    """The number of slots of the whole installation; for I/O-bound work on one machine, begin with twice its cores."""

    pool_size: Annotated[int, Meta(ge=0, le=1_000_000)]


class Tick(RequestBody, frozen=True):
    """With *force*, every gate opens."""

    force: bool = False


REASON, PATCH, TICK = Decoder(EngineReason), Decoder(EnginePatch), Decoder(Tick)


async def steered(request: WriteRequest, command: Command) -> RawResponse:
    """Have an order about the engine carried out; the answer is its view."""
    return await submit_and_view(request, command, request.context.views.engine)


@patch("/v1/engine", **described("ResizePool", EnginePatch, ENGINE))
async def resize_pool(request: WriteRequest) -> RawResponse:
    """Set the number of slots; what runs above it goes on."""
    body = await request.decoded_body(PATCH)
    return await steered(request, ResizePool(pool_size=body.pool_size))


@post("/v1/engine/pause", **described("PauseEngine", EngineReason, ENGINE))
async def pause_engine(request: WriteRequest) -> RawResponse:
    """Stop every claim; running work goes on. Pausing twice is one pause."""
    body = await request.decoded_body(REASON)
    return await steered(request, PauseEngine(reason=body.reason))


@post("/v1/engine/resume", **described("ResumeEngine", EngineReason, ENGINE))
async def resume_engine(request: WriteRequest) -> RawResponse:
    """Allow claims again."""
    body = await request.decoded_body(REASON)
    return await steered(request, ResumeEngine(reason=body.reason))


@post("/v1/engine/tick", **described("TickEngine", Tick, ENGINE))
async def tick_engine(request: WriteRequest) -> RawResponse:
    """Sweep now; with `force`, open every gate first."""
    body = await request.decoded_body(TICK)
    return await steered(request, TickEngine(force=body.force))


HANDLERS = (resize_pool, pause_engine, resume_engine, tick_engine)
