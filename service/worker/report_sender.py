"""The courier: brings outcomes and heartbeats to the service, however long that takes."""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby

from service.worker.api_types import (
    ApiProblem,
    CompletionReport,
    FailureReport,
    ReleaseReport,
    Report,
    ReportVerdict,
    WorkerReport,
)
from service.worker.backoff import Backoff
from service.worker.console import Console
from service.worker.heartbeats import RunningUnits
from service.worker.http_client import AwayError, RefusedError, WorkerClient
from service.worker.report_batch import ReportBatch, report_batches
from service.worker.spool import Spool
from service.worker.spool_entry import SpoolEntry

LAST_WORDS_S = 5.0
MALFORMED = frozenset({400, 413, 422})
Hearing = Callable[[Report, ReportVerdict], None]


class ReportSender:
    """One letter at a time; what is owed leaves the spool only when the service has answered it."""

    def __init__(
        self, worker: str, service: WorkerClient, spool: Spool, roster: RunningUnits, narrator: Console, hear: Hearing
    ) -> None:
        self._worker = worker
        self._service = service
        self._spool = spool
        self._roster = roster
        self._narrator = narrator
        self._hear = hear
        self._owed: dict[str, SpoolEntry] = {}
        self._backoff = Backoff()
        self._wake = asyncio.Event()
        self._closed = False
        self.refused = 0

    @property
    def waiting(self) -> int:
        """Count the outcomes that the service has not answered."""
        return len(self._owed)

    def owe(self, debt: SpoolEntry) -> None:
        """Take charge of an outcome that is in the spool."""
        self._owed[debt.token] = debt
        self.wake()

    def wake(self) -> None:
        """Look again at what is due."""
        self._wake.set()

    def close(self) -> None:
        """End once nothing is owed."""
        self._closed = True
        self.wake()

    async def run(self) -> None:
        """Deliver until closed and nothing is owed, then take leave."""
        while self._owed or not self._closed:
            await self._rest()
            await self._deliver_all(self._letters())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORDS_S):
                await self._deliver(ReportBatch(self._worker, (WorkerReport(alive=False),)))

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(max(0.0, self._roster.due_in())):
                await self._wake.wait()
        except TimeoutError:
            return
        finally:
            self._wake.clear()

    def _letters(self) -> Iterator[ReportBatch]:
        """Write down what is owed in each worker's own name, and what is due; who left us debts is dead."""
        owed = sorted(self._owed.values(), key=lambda debt: debt.worker)
        own: tuple[Report, ...] = ()
        for holder, debts in groupby(owed, key=lambda debt: debt.worker):
            outcomes = tuple(debt.outcome for debt in debts if debt.outcome)
            if holder == self._worker:
                own = outcomes
            else:
                yield from report_batches(holder, (*outcomes, WorkerReport(alive=False)))
        yield from report_batches(self._worker, (*own, *self._roster.reports()))

    async def _deliver_all(self, due: Iterable[ReportBatch]) -> None:
        for letter in due:
            await self._deliver(letter)
        if not self._owed:
            self._backoff.reset()
        elif not self._wake.is_set():
            await asyncio.sleep(self._backoff.next_s())
            self.wake()

    async def _deliver(self, letter: ReportBatch) -> None:
        """Say *letter* until it is answered."""
        verdicts = await self._answer(letter)
        if isinstance(verdicts, ApiProblem):
            await self._take_apart(letter, verdicts)
            return
        for report, verdict in zip(letter.reports, verdicts, strict=True):
            self._judge(letter, report, verdict)

    async def _answer(self, letter: ReportBatch) -> tuple[ReportVerdict, ...] | ApiProblem:
        while True:
            try:
                verdicts = await self._service.report(letter)
            except AwayError as away:
                await self._wait(str(away), away.retry_after_s)
            except RefusedError as refusal:
                if refusal.problem.status in MALFORMED:
                    return refusal.problem
                await self._wait(str(refusal), 0.0)
            else:
                self._narrator.back()
                return verdicts

    async def _wait(self, why: str, at_least_s: float) -> None:
        self._narrator.away(why)
        await asyncio.sleep(self._backoff.next_s(at_least_s))

    async def _take_apart(self, letter: ReportBatch, problem: ApiProblem) -> None:
        """Deliver the halves of a letter that the service cannot take whole."""
        if len(letter.reports) == 1:
            self._judge(letter, letter.reports[0], ReportVerdict(ok=False, problem=problem))
            return
        for half in letter.halves():
            await self._deliver(half)

    def _judge(self, letter: ReportBatch, report: Report, verdict: ReportVerdict) -> None:
        if isinstance(report, CompletionReport | FailureReport | ReleaseReport):
            self._settle(report.token, verdict)
        if letter.worker == self._worker:
            self._hear(report, verdict)

    def _settle(self, token: str, verdict: ReportVerdict) -> None:
        """Strike a debt that is answered for good."""
        problem = verdict.problem
        if problem and problem.passing:
            return
        debt = self._owed.pop(token)
        if problem is None or problem.stale:
            self._spool.forget(debt)
        else:
            self.refused += 1
            self._spool.refuse(debt)
        if problem:
            self._narrator.trouble(f"{'late' if problem.stale else 'refused':<9} {debt.name} · {problem}")
