"""`GET /metrics`: the fleet's numbers from the persisted fold, and this process's own."""

import asyncio
import time

from litestar import Response, get

from projections.export import prometheus
from projections.export.snapshot import Snapshot, rows, take
from projections.http.description import described
from projections.http.look import Look
from projections.rejections import Unreadable

SCOPES = ("all", "fleet", "process")


@get(**described("/metrics", "GetMetrics", str, "scope"))
async def metrics(request: Look) -> Response[bytes]:
    """Return the metrics; without a database, those of this process, and 503 for the fleet's alone."""
    scope = request.word("scope", SCOPES) or "all"
    openmetrics = prometheus.accepts_openmetrics(request.headers.get("accept", ""))
    started = time.perf_counter()
    snapshot = None if scope == "process" else await fleet(request, needed=scope == "fleet")
    text = await asyncio.to_thread(written, request, snapshot, scope, openmetrics=openmetrics)
    request.lookout.process.collected(time.perf_counter() - started)
    return Response(text, media_type=prometheus.OPENMETRICS if openmetrics else prometheus.TEXT)


async def fleet(request: Look, *, needed: bool) -> Snapshot | None:
    """Return the fleet's numbers; None when the database is away and they are not *needed*."""
    try:
        async with request.reader.connection() as connection:
            return await take(connection, request.reader.shard)
    except Unreadable:
        request.lookout.process.collect_failed()
        if needed:
            raise
        return None


def written(request: Look, snapshot: Snapshot | None, scope: str, *, openmetrics: bool) -> bytes:
    """Return the exposition as bytes."""
    lines = [] if snapshot is None else list(prometheus.fleet(rows(snapshot), openmetrics=openmetrics))
    if scope != "fleet":
        lines.extend(prometheus.process(request.lookout.process.registry, openmetrics=openmetrics))
    if openmetrics:
        lines.append("# EOF\n")
    return "".join(lines).encode("utf-8", "replace")


HANDLERS = [metrics]
