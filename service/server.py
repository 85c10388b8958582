"""The ASGI server of one replica: one event loop, a socket it is given, an orderly end."""

import asyncio
import gc
import math
import os
import signal
import socket
import sys
from collections.abc import Callable
from http import HTTPStatus
from types import FrameType

import msgspec
import uvicorn
import uvloop
from litestar.types import ASGIApp
from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from service.domain.rejections import Rejection, Validation
from service.http.problems import MEDIA_TYPE, PayloadTooLarge, problem
from service.settings import Settings, StartRefused

BACKLOG = 2048
KEEP_ALIVE_S = 75
"""Longer than clients keep an idle connection, so that they close it, not we under their next request."""

HEAD_LIMIT = 65_536
"""Bytes that path and headers of a request may have before they end."""

YOUNG = 10_000
"""New objects after which cycles among them are looked for; a request leaves none behind, and Python would look every few."""
TURN_S = 0.0005
"""After which a thread that writes numbers lets the event loop go on: ten of Python's own turns are a slow heartbeat."""

CreateApp = Callable[[Settings, asyncio.Event], ASGIApp]


class PortTaken(StartRefused):
    """Somebody else listens there."""


def listen(settings: Settings) -> socket.socket:
    """Return a socket that listens on the settings' host and port.

    Raises:
        PortTaken: when the system does not let us.

    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=BACKLOG)
    except OSError as error:
        place = f"{settings.host}:{settings.port}"
        raise PortTaken(
            f"cannot listen on {place} ({os.strerror(error.errno or 0)}): choose another with --port or MUSTER_PORT"
        ) from error


def serve(create_app: CreateApp, settings: Settings, listener: socket.socket) -> None:
    """Answer requests on *listener* until a signal ends it, then drain."""
    sys.setswitchinterval(TURN_S)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(create_app, settings, listener))


async def _serve(create_app: CreateApp, settings: Settings, listener: socket.socket) -> None:
    stopping = asyncio.Event()
    config = uvicorn.Config(
        create_app(settings, stopping),
        http=Protocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=math.ceil(settings.drain_timeout_s),
    )
    await DrainingServer(config, stopping, settings.settle_s).serve([listener])


class Protocol(HttpToolsProtocol):
    """HTTP as the server reads it; what is none, and a head without end, get a problem document as everything that is refused."""

    pending = 0
    """Bytes that came since the last head or part of a body was read: those of a head that goes on."""

    @override
    def data_received(self, data: bytes) -> None:
        self.pending += len(data)
        super().data_received(data)
        if self.pending > HEAD_LIMIT and not self.transport.is_closing():
            self._refuse(PayloadTooLarge("path and headers are too large", field="headers", allowed=HEAD_LIMIT))

    @override
    def on_headers_complete(self) -> None:
        self.pending = 0
        super().on_headers_complete()

    @override
    def on_body(self, body: bytes) -> None:
        self.pending = 0
        super().on_body(body)

    @override
    def send_400_response(self, msg: str) -> None:
        self._refuse(Validation("the request is not valid HTTP/1.1"))

    def _refuse(self, rejection: Rejection) -> None:
        """Answer what never becomes a request, and hang up."""
        body = msgspec.json.encode(problem(rejection))
        status = HTTPStatus(rejection.status)
        fields = f"content-type: {MEDIA_TYPE}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        self.transport.write(f"HTTP/1.1 {status.value} {status.phrase}\r\n{fields}".encode() + body)
        self.transport.close()


class DrainingServer(uvicorn.Server):
    """A server that first says it is not ready, lets long polls end, and then closes."""

    def __init__(self, config: uvicorn.Config, stopping: asyncio.Event, settle_s: float) -> None:
        super().__init__(config)
        self._stopping = stopping
        self._settle_s = settle_s
        self._loop = asyncio.get_running_loop()

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve; what is there by then stays, and no search for cycles walks over it again."""
        await super().startup(sockets)
        gc.collect()
        gc.freeze()
        gc.set_threshold(YOUNG)

    @override
    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._loop.call_soon_threadsafe(self._drain, sig)

    def _drain(self, sig: int) -> None:
        """Flip readiness and close after the settling time; a second Ctrl-C does not wait."""
        if self._stopping.is_set() and sig == signal.SIGINT:
            self.force_exit = True
        self._stopping.set()
        self._loop.call_later(self._settle_s, self._close)

    def _close(self) -> None:
        self.should_exit = True
