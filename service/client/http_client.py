"""The one HTTP client of the terminal, the command line and the worker. Every failure is an `AwayError` or a `RefusedError`.

It sends each request once. The caller decides about a retry, because that differs on purpose: a command ends with an
exit code, `muster top` asks again at its next refresh, a worker repeats the same request under the same idempotency key.
"""

from collections.abc import AsyncIterator, Mapping
from typing import Any, Self, TypeVar
from urllib.parse import quote

import httpx
import msgspec

from service.client.errors import ApiProblem, AwayError, RefusedError

CONNECT_S = 5.0
IDLE_S = 3.0
"""A proxy may close an idle connection unseen. A short life makes a request on a closed one rare."""
ANSWER_S = 30.0
IMPORT_S = 600.0
QUIET_S = 60.0
"""The service sends a comment after 15 s without an event, so a stream that is silent for this long is dead."""
LATER = frozenset({408, 425, 429})
JSON = {"Content-Type": "application/json"}

Query = Mapping[str, str | int | tuple[str, ...] | None]
T = TypeVar("T")


class ApiClient:
    """One connection pool to one service."""

    def __init__(self, url: str, bearer: str | None = None, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.url = url
        self._http = httpx.AsyncClient(
            base_url=url,
            headers={"Authorization": f"Bearer {bearer}"} if bearer else {},
            timeout=httpx.Timeout(ANSWER_S, connect=CONNECT_S),
            limits=httpx.Limits(keepalive_expiry=IDLE_S),
            transport=transport,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def get(self, path: str, query: Query | None = None) -> bytes:
        """Return the body of *path* as the service sent it."""
        return (await self._answer("GET", path, params=query_parameters(query))).content

    async def read(self, path: str, kind: type[T], query: Query | None = None) -> T:
        """Return the body of *path*, decoded."""
        return decoded(await self.get(path, query), kind)

    async def post(self, path: str, body: Mapping[str, Any] | bytes | None = None) -> bytes:
        """Send a command and return the body of the answer; members that are None are left out."""
        return (await self.order("POST", path, body)).content

    async def patch(self, path: str, body: Mapping[str, Any]) -> bytes:
        """Change *path* and return its new body."""
        return (await self.order("PATCH", path, body)).content

    async def order(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | bytes | None = None,
        *,
        idempotency_key: str = "",
        wait_s: float = 0.0,
    ) -> httpx.Response:
        """Send a command and return the whole answer; *wait_s* is how long the service itself may hold the request."""
        content = body if isinstance(body, bytes) else msgspec.json.encode(without_none(body))
        headers = JSON | ({"Idempotency-Key": idempotency_key} if idempotency_key else {})
        timeout = httpx.Timeout(ANSWER_S + wait_s, connect=CONNECT_S)
        return await self._answer(method, path, content=content, headers=headers, timeout=timeout)

    async def send_lines(self, path: str, lines: AsyncIterator[bytes]) -> bytes:
        """Stream lines of JSON to *path* and return the body of the answer."""
        headers = {"Content-Type": "application/x-ndjson"}
        timeout = httpx.Timeout(IMPORT_S, connect=CONNECT_S)
        return (await self._answer("POST", path, content=lines, headers=headers, timeout=timeout)).content

    async def stream(self, path: str, query: Query, headers: Mapping[str, str]) -> AsyncIterator[bytes]:
        """Yield the bytes of an answer as they come, until it ends.

        Raises:
            AwayError: the connection broke, was silent for `QUIET_S`, or the service says "later".
            RefusedError: the service refused the request.

        """
        timeout = httpx.Timeout(QUIET_S, connect=CONNECT_S)
        parameters = query_parameters(query)
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


def query_parameters(query: Query | None) -> list[tuple[str, str | int | float | bool | None]]:
    """Return the parameters that have a value, a tuple as one parameter per item."""
    pairs: list[tuple[str, str | int | float | bool | None]] = []
    for name, value in (query or {}).items():
        if isinstance(value, tuple):
            pairs += [(name, item) for item in value]
        elif value is not None:
            pairs.append((name, value))
    return pairs


def without_none(body: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the members that have a value."""
    return {name: value for name, value in (body or {}).items() if value is not None}


def decoded(body: bytes, kind: type[T]) -> T:
    """Decode an answer.

    Raises:
        AwayError: the body is not what the API sends, such as the page of a proxy before a service that is away.

    """
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.MsgspecError as error:
        raise AwayError(f"an answer not understood: {error}") from error


def require_success(answer: httpx.Response) -> None:
    """Pass an answer that is a success.

    Raises:
        AwayError: a status that says "later": 408, 425, 429 or one of a server error.
        RefusedError: any other status.

    """
    if answer.is_success:
        return
    problem = problem_of(answer)
    if answer.is_server_error or answer.status_code in LATER:
        raise AwayError(problem.summary, retry_after_s(answer))
    raise RefusedError(problem)


def problem_of(answer: httpx.Response) -> ApiProblem:
    """Read the problem document; where there is none, make one of the status and the start of the body."""
    try:
        problem = msgspec.json.decode(answer.content, type=ApiProblem)
    except msgspec.MsgspecError:
        return ApiProblem(title=answer.reason_phrase, status=answer.status_code, detail=answer.text[:200])
    return msgspec.structs.replace(problem, status=answer.status_code)


def retry_after_s(answer: httpx.Response) -> float:
    """Read `Retry-After` in seconds; zero when the header is absent or a date."""
    stated = answer.headers.get("Retry-After", "")
    return float(stated) if stated.isdecimal() else 0.0


def path_of(*parts: str) -> str:
    """Return the path of a resource, its names encoded.

    >>> path_of("campaigns", "c", "units", "a/b c")
    '/v1/campaigns/c/units/a%2Fb%20c'
    """
    return "/v1/" + "/".join(quote(part, safe="") for part in parts)
