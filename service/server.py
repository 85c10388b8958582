"""The ASGI server of one replica: uvicorn on one event loop and a given socket, with an orderly shutdown."""

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
"""Seconds until an idle connection is closed. Clients give up earlier, so that the server never closes one while a request is
on its way."""

HEAD_LIMIT = 65_536
"""Bytes that the request line and headers of a request may have."""

GC_THRESHOLD = 10_000
"""Generation-0 GC threshold. A request creates no reference cycles, so Python's default of 700 allocations only costs time."""
SWITCH_INTERVAL_S = 0.0005
"""Interpreter switch interval. Bounds how long the thread of an exporter may hold the GIL; at Python's default of 5 ms, ten
switches add a visible 50 ms to a heartbeat."""

CreateApp = Callable[[Settings, asyncio.Event], ASGIApp]


class PortTaken(StartRefused):
    """Another process listens on that address, or the system forbids it."""


def listen(settings: Settings) -> socket.socket:
    """Return a socket that listens on the settings' host and port.

    Raises:
        PortTaken: the system refuses.

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
    """Answer requests on *listener* until a signal comes, then drain."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)
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
    """The HTTP/1.1 protocol of uvicorn, which answers malformed requests and oversized headers with a problem document."""

    pending = 0
    """Bytes received since the last complete head or part of a body: the size of an unfinished head."""

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
        """Answer bytes that never become a request, and close the connection: what follows cannot be parsed."""
        body = msgspec.json.encode(problem(rejection))
        status = HTTPStatus(rejection.status)
        fields = f"content-type: {MEDIA_TYPE}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        self.transport.write(f"HTTP/1.1 {status.value} {status.phrase}\r\n{fields}".encode() + body)
        self.transport.close()


class DrainingServer(uvicorn.Server):
    """A server that on a signal first fails readiness and ends long polls, and closes after the settling time."""

    def __init__(self, config: uvicorn.Config, stopping: asyncio.Event, settle_s: float) -> None:
        super().__init__(config)
        self._stopping = stopping
        self._settle_s = settle_s
        self._loop = asyncio.get_running_loop()

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then exclude every object that exists by now from garbage collection: they live as long as the process."""
        await super().startup(sockets)
        gc.collect()
        gc.freeze()
        gc.set_threshold(GC_THRESHOLD)

    @override
    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._loop.call_soon_threadsafe(self._drain, sig)

    def _drain(self, sig: int) -> None:
        """Fail readiness, and close after the settling time; a second Ctrl-C skips the wait."""
        if self._stopping.is_set() and sig == signal.SIGINT:
            self.force_exit = True
        self._stopping.set()
        self._loop.call_later(self._settle_s, self._close)

    def _close(self) -> None:
        self.should_exit = True
