"""Liveness and readiness: `/healthz` says that the process runs, `/readyz` whether it should get requests."""

import asyncio
from collections.abc import Awaitable, Callable

from litestar import get
from litestar.di import NamedDependency

from service.domain.rejections import Unavailable

CHECK_S = 2.0

Check = Callable[[], Awaitable[str | None]]


class Readiness:
    """The checks that must pass before this replica gets requests; each returns None, or why not."""

    def __init__(self, stopping: asyncio.Event) -> None:
        self._stopping = stopping
        self._checks: list[Check] = []

    def require(self, check: Check) -> None:
        """Add *check*."""
        self._checks.append(check)

    async def reasons(self) -> list[str]:
        """Return why this replica should get no requests; empty when it is ready."""
        if self._stopping.is_set():
            return ["the service is stopping"]
        answers = await asyncio.gather(*(self._answer(check) for check in self._checks))
        return [answer for answer in answers if answer is not None]

    async def _answer(self, check: Check) -> str | None:
        try:
            async with asyncio.timeout(CHECK_S):
                return await check()
        except TimeoutError:
            return f"a check took longer than {CHECK_S:g} s"


@get("/healthz", operation_id="Health", summary="The process lives")
async def healthz() -> dict[str, str]:
    """Answer that the process runs; the database is not asked."""
    return {"status": "alive"}


@get("/readyz", operation_id="Ready", summary="The service can be asked")
async def readyz(readiness: NamedDependency[Readiness]) -> dict[str, str]:
    """Answer whether the database is reachable, the schema current and the views fresh; 503 and why otherwise."""
    if reasons := await readiness.reasons():
        raise Unavailable("; ".join(reasons), reasons=reasons)
    return {"status": "ready"}
