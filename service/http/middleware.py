"""The outermost ASGI middleware: decodes paths, answers `HEAD` and `OPTIONS`, observes every response, and calls mutations.

It calls the handlers of mutations directly, see `service.http.router`, and passes every other request to Litestar.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from time import perf_counter

from litestar import Litestar
from litestar.enums import HttpMethod, ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from service.domain.rejections import Validation
from service.http.problems import error_response, options_response
from service.http.request.path import restore_query_name, routed
from service.http.request.request import WAITED, WriteRequest
from service.http.router import Router

ObserveResponse = Callable[[str, str, int, float], None]
"""Gets method, route template, status and seconds of a response."""
METHODS = frozenset({"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"})
UNMATCHED = "other"
"""The route template of a path that matched none."""
HOST = re.compile(rb"[0-9A-Za-z!$&'()*+,;=\-._~:\[\]@%]*")


class Middleware:
    """Wraps *app*; *observe* is called for every response, *in_flight* counts the requests without one."""

    def __init__(self, app: Litestar, observe: ObserveResponse = lambda *_: None) -> None:
        self.app = app
        self.router = Router(app)
        self.observe = observe
        self.in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to one request."""
        if scope["type"] != ScopeType.HTTP:
            await self.app(scope, receive, send)
            return
        started = perf_counter()
        method = scope["method"]
        sender = ResponseSender(send, bodiless=method == "HEAD")
        if sender.bodiless:
            scope = {**scope, "method": HttpMethod.GET}  # a copy: uvicorn reads the method of its own later
        self.in_flight += 1
        try:
            await self.respond(scope, receive, sender)
        finally:
            self.in_flight -= 1
            name = str(method) if method in METHODS else "OTHER"
            spent_s = perf_counter() - started - waited_s(scope)
            self.observe(name, scope.get("path_template") or UNMATCHED, sender.status, spent_s)

    async def respond(self, scope: HTTPScope, receive: Receive, sender: "ResponseSender") -> None:
        """Respond from a handler that is called directly where there is one, else from Litestar."""
        try:
            prepare_scope(scope)
            response = await self.response_of(scope, receive, sender)
        except Exception as error:  # noqa: BLE001 - a bug becomes a response too, which logs it
            response = error_response(scope, error)
        await response(scope, receive, sender)

    async def response_of(self, scope: HTTPScope, receive: Receive, sender: "ResponseSender") -> ASGIApp:
        """Return the response of a mutation or of `OPTIONS`; for everything else the Litestar app, which then responds."""
        if scope["method"] == HttpMethod.OPTIONS and (methods := self.router.methods(scope["path"])):
            return options_response(methods)
        route = self.router.find(scope)
        if route is not None and scope["query_string"]:
            route.require_known_parameters(scope["query_string"])
        return self.app if route is None or route.handle is None else await route.handle(WriteRequest(scope, receive, sender))


def prepare_scope(scope: HTTPScope) -> None:
    """Check the host, and decode the names in the path.

    Raises:
        Validation: the host is not the name of one, or the path is not UTF-8.

    """
    for name, value in scope["headers"]:
        if name == b"host":
            if not HOST.fullmatch(value):
                raise Validation("the host must be a name or an address", field="Host")
            break
    if b"key=" in scope["query_string"]:
        restore_query_name(scope)
    raw = scope.get("raw_path") or b""
    if b"%" in raw:
        try:
            scope["path"] = routed(raw.partition(b"?")[0])
        except ValueError:
            raise Validation("the path must be percent-encoded UTF-8 without NUL", field="path") from None


def waited_s(scope: HTTPScope) -> float:
    """Return the seconds that a claim waited because its caller asked for it; they are not part of its duration."""
    waited: float = scope.get("state", {}).get(WAITED, 0.0)
    return waited


class ResponseSender:
    """Sends a response; it remembers the status, and drops the body of a response to `HEAD`."""

    def __init__(self, send: Send, *, bodiless: bool) -> None:
        self.send = send
        self.bodiless = bodiless
        self.status = 0
        self.ended = False

    def __call__(self, message: Message) -> Awaitable[None]:
        """Send one ASGI message."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
        elif self.bodiless:
            if self.ended:
                return asyncio.sleep(0)
            self.ended = True
            message = {"type": "http.response.body", "body": b"", "more_body": False}
        return self.send(message)
