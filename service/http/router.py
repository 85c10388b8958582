"""The route table: the methods and query parameters of each path, and a short cut that calls mutation handlers directly.

A mutation handler takes its `WriteRequest` and nothing else, so Litestar's request pipeline (parameters, dependencies, response
types) does nothing for it but cost CPU: 38 to 46 µs a request with it, 22 to 26 without (ADR 0014). Litestar has the same routes,
and responds to everything else: reads, pages, unknown paths, wrong methods, paths in an unusual form. A mutation gets the same
response either way, which `tests/http/test_router.py` proves.
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

COMMON_PARAMETERS = frozenset({"at_least", "limit", "cursor", "after"})
"""Parameters of views and lists. A read without a use for one accepts it all the same, since it cannot change the response."""
SHOWN_CHARS = 200
CHECKED_PREFIX = "/v1/"
"""Unknown query parameters are refused below this path; elsewhere they may come from other programs, such as a scraper."""


class Route(Struct, frozen=True):
    """A handler at a path; *handle* is its function if it may be called directly, as that of a heartbeat is."""

    handle: Callable[[WriteRequest], Awaitable[ASGIResponse]] | None
    handler: HTTPRouteHandler
    template: str
    names: tuple[str, ...]
    parameters: tuple[str, ...] | None
    """The query parameters that have a meaning; None where they are not checked."""
    ignored_parameters: frozenset[str]

    def require_known_parameters(self, query: bytes) -> None:
        """Refuse a parameter without a meaning here: a misspelt filter must not return everything.

        Raises:
            Validation: naming the parameter, and those that exist.

        """
        if self.parameters is None:
            return
        for name, _ in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
            if name not in self.parameters and name not in self.ignored_parameters:
                raise Validation(
                    f"there is no parameter {name[:SHOWN_CHARS]!r} here",
                    field=name[:SHOWN_CHARS],
                    allowed=list(self.parameters),
                )


class TrieNode(Struct):
    """A node of the trie of paths: its children by literal text, its child for any text, and the routes that end here."""

    literals: dict[str, "TrieNode"] = field(default_factory=dict)
    placeholder: "TrieNode | None" = None
    routes: dict[str, Route] = field(default_factory=dict)

    @property
    def methods(self) -> list[str]:
        """The methods of the routes that end here; empty where none does."""
        return sorted({*self.routes, *(["HEAD"] if "GET" in self.routes else ()), "OPTIONS"}) if self.routes else []

    def child(self, part: object) -> "TrieNode":
        """Return the node of the next part of a template, which is created if it is missing."""
        if isinstance(part, str):
            return self.literals.setdefault(part, TrieNode())
        self.placeholder = self.placeholder or TrieNode()
        return self.placeholder


class Router:
    """The route table of *app*."""

    def __init__(self, app: Litestar) -> None:
        self._root = TrieNode()
        for http_route in app.routes:
            if isinstance(http_route, HTTPRoute):
                self._add(http_route)

    def _add(self, http_route: HTTPRoute) -> None:
        """Add the handlers of a path; those that take a `WriteRequest` may be called directly."""
        node = self._root.child("")
        for part in http_route.path_components:
            node = node.child(part)
        for handler in http_route.route_handlers:
            if "OPTIONS" in handler.http_methods:
                continue  # Litestar's own, which lists only the methods of the first handler
            description = handler.opt.get("description")
            route = Route(
                handle=handler.fn if handler.resolve_request_class() is WriteRequest else None,
                handler=handler,
                template=http_route.path_format,
                names=tuple(http_route.path_parameters),
                parameters=description.parameters
                if description is not None and http_route.path_format.startswith(CHECKED_PREFIX)
                else None,
                ignored_parameters=COMMON_PARAMETERS if HttpMethod.GET in handler.http_methods else frozenset(),
            )
            node.routes |= dict.fromkeys(map(str, handler.http_methods), route)

    def end(self, path: str) -> tuple[TrieNode, list[str]] | None:
        """Return the node at which *path* ends, and the names in it; None for an unknown path, and for one in an unusual form."""
        node = self._root
        names = []
        for part in path.split("/"):
            child = node.literals.get(part)
            if child is None:
                child = node.placeholder
                if child is None or not part:
                    return None
                names.append(part)
            node = child
        return node, names

    def methods(self, path: str) -> list[str]:
        """Return the methods of *path*; empty for an unknown one."""
        end = self.end(path)
        return [] if end is None else end[0].methods

    def find(self, scope: HTTPScope) -> Route | None:
        """Return the route of a request; for one that is called directly, set the entries of *scope* that Litestar would set."""
        end = self.end(scope["path"])
        route = None if end is None else end[0].routes.get(scope["method"])
        if end is not None and route is not None and route.handle is not None:
            scope["route_handler"] = route.handler
            scope["path_template"] = route.template
            scope["path_params"] = dict(zip(route.names, end[1], strict=True))
        return route
