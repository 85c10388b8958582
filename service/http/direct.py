"""The direct road: from the path of a mutation straight to its handler.

A handler of the write side asks for its `Call` and nothing else, so nothing that the framework prepares for other handlers
(parameters, dependencies, types of answers) has to happen on its way; that is most of what a request costs at the edge.
Litestar holds the same routes: it describes them, and answers whatever does not go this road, which is every read and page,
an unknown path, a wrong method, a path that is not written as usual. A mutation gets the same answer on either road.
"""

from collections.abc import Awaitable, Callable

from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.response.base import ASGIResponse
from litestar.routes import HTTPRoute
from litestar.types import HTTPScope
from msgspec import Struct, field

from service.http.call import Call


class Road(Struct, frozen=True):
    """Where a path ends: the handler's function, and what the framework would note in the scope."""

    answer: Callable[[Call], Awaitable[ASGIResponse]]
    handler: HTTPRouteHandler
    template: str
    names: tuple[str, ...]


class Node(Struct):
    """One part of the paths: what may follow by its own text, by any text, and the roads that end here, by method."""

    texts: dict[str, "Node"] = field(default_factory=dict)
    name: "Node | None" = None
    roads: dict[str, Road] = field(default_factory=dict)

    def follow(self, part: object) -> "Node":
        """Return the node of the next part of a template."""
        if isinstance(part, str):
            return self.texts.setdefault(part, Node())
        self.name = self.name or Node()
        return self.name


class Roads:
    """The direct roads into *app*, drawn from its routes; those of others stand in the tree, so that nothing leads past them."""

    def __init__(self, app: Litestar) -> None:
        self._root = Node()
        for route in app.routes:
            if isinstance(route, HTTPRoute):
                self._lay(route)

    def _lay(self, route: HTTPRoute) -> None:
        """Lay the road to each handler that asks for its `Call`."""
        node = self._root.follow("")
        for part in route.path_components:
            node = node.follow(part)
        for handler in route.route_handlers:
            if handler.resolve_request_class() is Call:
                road = Road(handler.fn, handler, route.path_format, tuple(route.path_parameters))
                node.roads |= dict.fromkeys(map(str, handler.http_methods), road)

    def find(self, scope: HTTPScope) -> Road | None:
        """Return the road of a request, noted in *scope* with the names in its path; None when it is for Litestar to see."""
        node = self._root
        given = []
        for part in scope["path"].split("/"):
            following = node.texts.get(part)
            if following is None:
                following = node.name
                if following is None or not part:
                    return None
                given.append(part)
            node = following
        road = node.roads.get(scope["method"])
        if road is not None:
            scope["route_handler"] = road.handler
            scope["path_template"] = road.template
            scope["path_params"] = dict(zip(road.names, given, strict=True))
        return road
