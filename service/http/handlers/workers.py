"""Workers: drain and fence."""

from litestar import post
from msgspec.json import Decoder

from service.domain.commands import DrainWorker, FenceWorker
from service.http.openapi.operation import WORKER, described
from service.http.request.fields import Line, RequestBody
from service.http.request.request import WriteRequest
from service.http.response import RawResponse, submit_and_view


class WorkerReason(RequestBody, frozen=True):
    """The reason that the event records."""

    reason: Line | None = None


REASON = Decoder(WorkerReason)


async def submit_worker_command(request: WriteRequest, command: type[DrainWorker | FenceWorker]) -> RawResponse:
    """Submit a command about a worker; the answer is its view."""
    worker = request.worker
    body = await request.decoded_body(REASON)
    views = request.context.views
    return await submit_and_view(
        request, command(worker=worker, reason=body.reason), lambda position: views.worker(worker, position)
    )


@post("/v1/workers/{worker:str}/drain", **described("DrainWorker", WorkerReason, WORKER, refuses=(404,)))
async def drain_worker(request: WriteRequest) -> RawResponse:
    """Grant the worker no more claims; it finishes those that it holds."""
    return await submit_worker_command(request, DrainWorker)


@post("/v1/workers/{worker:str}/fence", **described("FenceWorker", WorkerReason, WORKER, refuses=(404,)))
async def fence_worker(request: WriteRequest) -> RawResponse:
    """Revoke the worker's claims at once without counting an attempt, and grant it no more."""
    return await submit_worker_command(request, FenceWorker)


HANDLERS = (drain_worker, fence_worker)
