"""`GET` of workers, quotas and the engine."""

from typing import get_args

from litestar import Response, get

from projections.http.operation import AT_LEAST, LIST, described_read
from projections.http.request import ListPage, ReadRequest, json_response, list_page, require_found
from projections.views.quota.view import EngineView, QuotaView
from projections.views.worker.view import WorkerView
from service.domain import ids


@get(**described_read("/v1/workers", "ListWorkers", ListPage[WorkerView], *LIST, "level", "campaign"))
async def workers(request: ReadRequest) -> Response[bytes]:
    """Return workers, filtered by heartbeat level and by a claim in a campaign."""
    limit = request.limit
    level, campaign = request.word("level", get_args(ids.Level)), request.text("campaign")
    items = await request.reader.workers(request.cursor, level, campaign, limit, request.at_least)
    return json_response(list_page(items, limit, items[-1].worker if items else None))


@get(**described_read("/v1/workers/{worker:str}", "GetWorker", WorkerView, AT_LEAST))
async def worker(request: ReadRequest) -> Response[bytes]:
    """Return one worker."""
    name = request.worker
    return json_response(require_found(await request.reader.worker(name, request.at_least), "worker", name))


@get(**described_read("/v1/quotas", "ListQuotas", ListPage[QuotaView], *LIST))
async def quotas(request: ReadRequest) -> Response[bytes]:
    """Return quotas."""
    limit = request.limit
    items = await request.reader.list_quotas(request.cursor, limit, request.at_least)
    return json_response(list_page(items, limit, items[-1].key if items else None))


@get(**described_read("/v1/quotas/{quota:str}", "GetQuota", QuotaView, AT_LEAST))
async def quota(request: ReadRequest) -> Response[bytes]:
    """Return one quota."""
    key = request.quota
    return json_response(require_found(await request.reader.quota(key, request.at_least), "quota", key))


@get(**described_read("/v1/engine", "GetEngine", EngineView, AT_LEAST))
async def engine(request: ReadRequest) -> Response[bytes]:
    """Return the engine: its switch, its pool, its quotas, who leads, the head of the log."""
    return json_response(await request.reader.engine(request.at_least))


HANDLERS = [workers, worker, quotas, quota, engine]
