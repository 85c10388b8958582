"""Workers: drained and fenced."""

from litestar import post
from msgspec.json import Decoder

from service.domain.commands import DrainWorker, FenceWorker
from service.http.openapi.operation import WORKER, described
from service.http.request.fields import Line, RequestBody
from service.http.request.request import WriteRequest
from service.http.response import RawResponse, submit_and_view


class WorkerReason(RequestBody, frozen=True):
    """Why a person does this."""

    reason: Line | None = None


REASON = Decoder(WorkerReason)


async def ordered(request: WriteRequest, command: type[DrainWorker | FenceWorker]) -> RawResponse:
    """Have an order about a worker carried out; the answer is its view."""
    worker = request.worker
    body = await request.decoded_body(REASON)
    views = request.context.views
    return await submit_and_view(
        request, command(worker=worker, reason=body.reason), lambda position: views.worker(worker, position)
    )


@post("/v1/workers/{worker:str}/drain", **described("DrainWorker", WorkerReason, WORKER, refuses=(404,)))
async def drain_worker(request: WriteRequest) -> RawResponse:
    """Give the worker nothing more; what it holds it finishes."""
    return await ordered(request, DrainWorker)


@post("/v1/workers/{worker:str}/fence", **described("FenceWorker", WorkerReason, WORKER, refuses=(404,)))
async def fence_worker(request: WriteRequest) -> RawResponse:
    """Revoke the worker's claims at once, neutrally, and give it nothing more."""
    return await ordered(request, FenceWorker)


HANDLERS = (drain_worker, fence_worker)
