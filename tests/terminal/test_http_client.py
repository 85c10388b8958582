"""The HTTP client: what it sends, and what each answer becomes."""

import ast
import sys
from pathlib import Path

import httpx
import pytest

from service.client.errors import AwayError, RefusedError
from service.client.http_client import ApiClient


def answering(status: int, content: bytes = b"{}") -> httpx.MockTransport:
    """Answer everything with *status*."""
    return httpx.MockTransport(lambda _: httpx.Response(status, content=content))


async def test_every_request_carries_the_bearer_token() -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["Authorization"])
        return httpx.Response(200, content=b"{}")

    async with ApiClient("http://muster", "secret", httpx.MockTransport(answer)) as service:
        await service.get("/v1/engine")
        await service.post("/v1/engine/pause", {"reason": None})
    assert seen == ["Bearer secret"] * 2


async def test_members_without_a_value_are_not_sent() -> None:
    sent: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.content)
        return httpx.Response(200, content=b"{}")

    async with ApiClient("http://muster", transport=httpx.MockTransport(answer)) as service:
        await service.post("/v1/engine/pause", {"reason": None, "force": True})
    assert sent == [b'{"force":true}']


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_an_answer_that_says_later_is_no_refusal(status: int) -> None:
    async with ApiClient("http://muster", transport=answering(status, b"not now")) as service:
        with pytest.raises(AwayError, match="not now"):
            await service.get("/v1/engine")


@pytest.mark.parametrize("status", [400, 401, 404, 409])
async def test_a_refusal_carries_its_problem_also_of_a_stream(status: int) -> None:
    async with ApiClient("http://muster", transport=answering(status, b'{"detail": "no"}')) as service:
        with pytest.raises(RefusedError) as refused:
            [part async for part in service.stream("/v1/events/stream", {}, {})]
    assert (refused.value.problem.status, refused.value.problem.detail) == (status, "no")


async def test_an_answer_that_is_not_the_apis_is_an_outage() -> None:
    async with ApiClient("http://muster", transport=answering(200, b"<html>")) as service:
        with pytest.raises(AwayError, match="not understood"):
            await service.read("/v1/engine", dict[str, str])


def test_the_client_needs_httpx_and_msgspec_alone() -> None:
    """A worker's machine installs no more than that beside the standard library."""
    files = [*(Path(__file__).parents[2] / "service" / "client").glob("*.py")]
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in files]
    froms = {node.module or "" for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    plain = {name.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    foreign = {module for module in froms | plain if module.split(".")[0] not in sys.stdlib_module_names}
    assert {module for module in foreign if not module.startswith("service.client")} == {"httpx", "msgspec"}
