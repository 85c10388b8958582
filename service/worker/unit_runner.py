"""Runs units: one coroutine per unit, from the start of its command to an outcome in the spool."""

import asyncio
import time
from collections.abc import Sequence

import msgspec

from service.client.claim_types import CompletionReport, FailureReport, GrantedClaim, Outcome, ReleaseReport, ReportVerdict
from service.worker.command import environment
from service.worker.console import Console
from service.worker.execution import Execution
from service.worker.options import WorkOptions
from service.worker.report_sender import ReportSender
from service.worker.running_units import RunningUnit, RunningUnits
from service.worker.spool import Spool, SpoolEntry


class UnitRunner:
    """As many slots as the options allow; `slot_freed` is set whenever one becomes free."""

    def __init__(
        self,
        options: WorkOptions,
        tasks: asyncio.TaskGroup,
        spool: Spool,
        running_units: RunningUnits,
        report_sender: ReportSender,
        console: Console,
    ) -> None:
        self._options = options
        self._tasks = tasks
        self._spool = spool
        self._running_units = running_units
        self._report_sender = report_sender
        self._console = console
        self._busy_slots = 0
        self.slot_freed = asyncio.Event()

    @property
    def free_slots(self) -> int:
        """Count the slots without a unit."""
        return self._options.concurrency - self._busy_slots

    def start(self, claim: GrantedClaim) -> None:
        """Run the unit of *claim* in a slot of its own."""
        self._busy_slots += 1
        self._tasks.create_task(self._run(claim))

    def hand_back(self, claim: GrantedClaim) -> None:
        """Give back a unit that was never started."""
        self._busy_slots += 1
        self._tasks.create_task(self._finish(self._entry(claim), ReleaseReport(claim.token, reason="drain"), 0.0))

    async def idle(self) -> None:
        """Wait until no unit runs and every outcome is in the spool."""
        while self._busy_slots:
            self.slot_freed.clear()
            await self.slot_freed.wait()

    def release_all(self, reason: str) -> None:
        """Stop every command and give its unit back."""
        for running in self._running_units:
            running.release(reason, self._options.kill_after_s)

    def apply_verdict(self, token: str, verdict: ReportVerdict) -> None:
        """Do what the service's verdict on a heartbeat asks for."""
        running = self._running_units.find(token)
        if running is None:
            return
        if verdict.problem and verdict.problem.stale:
            running.lose_claim(self._options.kill_after_s)
        elif verdict.signal == "stop":
            running.release("stop", self._options.kill_after_s)
        elif verdict.signal == "probe":
            running.probe()

    async def recover(self, entries: Sequence[SpoolEntry]) -> None:
        """Deliver the results of dead workers of this machine; stop and release the units that they left running."""
        for entry in entries:
            if entry.outcome:
                self._console.unit("inherited", entry.name, "a result not yet delivered")
                self._report_sender.add(entry)
                continue
            self._console.unit("inherited", entry.name, "its worker died; the unit goes back")
            if entry.group and entry.group.same:
                await entry.group.stop(self._options.kill_after_s)
            await self._keep_outcome(entry, ReleaseReport(entry.token, reason="recovery"))

    async def _run(self, claim: GrantedClaim) -> None:
        started_at = time.monotonic()
        try:
            execution = Execution(self._options.command.line(claim), environment(claim, self._options.url))
        except (OSError, ValueError) as obstacle:
            outcome = FailureReport(claim.token, reason="launch_failed", error=str(obstacle))
            await self._finish(self._entry(claim), outcome, started_at)
        else:
            await self._run_to_end(RunningUnit(claim, execution), started_at)

    async def _run_to_end(self, running: RunningUnit, started_at: float) -> None:
        """Wait for the end of a command that has started, and keep its outcome."""
        claim = running.claim
        entry = msgspec.structs.replace(self._entry(claim), group=running.execution.group)
        self._console.unit("started", claim.name, f"attempt {claim.attempt}")
        self._note_claim(entry)
        self._running_units.add(running)
        self._report_sender.wake()
        end = await running.execution.end(self._options.kill_after_s)
        self._running_units.remove(running)
        await self._finish(entry, running.outcome(end), started_at)

    async def _finish(self, entry: SpoolEntry, outcome: Outcome | None, started_at: float) -> None:
        if outcome:
            await self._keep_outcome(entry, outcome)
        else:
            self._spool.forget(entry)
        self._print_outcome(entry, outcome, time.monotonic() - started_at)
        self._busy_slots -= 1
        self.slot_freed.set()

    async def _keep_outcome(self, entry: SpoolEntry, outcome: Outcome) -> None:
        finished = msgspec.structs.replace(entry, outcome=outcome)
        try:
            await asyncio.to_thread(self._spool.keep, finished)
        except OSError as error:
            # A full disk must not lose a result that can still be delivered from memory.
            self._console.trouble(f"spool: {error}; the outcome of {entry.name} is in memory alone")
        self._report_sender.add(finished)

    def _note_claim(self, entry: SpoolEntry) -> None:
        try:
            self._spool.note(entry)
        except OSError as error:
            self._console.trouble(f"spool: {error}; if this worker dies, the next one does not know that {entry.name} runs")

    def _print_outcome(self, entry: SpoolEntry, outcome: Outcome | None, seconds: float) -> None:
        match outcome:
            case CompletionReport():
                self._console.unit("done", entry.name, f"{seconds:.2f} s")
            case FailureReport(reason=reason, error=error):
                self._console.unit("failed", entry.name, f"{reason} · {error}")
            case ReleaseReport(reason=reason):
                self._console.unit("released", entry.name, reason)
            case None:
                self._console.unit("stopped", entry.name, "the claim was lost")

    def _entry(self, claim: GrantedClaim) -> SpoolEntry:
        return SpoolEntry(worker=self._options.worker, campaign=claim.campaign, key=claim.key, token=claim.token)
