"""The log as it grows: server-sent events, taken up again after every interruption where they stopped."""

import asyncio
from collections.abc import AsyncIterator, Callable

from msgspec import Struct

from service.terminal.api_types import Engine, Event
from service.terminal.http_client import AwayError, Query, Service, decoded

PATH = "/v1/events/stream"
REST_S = 1.0


class Told(Struct, frozen=True):
    """One event: its position, and the JSON that the service sent."""

    position: int
    text: bytes

    def event(self) -> Event:
        """Return the event, decoded."""
        return decoded(self.text, Event)


async def head(service: Service) -> int:
    """Return the position of the log's last event."""
    return (await service.read("/v1/engine", Engine)).position


async def follow(
    service: Service, after: int, query: Query, notice: Callable[[AwayError | None], None], *, rest_s: float = REST_S
) -> AsyncIterator[Told]:
    """Yield every event after *after* that matches, each once, for ever; *notice* hears of each loss and return of the line."""
    while True:
        try:
            async for told in once(service, after, query, notice):
                after = told.position
                yield told
            notice(AwayError("the stream has ended"))
        except AwayError as error:
            notice(error)
        await asyncio.sleep(rest_s)


async def once(service: Service, after: int, query: Query, notice: Callable[[AwayError | None], None]) -> AsyncIterator[Told]:
    """Yield events from one connection until it ends."""
    frames = Frames()
    async for part in service.stream(PATH, query, {"Last-Event-ID": str(after), "Accept": "text/event-stream"}):
        if frames.fresh:
            notice(None)
        for told in frames.feed(part):
            yield told


class Frames:
    """Server-sent events, put together from the bytes of a connection; comments and times of retry are passed over."""

    def __init__(self) -> None:
        self.fresh = True
        self._rest = b""

    def feed(self, part: bytes) -> list[Told]:
        r"""Take in *part* and return the events that it completes.

        >>> frames = Frames()
        >>> frames.feed(b": hello\n\nid: 7\nevent: a\nda"), frames.feed(b'ta: {"a":1}\n\nid: 8')
        ([], [Told(position=7, text=b'{"a":1}')])
        """
        self.fresh = False
        *whole, self._rest = (self._rest + part).split(b"\n\n")
        return [told for frame in whole if (told := event_of(frame)) is not None]


def event_of(frame: bytes) -> Told | None:
    """Return the event of a frame, None when it holds none."""
    fields = dict(pair.split(b": ", 1) for pair in frame.split(b"\n") if b": " in pair)
    try:
        return Told(int(fields[b"id"]), fields[b"data"])
    except (KeyError, ValueError):
        return None
