"""The service as a person's commands see it: any request of the API, its body untouched, and the same two ways to go wrong."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, Self, TypeVar
from urllib.parse import quote

import httpx
import msgspec

from service.worker.http_client import AwayError, RefusedError, require_success

CONNECT_S = 5.0
ANSWER_S = 30.0
IMPORT_S = 600.0
QUIET_S = 60.0
"""A stream that says nothing for so long, not even that it lives, is dead."""

Query = Mapping[str, str | int | tuple[str, ...] | None]
T = TypeVar("T")

__all__ = ["ApiClient", "AwayError", "RefusedError"]


class ApiClient:
    """One connection pool to one service; every failure is an `AwayError` or a `RefusedError`."""

    def __init__(self, url: str, bearer: str | None = None, transport: httpx.AsyncBaseTransport | None = None) -> None:
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        timeout = httpx.Timeout(ANSWER_S, connect=CONNECT_S)
        self.url = url
        self._http = httpx.AsyncClient(base_url=url, headers=headers, timeout=timeout, transport=transport)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def get(self, path: str, query: Query | None = None) -> bytes:
        """Return the body of what stands at *path*, as it came."""
        return (await self._answer("GET", path, params=given_parameters(query))).content

    async def read(self, path: str, kind: type[T], query: Query | None = None) -> T:
        """Return what stands at *path*, decoded."""
        return decoded(await self.get(path, query), kind)

    async def post(self, path: str, body: Mapping[str, Any] | bytes | None = None) -> bytes:
        """Give an order and return the body of its answer; members that are None are left out."""
        return (await self.order("POST", path, body)).content

    async def patch(self, path: str, body: Mapping[str, Any]) -> bytes:
        """Change what stands at *path* and return its body as it is then."""
        return (await self.order("PATCH", path, body)).content

    async def order(self, method: str, path: str, body: Mapping[str, Any] | bytes | None = None) -> httpx.Response:
        """Give an order and return the whole answer."""
        content = body if isinstance(body, bytes) else msgspec.json.encode(given_members(body))
        return await self._answer(method, path, content=content, headers={"Content-Type": "application/json"})

    async def send_lines(self, path: str, lines: AsyncIterator[bytes]) -> bytes:
        """Send lines of JSON as they come and return the body of the answer."""
        headers = {"Content-Type": "application/x-ndjson"}
        timeout = httpx.Timeout(IMPORT_S, connect=CONNECT_S)
        return (await self._answer("POST", path, content=lines, headers=headers, timeout=timeout)).content

    async def stream(self, path: str, query: Query, headers: Mapping[str, str]) -> AsyncIterator[bytes]:
        """Yield the bytes of an answer as they come, until it ends."""
        timeout = httpx.Timeout(QUIET_S, connect=CONNECT_S)
        parameters = given_parameters(query)
        try:
            async with self._http.stream("GET", path, params=parameters, headers=dict(headers), timeout=timeout) as answer:
                if not answer.is_success:
                    await answer.aread()
                require_success(answer)
                async for part in answer.aiter_bytes():
                    yield part
        except httpx.TransportError as error:
            raise AwayError(self._away(error)) from error

    async def _answer(self, method: str, path: str, **request: Any) -> httpx.Response:  # noqa: ANN401 - as httpx takes it
        try:
            answer = await self._http.request(method, path, **request)
        except httpx.TransportError as error:
            raise AwayError(self._away(error)) from error
        require_success(answer)
        return answer

    def _away(self, error: httpx.TransportError) -> str:
        return f"no answer from {self.url}: {str(error) or type(error).__name__}"


def given_parameters(query: Query | None) -> list[tuple[str, str | int | float | bool | None]]:
    """Return the parameters that were given, repeated ones one by one."""
    pairs: list[tuple[str, str | int | float | bool | None]] = []
    for name, value in (query or {}).items():
        if isinstance(value, tuple):
            pairs += [(name, item) for item in value]
        elif value is not None:
            pairs.append((name, value))
    return pairs


def given_members(body: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the members that were given."""
    return {name: value for name, value in (body or {}).items() if value is not None}


def decoded(body: bytes, kind: type[T]) -> T:
    """Decode an answer; one that is not understood is as good as none."""
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.MsgspecError as error:
        raise AwayError(f"an answer not understood: {error}") from error


def path_of(*parts: str) -> str:
    """Return the path of a thing, its names encoded.

    >>> path_of("campaigns", "c", "units", "a/b c")
    '/v1/campaigns/c/units/a%2Fb%20c'
    """
    return "/v1/" + "/".join(quote(part, safe="") for part in parts)
