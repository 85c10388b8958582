"""`GET` of the log: pages, and a stream of server-sent events."""

from collections.abc import AsyncIterator

from litestar import Response, get
from litestar.response import Stream

from projections.http.operation import LIST, described_read
from projections.http.reads import events as reads
from projections.http.reads.events import Filter, LogEvent
from projections.http.request import ListPage, ReadRequest, json_response
from service.domain.rejections import Validation


@get(**described_read("/v1/events", "ListEvents", ListPage[LogEvent], *LIST, "after", "campaign", "unit", "worker", "kind"))
async def events(request: ReadRequest) -> Response[bytes]:
    """Return the events after a position that match; `next` is the position of the last one."""
    return await events_page(request, event_filter(request))


async def events_page(request: ReadRequest, chosen: Filter) -> Response[bytes]:
    """Respond with the next events that match *chosen*."""
    limit, after = request.limit, request.position
    if request.at_least is not None:
        await request.reader.projector.at_least(request.at_least)
    upto = await reads.head(request.reader)
    items = await reads.events(request.reader, after, upto, chosen, limit)
    more = len(items) == limit and items[-1].position < upto
    return json_response(ListPage(items, str(items[-1].position) if more else None))


def event_filter(request: ReadRequest) -> Filter:
    """Return the filter that the query describes."""
    return Filter(
        campaign=request.text("campaign"),
        unit=request.text("unit"),
        worker=request.text("worker"),
        kinds=request.kinds,
    )


@get(**described_read("/v1/events/stream", "StreamEvents", bytes, "after", "campaign", "unit", "worker", "kind"))
async def stream(request: ReadRequest) -> Stream:
    """Send matching events as they come, each once and in order, from `Last-Event-ID` or `after` on, else from now on."""
    chosen = event_filter(request)
    after, head = last_seen(request), await reads.head(request.reader)
    after = head if after is None else after
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return Stream(stream_frames(request, after, chosen), media_type="text/event-stream", headers=headers)


def last_seen(request: ReadRequest) -> int | None:
    """Return the position after which the stream starts, None for the head of the log.

    Raises:
        Validation: `Last-Event-ID` is no position.

    """
    header = request.headers.get("last-event-id")
    if header is None:
        return request.number("after")
    if not (header.isdecimal() and header.isascii() and len(header) <= 18):  # noqa: PLR2004 - below 2**63
        raise Validation("Last-Event-ID is a position of the log", field="Last-Event-ID", current=header[:200])
    return int(header)


async def stream_frames(request: ReadRequest, after: int, chosen: Filter) -> AsyncIterator[bytes]:
    """Yield the bytes of the stream until the service stops."""
    with request.context.process.stream():
        yield b": the log after position %d\nretry: 1000\n\n" % after
        async for page in reads.follow(request.reader, after, chosen, request.context.stopping):
            request.context.process.streamed(len(page))
            yield reads.frames(page)


HANDLERS = [events, stream]
