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
    """Server-sent events, put together from the bytes of a connection; comments and times of retry are passed over.

    See "Interpreting an event stream" of the HTML standard; lines end in LF or CRLF. Each byte is read once, however it is cut.
    """

    def __init__(self) -> None:
        self.fresh = True
        self._line: list[bytes] = []
        self._data: list[bytes] = []
        self._id = b""

    def feed(self, part: bytes) -> list[StreamedEvent]:
        r"""Take in *part* and return the events that it completes.

        >>> frames = EventStreamParser()
        >>> frames.feed(b": hello\n\nid: 7\nevent: a\nda"), frames.feed(b'ta: {"a":1}\n\nid: 8')
        ([], [StreamedEvent(position=7, text=b'{"a":1}')])
        """
        self.fresh = False
        *lines, rest = part.split(b"\n")
        if lines:
            lines[0] = b"".join([*self._line, lines[0]])
            self._line = []
        self._line.append(rest)
        return [event for line in lines if (event := self._event_of(line.removesuffix(b"\r"))) is not None]

    def _event_of(self, line: bytes) -> StreamedEvent | None:
        """Take in one line; an empty one ends an event, which is none without data or without a position."""
        if line:
            name, _, value = line.partition(b":")
            if name == b"data":
                self._data.append(value.removeprefix(b" "))
            elif name == b"id":
                self._id = value.removeprefix(b" ")
            return None
        text = b"\n".join(self._data)
        self._data = []
        try:
            return StreamedEvent(int(self._id), text) if text else None
        except ValueError:
            return None
