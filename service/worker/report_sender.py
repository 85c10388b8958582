"""The courier: brings outcomes and heartbeats to the service, however long that takes."""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby

from service.client.claim_types import CompletionReport, FailureReport, ReleaseReport, Report, ReportVerdict, WorkerReport
from service.client.errors import ApiProblem, AwayError, RefusedError
from service.worker.backoff import Backoff
from service.worker.console import Console
from service.worker.heartbeats import RunningUnits
from service.worker.report_batch import ReportBatch, report_batches
from service.worker.service_client import WorkerClient
from service.worker.spool import Spool
from service.worker.spool_entry import SpoolEntry

LAST_WORDS_S = 5.0
MALFORMED = frozenset({400, 413, 422})
Hearing = Callable[[Report, ReportVerdict], None]


class ReportSender:
    """One letter at a time; what is owed leaves the spool only when the service has answered it."""

    def __init__(
        self, worker: str, service: WorkerClient, spool: Spool, running_units: RunningUnits, console: Console, hear: Hearing
    ) -> None:
        self._worker = worker
        self._service = service
        self._spool = spool
        self._running_units = running_units
        self._console = console
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

    def owe(self, entry: SpoolEntry) -> None:
        """Take charge of an outcome that is in the spool."""
        self._owed[entry.token] = entry
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
            await self._deliver_all(self._batches())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORDS_S):
                await self._deliver(ReportBatch(self._worker, (WorkerReport(alive=False),)))

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(max(0.0, self._running_units.due_in())):
                await self._wake.wait()
        except TimeoutError:
            return
        finally:
            self._wake.clear()

    def _batches(self) -> Iterator[ReportBatch]:
        """Write down what is owed in each worker's own name, and what is due; who left us debts is dead."""
        owed = sorted(self._owed.values(), key=lambda entry: entry.worker)
        own: tuple[Report, ...] = ()
        for holder, entries in groupby(owed, key=lambda entry: entry.worker):
            outcomes = tuple(entry.outcome for entry in entries if entry.outcome)
            if holder == self._worker:
                own = outcomes
            else:
                yield from report_batches(holder, (*outcomes, WorkerReport(alive=False)))
        yield from report_batches(self._worker, (*own, *self._running_units.reports()))

    async def _deliver_all(self, due: Iterable[ReportBatch]) -> None:
        for batch in due:
            await self._deliver(batch)
        if not self._owed:
            self._backoff.reset()
        elif not self._wake.is_set():
            await asyncio.sleep(self._backoff.next_s())
            self.wake()

    async def _deliver(self, batch: ReportBatch) -> None:
        """Say *letter* until it is answered."""
        verdicts = await self._answer(batch)
        if isinstance(verdicts, ApiProblem):
            await self._take_apart(batch, verdicts)
            return
        for report, verdict in zip(batch.reports, verdicts, strict=True):
            self._judge(batch, report, verdict)

    async def _answer(self, batch: ReportBatch) -> tuple[ReportVerdict, ...] | ApiProblem:
        while True:
            try:
                verdicts = await self._service.report(batch)
            except AwayError as away:
                await self._wait(str(away), away.retry_after_s)
            except RefusedError as refusal:
                if refusal.problem.status in MALFORMED:
                    return refusal.problem
                await self._wait(str(refusal), 0.0)
            else:
                self._console.back()
                return verdicts

    async def _wait(self, why: str, at_least_s: float) -> None:
        self._console.away(why)
        await asyncio.sleep(self._backoff.next_s(at_least_s))

    async def _take_apart(self, batch: ReportBatch, problem: ApiProblem) -> None:
        """Deliver the halves of a letter that the service cannot take whole."""
        if len(batch.reports) == 1:
            self._judge(batch, batch.reports[0], ReportVerdict(ok=False, problem=problem))
            return
        for half in batch.halves():
            await self._deliver(half)

    def _judge(self, batch: ReportBatch, report: Report, verdict: ReportVerdict) -> None:
        if isinstance(report, CompletionReport | FailureReport | ReleaseReport):
            self._settle(report.token, verdict)
        if batch.worker == self._worker:
            self._hear(report, verdict)

    def _settle(self, token: str, verdict: ReportVerdict) -> None:
        """Strike a debt that is answered for good."""
        problem = verdict.problem
        if problem and problem.retryable:
            return
        entry = self._owed.pop(token)
        if problem is None or problem.stale:
            self._spool.forget(entry)
        else:
            self.refused += 1
            self._spool.refuse(entry)
        if problem:
            self._console.trouble(f"{'late' if problem.stale else 'refused':<9} {entry.name} · {problem.summary}")
