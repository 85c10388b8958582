"""Follows the log over server-sent events. After every interruption the stream resumes after the last position received."""

import asyncio
from collections.abc import AsyncIterator, Callable

from msgspec import Struct

from service.client.api_types import ApiEngine, ApiEvent
from service.client.errors import AwayError
from service.client.http_client import ApiClient, Query, decoded

PATH = "/v1/events/stream"
RECONNECT_S = 1.0
OnConnection = Callable[[AwayError | None], None]
"""Called with the error when the connection is lost, and with None when it is there again."""


class StreamedEvent(Struct, frozen=True):
    """One event: its position, and the JSON that the service sent."""

    position: int
    text: bytes

    def event(self) -> ApiEvent:
        """Return the event, decoded."""
        return decoded(self.text, ApiEvent)


async def head(service: ApiClient) -> int:
    """Return the position of the log's last event."""
    return (await service.read("/v1/engine", ApiEngine)).position


async def follow(
    service: ApiClient, after: int, query: Query, on_connection: OnConnection, *, reconnect_s: float = RECONNECT_S
) -> AsyncIterator[StreamedEvent]:
    """Yield every event after position *after* that matches *query*, each once and in order, without an end.

    Raises:
        RefusedError: the service refuses the stream, which no new connection changes.

    """
    while True:
        try:
            async for event in stream_once(service, after, query, on_connection):
                after = event.position
                yield event
            on_connection(AwayError("the stream has ended"))
        except AwayError as error:
            on_connection(error)
        await asyncio.sleep(reconnect_s)


async def stream_once(service: ApiClient, after: int, query: Query, on_connection: OnConnection) -> AsyncIterator[StreamedEvent]:
    """Yield events from one connection until it ends."""
    parser = EventStreamParser()
    async for part in service.stream(PATH, query, {"Last-Event-ID": str(after), "Accept": "text/event-stream"}):
        if parser.fresh:
            on_connection(None)
        for event in parser.feed(part):
            yield event


class EventStreamParser:
    """Server-sent events, put together from the bytes of a connection; comments and times of retry are passed over."""

    def __init__(self) -> None:
        self.fresh = True
        self._rest = b""

    def feed(self, part: bytes) -> list[StreamedEvent]:
        r"""Take in *part* and return the events that it completes.

        >>> frames = EventStreamParser()
        >>> frames.feed(b": hello\n\nid: 7\nevent: a\nda"), frames.feed(b'ta: {"a":1}\n\nid: 8')
        ([], [StreamedEvent(position=7, text=b'{"a":1}')])
        """
        self.fresh = False
        *whole, self._rest = (self._rest + part).split(b"\n\n")
        return [told for frame in whole if (told := event_of(frame)) is not None]


def event_of(frame: bytes) -> StreamedEvent | None:
    """Return the event of a frame, None when it holds none."""
    fields = dict(pair.split(b": ", 1) for pair in frame.split(b"\n") if b": " in pair)
    try:
        return StreamedEvent(int(fields[b"id"]), fields[b"data"])
    except (KeyError, ValueError):
        return None
