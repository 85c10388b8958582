"""The edge of the app: what every request passes before the routes and after them.

A name in a path may hold a `/` (sent as `%2F`), `HEAD` is a `GET` without its body, and every answer is observed.
"""

from collections.abc import Callable
from time import perf_counter
from urllib.parse import unquote_to_bytes

import msgspec
from litestar.enums import HttpMethod, ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from service.domain.rejections import Validation
from service.http.problems import MEDIA_TYPE, problem

Observe = Callable[[str, str, int, float], None]
"""Method, route template, status and seconds of an answered request."""
METHODS = frozenset({"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"})
UNMATCHED = "other"
"""The route template of a path that matched none."""
WAITED = "waited_s"
"""Where a handler notes in the request's state for how long the caller wanted to wait."""
SLASH = "\0"
"""Stands in the routed path for a `/` within a name; a NUL of the client's own is refused before."""


class Edge:
    """The app within its edge; *observe* is told of every answer, *in_flight* counts the requests without one."""

    def __init__(self, app: ASGIApp, observe: Observe = lambda *_: None) -> None:
        self.app = app
        self.observe = observe
        self.in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != ScopeType.HTTP:
            await self.app(scope, receive, send)
            return
        started = perf_counter()
        method = scope["method"]
        sent = Sent(send, bodiless=method == "HEAD")
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

    async def answer(self, scope: Scope, receive: Receive, sent: "Sent") -> None:
        """Hand the request on under a path whose parts are the decoded ones."""
        raw = scope.get("raw_path") or b""
        if b"%" in raw:
            try:
                scope["path"] = routed(raw.partition(b"?")[0])
            except ValueError:
                await refuse(sent)
                return
        await self.app(scope, receive, sent)


def waited_s(scope: Scope) -> float:
    """Return the seconds that the caller asked to wait, which are no slowness of ours."""
    waited: float = scope.get("state", {}).get(WAITED, 0.0)
    return waited


class Sent:
    """The sending half of a request; it remembers the status, and leaves a body out where there must be none."""

    def __init__(self, send: Send, *, bodiless: bool) -> None:
        self.send = send
        self.bodiless = bodiless
        self.status = 0
        self.ended = False

    async def __call__(self, message: Message) -> None:
        """Send one message on."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
        elif self.bodiless:
            if self.ended:
                return
            self.ended = True
            message = {"type": "http.response.body", "body": b"", "more_body": False}
        await self.send(message)


def routed(raw: bytes) -> str:
    """Return the path with its parts decoded, a `/` within one marked.

    >>> routed(b"/v1/campaigns/c/units/a%2Fb%20c").replace(SLASH, "|")
    '/v1/campaigns/c/units/a|b c'
    """
    parts = [unquote_to_bytes(part).decode() for part in raw.split(b"/")]
    if any(SLASH in part for part in parts):
        raise ValueError("a NUL in a path")
    return "/".join(part.replace("/", SLASH) for part in parts)


async def refuse(send: Send) -> None:
    """Answer that a path is no text."""
    body = msgspec.json.encode(problem(Validation("the path must be percent-encoded UTF-8 without NUL", field="path")))
    headers = [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": Validation.status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
