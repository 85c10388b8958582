"""`GET` of workers, quotas and the engine."""

from typing import get_args

from litestar import Response, get

from projections.http.operation import AT_LEAST, LIST, described
from projections.http.request import Look, Page, found, page, shown
from projections.views.quota.view import EngineView, QuotaView
from projections.views.worker.view import WorkerView
from service.domain import ids


@get(**described("/v1/workers", "ListWorkers", Page[WorkerView], *LIST, "level", "campaign"))
async def workers(request: Look) -> Response[bytes]:
    """Return workers, of a heartbeat level and with a claim in a campaign."""
    limit = request.limit
    level, campaign = request.word("level", get_args(ids.Level)), request.text("campaign")
    items = await request.reader.workers(request.cursor, level, campaign, limit, request.at_least)
    return shown(page(items, limit, items[-1].worker if items else None))


@get(**described("/v1/workers/{worker:str}", "GetWorker", WorkerView, AT_LEAST))
async def worker(request: Look) -> Response[bytes]:
    """Return one worker."""
    name = request.worker
    return shown(found(await request.reader.worker(name, request.at_least), "worker", name))


@get(**described("/v1/quotas", "ListQuotas", Page[QuotaView], *LIST))
async def quotas(request: Look) -> Response[bytes]:
    """Return quotas."""
    limit = request.limit
    items = await request.reader.some_quotas(request.cursor, limit, request.at_least)
    return shown(page(items, limit, items[-1].key if items else None))


@get(**described("/v1/quotas/{quota:str}", "GetQuota", QuotaView, AT_LEAST))
async def quota(request: Look) -> Response[bytes]:
    """Return one quota."""
    key = request.quota
    return shown(found(await request.reader.quota(key, request.at_least), "quota", key))


@get(**described("/v1/engine", "GetEngine", EngineView, AT_LEAST))
async def engine(request: Look) -> Response[bytes]:
    """Return the engine: its switch, its pool, its quotas, who leads, the head of the log."""
    return shown(await request.reader.engine(request.at_least))


HANDLERS = [workers, worker, quotas, quota, engine]
