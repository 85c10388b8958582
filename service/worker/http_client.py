"""The service as the worker sees it: three requests over HTTP, and two ways to go wrong.

ServiceError
├── AwayError      no answer, or one that says "later": ask again
└── RefusedError   an answer that asking again does not change
"""

from typing import Self, TypeVar
from urllib.parse import quote

import httpx
import msgspec

from service.worker.api_types import ApiProblem, CampaignStatus, ClaimAnswer, ClaimRequest, ReportVerdict, ReportVerdicts
from service.worker.report_batch import ReportBatch

CONNECT_S = 5.0
IDLE_S = 3.0
ANSWER_S = 30.0
LATER = frozenset({408, 425, 429})

T = TypeVar("T")


class ServiceError(Exception):
    """The service did not do what it was asked."""


class AwayError(ServiceError):
    """No answer came, or one that says "later"."""

    def __init__(self, why: str, retry_after_s: float = 0.0) -> None:
        super().__init__(why)
        self.retry_after_s = retry_after_s


class RefusedError(ServiceError):
    """The service understood and said no."""

    def __init__(self, problem: ApiProblem) -> None:
        super().__init__(str(problem))
        self.problem = problem


class WorkerClient:
    """One connection pool to one service."""

    def __init__(self, url: str, bearer: str | None = None) -> None:
        headers = {"Content-Type": "application/json"}
        if bearer:
            headers["Authorization"] = f"Bearer {bearer}"
        self._http = httpx.AsyncClient(base_url=url, headers=headers, limits=httpx.Limits(keepalive_expiry=IDLE_S))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def claim(self, ask: ClaimRequest, key: str) -> ClaimAnswer:
        """Ask for units; the same *key* brings the same answer, should the first have been lost."""
        return await self._send("POST", "/v1/claims", ClaimAnswer, msgspec.json.encode(ask), key, ask.wait_s)

    async def report(self, batch: ReportBatch) -> tuple[ReportVerdict, ...]:
        """Deliver *letter*; one verdict per report, in its order."""
        answer = await self._send("POST", "/v1/reports", ReportVerdicts, batch.content, batch.key)
        if len(answer.results) != len(batch.reports):
            raise AwayError(f"{len(answer.results)} verdicts on {len(batch.reports)} reports")
        return answer.results

    async def campaign(self, name: str, at_least: int) -> CampaignStatus:
        """Read where the campaign stands, not before log position *at_least*."""
        return await self._send("GET", f"/v1/campaigns/{quote(name, safe='')}?at_least={at_least}", CampaignStatus)

    async def _send(self, method: str, path: str, kind: type[T], content: bytes = b"", key: str = "", wait_s: float = 0.0) -> T:
        headers = {"Idempotency-Key": key} if key else {}
        timeout = httpx.Timeout(ANSWER_S + wait_s, connect=CONNECT_S)
        try:
            answer = await self._http.request(method, path, content=content or None, headers=headers, timeout=timeout)
        except httpx.TransportError as error:
            raise AwayError(str(error) or type(error).__name__) from error
        return understood(answer, kind)


def understood(answer: httpx.Response, kind: type[T]) -> T:
    """Decode *answer*, or raise what it means."""
    require_success(answer)
    try:
        return msgspec.json.decode(answer.content, type=kind)
    except msgspec.MsgspecError as error:
        raise AwayError(f"an answer not understood: {error}") from error


def require_success(answer: httpx.Response) -> None:
    """Raise what an answer means that is no success."""
    if answer.is_success:
        return
    problem = problem_of(answer)
    if answer.is_server_error or answer.status_code in LATER:
        raise AwayError(str(problem), retry_after(answer))
    raise RefusedError(problem)


def problem_of(answer: httpx.Response) -> ApiProblem:
    """Read the problem document, or make one of whatever came instead."""
    try:
        problem = msgspec.json.decode(answer.content, type=ApiProblem)
    except msgspec.MsgspecError:
        return ApiProblem(title=answer.reason_phrase, status=answer.status_code, detail=answer.text[:200])
    return msgspec.structs.replace(problem, status=answer.status_code)


def retry_after(answer: httpx.Response) -> float:
    """Read `Retry-After` in seconds; zero when there is none, or a date."""
    stated = answer.headers.get("Retry-After", "")
    return float(stated) if stated.isdecimal() else 0.0
