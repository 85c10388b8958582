"""`GET /metrics`: the fleet's numbers (units, heartbeats, quotas) from the persisted fold, and this process's own."""

import asyncio
import gzip
import time
from collections.abc import Coroutine, Sequence

from litestar import Response, get

from projections.export import prometheus
from projections.export.snapshot import Snapshot, rows, take
from projections.http.operation import described_read
from projections.http.reads.reader import Reader
from projections.http.request import ReadRequest
from projections.measures.process import Process
from service.domain.rejections import ReadUnavailable

SCOPES = ("all", "fleet", "process")
FLEET_TIMEOUT_S = 5.0
"""Half of the default `scrape_timeout` of Prometheus, so that it still gets the metrics of this process."""
GZIP_LEVEL = 1
"""The text repeats itself so much that a higher level saves little."""


@get(**described_read("/metrics", "GetMetrics", str, "scope"))
async def metrics(request: ReadRequest) -> Response[bytes]:
    """Return the metrics. While the database is away, only those of this process; 503 when only the fleet's are requested."""
    scope = request.word("scope", SCOPES) or "all"
    form = prometheus.negotiate(request.headers.get("accept", ""))
    gzipped = accepts_gzip(request.headers.get("accept-encoding", ""))
    started = time.perf_counter()
    snapshot = None if scope == "process" else await fleet(request, needed=scope == "fleet")
    text = await asyncio.to_thread(rendered_metrics, request.context.process, snapshot, scope, form)
    headers = {"vary": "accept, accept-encoding"}
    if gzipped:
        text = await asyncio.to_thread(gzip.compress, text, GZIP_LEVEL)
        headers["content-encoding"] = "gzip"
    request.context.process.collected(time.perf_counter() - started)
    return Response(text, media_type=form, headers=headers)


def accepts_gzip(encodings: str) -> bool:
    """Tell whether `Accept-Encoding` allows gzip (RFC 9110, section 12.5.3).

    >>> accepts_gzip("deflate, gzip"), accepts_gzip("gzip;q=0"), accepts_gzip("")
    (True, False, False)
    """
    for part in encodings.split(","):
        name, *parameters = (word.strip() for word in part.split(";"))
        if name in ("gzip", "*"):
            values = dict(parameter.partition("=")[::2] for parameter in parameters)
            return prometheus.quality(values.get("q", "1")) > 0
    return False


async def fleet(request: ReadRequest, *, needed: bool) -> Snapshot | None:
    """Return the metrics of the fleet; None when the database is away and they are not *needed*.

    Raises:
        ReadUnavailable: the database is away, and they are *needed*.

    """
    try:
        return await read_in_time(read_snapshot(request.reader))
    except ReadUnavailable:
        request.context.process.collect_failed()
        if needed:
            raise
        return None


async def read_snapshot(reader: Reader) -> Snapshot:
    """Read the metrics of the fleet."""
    async with reader.connection() as connection:
        return await take(connection, reader.sizes, reader.shard)


async def read_in_time(reading: Coroutine[None, None, Snapshot]) -> Snapshot:
    """Return the result of *reading*.

    The task is cancelled but not awaited: on a silent line the cancellation itself would outlast the patience of the scraper.

    Raises:
        ReadUnavailable: it takes longer than `FLEET_TIMEOUT_S`.

    """
    task = asyncio.create_task(reading)
    done, _ = await asyncio.wait([task], timeout=FLEET_TIMEOUT_S)
    if not done:
        task.cancel()
        task.add_done_callback(lambda late: late.cancelled() or late.exception())
        raise ReadUnavailable("the database takes too long")
    return task.result()


def rendered_metrics(process: Process, snapshot: Snapshot | None, scope: str, form: str) -> bytes:
    """Return the exposition as bytes."""
    openmetrics, native = form != prometheus.TEXT, form == prometheus.NATIVE
    lines = [] if snapshot is None else list(prometheus.fleet(rows(snapshot), openmetrics=openmetrics, native=native))
    process.showed("fleet", count_samples(lines))
    if scope != "fleet":
        own = list(prometheus.process(process.registry, openmetrics=openmetrics))
        process.showed("process", count_samples(own))
        lines += own
    if openmetrics:
        lines.append("# EOF\n")
    return "".join(lines).encode("utf-8", "replace")


def count_samples(lines: Sequence[str]) -> int:
    """Return how many of *lines* are samples."""
    return sum(not line.startswith("#") for line in lines)


HANDLERS = [metrics]
