"""The roads through the paths: which methods and parameters each knows, and from that of a mutation straight to its handler.

A handler of the write side asks for its `Call` and nothing else, so nothing that the framework prepares for other handlers
(parameters, dependencies, types of answers) has to happen on its way; that is most of what a request costs at the edge.
Litestar holds the same routes: it describes them, and answers whatever does not go this road, which is every read and page,
an unknown path, a wrong method, a path that is not written as usual. A mutation gets the same answer on either road.
"""

from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl

from litestar import Litestar
from litestar.enums import HttpMethod
from litestar.handlers import HTTPRouteHandler
from litestar.response.base import ASGIResponse
from litestar.routes import HTTPRoute
from litestar.types import HTTPScope
from msgspec import Struct, field

from service.domain.rejections import Validation
from service.http.request.request import WriteRequest

COMMON = frozenset({"at_least", "limit", "cursor", "after"})
"""What views and lists understand; a read that has no use for one lets it pass, for it can change no answer."""
SHOWN_CHARS = 200
OURS = "/v1/"
"""Elsewhere a query is whoever's it is, such as a scraper's."""


class Route(Struct, frozen=True):
    """Where a path ends: the handler's function if it is a direct one, and what the framework would note in the scope.

    A heartbeat goes to its handler directly.
    """

    answer: Callable[[WriteRequest], Awaitable[ASGIResponse]] | None
    handler: HTTPRouteHandler
    template: str
    names: tuple[str, ...]
    asked: tuple[str, ...] | None
    """The parameters that its query may have, where it says so."""
    passed: frozenset[str]
    """Those that it may have besides, without a meaning."""

    def require_known(self, query: bytes) -> None:
        """Refuse a parameter that has no meaning here, rather than answer another question than was asked."""
        if self.asked is None:
            return
        for name, _ in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
            if name not in self.asked and name not in self.passed:
                raise Validation(
                    f"there is no parameter {name[:SHOWN_CHARS]!r} here",
                    field=name[:SHOWN_CHARS],
                    allowed=list(self.asked),
                )


class TrieNode(Struct):
    """One part of the paths: what may follow by its own text, by any text, and the roads that end here, by method."""

    texts: dict[str, "TrieNode"] = field(default_factory=dict)
    name: "TrieNode | None" = None
    router: dict[str, Route] = field(default_factory=dict)

    @property
    def methods(self) -> list[str]:
        """The methods of the roads that end here, none where no road does."""
        return sorted({*self.router, *(["HEAD"] if "GET" in self.router else ()), "OPTIONS"}) if self.router else []

    def follow(self, part: object) -> "TrieNode":
        """Return the node of the next part of a template."""
        if isinstance(part, str):
            return self.texts.setdefault(part, TrieNode())
        self.name = self.name or TrieNode()
        return self.name


class Router:
    """The roads into *app*, drawn from its routes."""

    def __init__(self, app: Litestar) -> None:
        self._root = TrieNode()
        for http_route in app.routes:
            if isinstance(http_route, HTTPRoute):
                self._lay(http_route)

    def _lay(self, http_route: HTTPRoute) -> None:
        """Lay the road to each handler; a direct one to those that ask for their `Call`."""
        node = self._root.follow("")
        for part in http_route.path_components:
            node = node.follow(part)
        for handler in http_route.route_handlers:
            if "OPTIONS" in handler.http_methods:
                continue  # the framework's own, which knows the methods of the first handler alone
            description = handler.opt.get("description")
            route = Route(
                answer=handler.fn if handler.resolve_request_class() is WriteRequest else None,
                handler=handler,
                template=http_route.path_format,
                names=tuple(http_route.path_parameters),
                asked=description.parameters if description is not None and http_route.path_format.startswith(OURS) else None,
                passed=COMMON if HttpMethod.GET in handler.http_methods else frozenset(),
            )
            node.router |= dict.fromkeys(map(str, handler.http_methods), route)

    def end(self, path: str) -> tuple[TrieNode, list[str]] | None:
        """Return where *path* ends, and the names in it; None where it leads nowhere or is not written as usual."""
        node = self._root
        given = []
        for part in path.split("/"):
            following = node.texts.get(part)
            if following is None:
                following = node.name
                if following is None or not part:
                    return None
                given.append(part)
            node = following
        return node, given

    def methods(self, path: str) -> list[str]:
        """Return the methods that *path* knows."""
        found = self.end(path)
        return [] if found is None else found[0].methods

    def find(self, scope: HTTPScope) -> Route | None:
        """Return the road of a request; what a direct one needs is noted in *scope*."""
        found = self.end(scope["path"])
        route = None if found is None else found[0].router.get(scope["method"])
        if found is not None and route is not None and route.answer is not None:
            scope["route_handler"] = route.handler
            scope["path_template"] = route.template
            scope["path_params"] = dict(zip(route.names, found[1], strict=True))
        return route
