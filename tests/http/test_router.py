"""The direct road of a mutation, and that it changes no answer."""

import asyncio
from inspect import signature
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar import Litestar
from litestar.types import ASGIApp

from service.http.context import WriteContext
from service.http.middleware import Middleware
from service.http.openapi.document import described_operations
from service.http.problems import HANDLERS
from service.http.request.request import WriteRequest
from service.http.router import Router
from service.http.routes import ROUTES
from tests.http.parts import Reply, ask, of
from tests.http.shard import Shard

JSON = {"Content-Type": "application/json"}
UNITS = b'{"name":"n","units":[{"key":"a"},{"key":"b"}]}'
DAY = [
    ("POST", "/v1/campaigns", UNITS, {"Idempotency-Key": "k"}),
    ("POST", "/v1/campaigns", UNITS, {"Idempotency-Key": "k"}),
    ("POST", "/v1/campaigns/n/pause", b"", {"Idempotency-Key": "k"}),
    ("POST", "/v1/campaigns", UNITS, {}),
    ("PATCH", "/v1/campaigns/n", b'{"title":"N"}', {"If-Match": '"9"'}),
    ("PATCH", "/v1/campaigns/n", b'{"title":"N"}', {"If-Match": '"1"'}),
    ("POST", "/v1/claims", b'{"worker":"w","max":1}', {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}),
    ("POST", "/v1/claims", b'{"worker":"w","max":0}', {}),
    ("POST", "/v1/claims", b'{"worker":"w"}', {"Content-Type": "text/plain"}),
    ("POST", "/v1/claims", b" " * (2**20 + 1), {}),
    ("POST", "/v1/claims/nobody/complete", b"{}", {}),
    ("POST", "/v1/claims/" + "t" * 129 + "/complete", b"{}", {}),
    ("POST", "/v1/reports", b'{"worker":"w","reports":[{"type":"heartbeat","token":"t"}]}', {}),
    ("POST", "/v1/campaigns/n/diagnostics?force=true&force=no", b"", {}),
    ("POST", "/v1/campaigns/n/diagnostics?force=maybe", b"", {}),
    ("POST", "/v1/campaigns/nowhere/cancel", b"", {}),
    ("DELETE", "/v1/claims", b"", {}),
    ("GET", "/v1/claims/t/complete", b"", {}),
    ("POST", "/v1/claims/t", b"", {}),
    ("POST", "/v1//engine/pause/", b"", {}),
    ("POST", "/v1/engine/resume", b"", {}),
]


def bare(shard: Shard) -> Litestar:
    """The write side without its edge."""
    context = WriteContext(
        writer=shard,
        views=shard,
        quarantine=shard,
        bundles=shard,
        replays=shard,
        wakeup=shard.wakeup,
        stopping=asyncio.Event(),
        body_limit=2**20,
    )
    return Litestar([*ROUTES], opt={"write_context": context}, exception_handlers=HANDLERS, openapi_config=None)


async def lived(app: ASGIApp, shard: Shard) -> list[Reply]:
    """Return the answers of a day that ends with the database away, and with a bug."""
    replies = []
    for method, path, body, headers in DAY:
        replies.append(await ask(app, method, path, of([body]), JSON | headers))
    shard.away = True
    replies.append(await ask(app, "POST", "/v1/engine/pause", of([b""]), {}))
    shard.away, shard.failure = False, RuntimeError("broken")
    replies.append(await ask(app, "POST", "/v1/engine/pause", of([b""]), {}))
    return replies


async def test_a_mutation_gets_the_same_response_directly_and_from_the_framework() -> None:
    direct, long = Shard(), Shard()
    ours, theirs = await lived(Middleware(bare(direct)), direct), await lived(bare(long), long)
    for (method, path, *_), mine, its in zip([*DAY, *[("POST", "…", b"", {})] * 2], ours, theirs, strict=True):
        assert mine == its, (method, path)
    assert direct.commands == long.commands


def test_every_mutation_has_a_direct_route_that_takes_only_the_request() -> None:
    app = bare(Shard())
    router = Router(app)
    for operation in described_operations(app):
        scope = {"path": operation.path, "method": operation.method}
        route = router.find(scope)  # type: ignore[arg-type]  # all that it looks at
        assert route is not None, operation.path
        assert (route.handler, route.template) == (operation.handler, operation.path)
        assert [parameter.annotation for parameter in signature(operation.handler.fn).parameters.values()] == [WriteRequest]


APP = bare(Shard())
ROADS = Router(APP)


@given(
    parts=st.lists(
        st.sampled_from(["", "claims", "campaigns", "units", "t", "complete", "pause", "park", "POST", "\0"]), max_size=5
    )
)
def test_a_direct_route_reaches_the_handler_of_the_framework(parts: list[str]) -> None:
    path = "/".join(["/v1", *parts])
    scope: dict[str, Any] = {"path": path, "method": "POST"}
    route = ROADS.find(scope)  # type: ignore[arg-type]  # all that it looks at
    if route is not None:
        _, handler, same, names, template = APP.asgi_router.handle_routing(path, "POST")
        assert (route.handler, path, scope["path_params"], route.template) == (handler, same, names, template)


@pytest.mark.parametrize("host", ["a b", "a/b", "a\x7f"])
async def test_an_invalid_host_is_refused_on_every_route(http: httpx.AsyncClient, host: str) -> None:
    for path in ("/v1/engine/pause", "/schema/openapi.json"):
        answer = await http.post(path, headers={"Host": host})
        assert (answer.status_code, answer.json()["field"]) == (400, "Host")
