"""The edge of the app: what every request passes before the routes and after them.

A name in a path is anything printable (`service.http.path`), `HEAD` is a `GET` without its body, and every answer is observed.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from time import perf_counter

from litestar import Litestar
from litestar.enums import HttpMethod, ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from service.domain.rejections import Validation
from service.http.problems import answer_of, options
from service.http.request.path import restore_query_name, routed
from service.http.request.request import WAITED, WriteRequest
from service.http.router import Router

Observe = Callable[[str, str, int, float], None]
"""Method, route template, status and seconds of an answered request."""
METHODS = frozenset({"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"})
UNMATCHED = "other"
"""The route template of a path that matched none."""
HOST = re.compile(rb"[0-9A-Za-z!$&'()*+,;=\-._~:\[\]@%]*")


class Middleware:
    """The app within its edge; *observe* is told of every answer, *in_flight* counts the requests without one."""

    def __init__(self, app: Litestar, observe: Observe = lambda *_: None) -> None:
        self.app = app
        self.router = Router(app)
        self.observe = observe
        self.in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != ScopeType.HTTP:
            await self.app(scope, receive, send)
            return
        started = perf_counter()
        method = scope["method"]
        sent = ResponseSender(send, bodiless=method == "HEAD")
        if sent.bodiless:
            scope = {**scope, "method": HttpMethod.GET}  # a copy: the server looks at its own
        self.in_flight += 1
        try:
            await self.answer(scope, receive, sent)
        finally:
            self.in_flight -= 1
            name = str(method) if method in METHODS else "OTHER"
            spent_s = perf_counter() - started - waited_s(scope)
            self.observe(name, scope.get("path_template") or UNMATCHED, sent.status, spent_s)

    async def answer(self, scope: HTTPScope, receive: Receive, sent: "ResponseSender") -> None:
        """Answer a request on the direct road where there is one, else hand it to the framework."""
        try:
            require_sound(scope)
            answer = await self.route_answer(scope, receive, sent)
        except Exception as error:  # noqa: BLE001 - a bug becomes an answer too, and is logged there
            answer = answer_of(scope, error)
        await answer(scope, receive, sent)

    async def route_answer(self, scope: HTTPScope, receive: Receive, sent: "ResponseSender") -> ASGIApp:
        """Return the answer of the direct road, of the edge itself to what a path knows, or the framework for the rest."""
        if scope["method"] == HttpMethod.OPTIONS and (methods := self.router.methods(scope["path"])):
            return options(methods)
        route = self.router.find(scope)
        if route is not None and scope["query_string"]:
            route.require_known(scope["query_string"])
        return self.app if route is None or route.answer is None else await route.answer(WriteRequest(scope, receive, sent))


def require_sound(scope: HTTPScope) -> None:
    """Refuse a host that is none and a path that is no text; decode the names in the path."""
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
    """Return the seconds that the caller asked to wait, which are no slowness of ours."""
    waited: float = scope.get("state", {}).get(WAITED, 0.0)
    return waited


class ResponseSender:
    """The sending half of a request; it remembers the status, and leaves a body out where there must be none."""

    def __init__(self, send: Send, *, bodiless: bool) -> None:
        self.send = send
        self.bodiless = bodiless
        self.status = 0
        self.ended = False

    def __call__(self, message: Message) -> Awaitable[None]:
        """Send one message on."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
        elif self.bodiless:
            if self.ended:
                return asyncio.sleep(0)
            self.ended = True
            message = {"type": "http.response.body", "body": b"", "more_body": False}
        return self.send(message)
