"""Sends outcomes and heartbeats to the service, and repeats them for as long as the service is away."""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby

from service.client.claim_types import (
    CompletionReport,
    FailureReport,
    ReleaseReport,
    Report,
    ReportVerdict,
    WorkerReport,
)
from service.client.errors import ApiProblem, AwayError, RefusedError
from service.worker.backoff import Backoff
from service.worker.console import Console
from service.worker.report_batch import ReportBatch, report_batches
from service.worker.running_units import RunningUnits
from service.worker.service_client import WorkerClient
from service.worker.spool import Spool, SpoolEntry

GOODBYE_S = 5.0
MALFORMED = frozenset({400, 413, 422})
"""Statuses that blame the body: one bad report makes the service refuse the whole batch."""
OnVerdict = Callable[[Report, ReportVerdict], None]


class ReportSender:
    """Sends one batch at a time. An outcome leaves the spool only when the service has answered it."""

    def __init__(
        self,
        worker: str,
        service: WorkerClient,
        spool: Spool,
        running_units: RunningUnits,
        console: Console,
        on_verdict: OnVerdict,
    ) -> None:
        self._worker = worker
        self._service = service
        self._spool = spool
        self._running_units = running_units
        self._console = console
        self._on_verdict = on_verdict
        self._pending: dict[str, SpoolEntry] = {}
        self._backoff = Backoff()
        self._wake = asyncio.Event()
        self._closed = False
        self.refused_count = 0

    @property
    def pending_count(self) -> int:
        """Count the outcomes that the service has not answered."""
        return len(self._pending)

    def add(self, entry: SpoolEntry) -> None:
        """Take over the delivery of an outcome that is in the spool."""
        self._pending[entry.token] = entry
        self.wake()

    def wake(self) -> None:
        """Look again for reports that are due."""
        self._wake.set()

    def close(self) -> None:
        """End `run` once every outcome is delivered."""
        self._closed = True
        self.wake()

    async def run(self) -> None:
        """Deliver until closed and nothing is pending, then report that the worker leaves."""
        while self._pending or not self._closed:
            await self._wait_until_due()
            await self._deliver_all(self._batches())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_S):
                await self._deliver(ReportBatch(self._worker, (WorkerReport(alive=False),)))

    async def _wait_until_due(self) -> None:
        try:
            async with asyncio.timeout(max(0.0, self._running_units.due_in())):
                await self._wake.wait()
        except TimeoutError:
            return
        finally:
            self._wake.clear()

    def _batches(self) -> Iterator[ReportBatch]:
        """Yield pending outcomes under the name of the worker that held each claim, and the reports that are due.

        Outcomes under another name come from a spool whose lock was free: that worker is dead, and its batch says so.
        """
        pending = sorted(self._pending.values(), key=lambda entry: entry.worker)
        own: tuple[Report, ...] = ()
        for holder, entries in groupby(pending, key=lambda entry: entry.worker):
            outcomes = tuple(entry.outcome for entry in entries if entry.outcome)
            if holder == self._worker:
                own = outcomes
            else:
                yield from report_batches(holder, (*outcomes, WorkerReport(alive=False)))
        yield from report_batches(self._worker, (*own, *self._running_units.reports()))

    async def _deliver_all(self, due: Iterable[ReportBatch]) -> None:
        for batch in due:
            await self._deliver(batch)
        if not self._pending:
            self._backoff.reset()
        elif not self._wake.is_set():
            # The service answered "later" to an outcome, which is still pending. A new report does not wait for it.
            await asyncio.sleep(self._backoff.next_s())
            self.wake()

    async def _deliver(self, batch: ReportBatch) -> None:
        """Send *batch* until it is answered."""
        verdicts = await self._answer(batch)
        if isinstance(verdicts, ApiProblem):
            await self._deliver_halves(batch, verdicts)
            return
        for report, verdict in zip(batch.reports, verdicts, strict=True):
            self._apply(batch, report, verdict)

    async def _answer(self, batch: ReportBatch) -> tuple[ReportVerdict, ...] | ApiProblem:
        # A refusal that does not blame the body (a token that expired, a gateway in front) is waited out like an
        # outage: a result may be worth hours of work, and an operator can mend the cause meanwhile.
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

    async def _deliver_halves(self, batch: ReportBatch, problem: ApiProblem) -> None:
        """Halve a batch that the service refuses as malformed, down to the one report that is to blame."""
        if len(batch.reports) == 1:
            self._apply(batch, batch.reports[0], ReportVerdict(ok=False, problem=problem))
            return
        for half in batch.halves():
            await self._deliver(half)

    def _apply(self, batch: ReportBatch, report: Report, verdict: ReportVerdict) -> None:
        if isinstance(report, CompletionReport | FailureReport | ReleaseReport):
            self._settle(report.token, verdict)
        if batch.worker == self._worker:
            self._on_verdict(report, verdict)

    def _settle(self, token: str, verdict: ReportVerdict) -> None:
        """Drop an outcome from the spool when the verdict on it is final."""
        problem = verdict.problem
        if problem and problem.retryable:
            return
        entry = self._pending.pop(token)
        if problem is None or problem.stale:
            self._spool.forget(entry)
        else:
            self.refused_count += 1
            self._spool.put_aside(entry)
        if problem:
            self._console.trouble(f"{'late' if problem.stale else 'refused':<9} {entry.name} · {problem.summary}")
