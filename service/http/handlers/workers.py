"""Workers: drained and fenced."""

from litestar import post
from msgspec.json import Decoder

from service.domain.commands import DrainWorker, FenceWorker
from service.http.openapi.operation import WORKER, described
from service.http.request.fields import Body, Line
from service.http.request.request import Call
from service.http.response import Ready, shown


class WorkerReason(Body, frozen=True):
    """Why a person does this."""

    reason: Line | None = None


REASON = Decoder(WorkerReason)


async def ordered(request: Call, command: type[DrainWorker | FenceWorker]) -> Ready:
    """Have an order about a worker carried out; the answer is its view."""
    worker = request.worker
    body = await request.told(REASON)
    views = request.desk.views
    return await shown(request, command(worker=worker, reason=body.reason), lambda position: views.worker(worker, position))


@post("/v1/workers/{worker:str}/drain", **described("DrainWorker", WorkerReason, WORKER, refuses=(404,)))
async def drain_worker(request: Call) -> Ready:
    """Give the worker nothing more; what it holds it finishes."""
    return await ordered(request, DrainWorker)


@post("/v1/workers/{worker:str}/fence", **described("FenceWorker", WorkerReason, WORKER, refuses=(404,)))
async def fence_worker(request: Call) -> Ready:
    """Revoke the worker's claims at once, neutrally, and give it nothing more."""
    return await ordered(request, FenceWorker)


HANDLERS = (drain_worker, fence_worker)
