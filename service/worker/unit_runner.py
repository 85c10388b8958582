"""The crew: one coroutine per unit, from the start of its command to the outcome that is owed."""

import asyncio
import time
from collections.abc import Sequence

import msgspec

from service.client.claim_types import CompletionReport, FailureReport, GrantedClaim, Outcome, ReleaseReport, ReportVerdict
from service.worker.command import environment
from service.worker.console import Console
from service.worker.execution import Execution
from service.worker.heartbeats import RunningUnits
from service.worker.options import WorkOptions
from service.worker.report_sender import ReportSender
from service.worker.running_unit import RunningUnit
from service.worker.spool import Spool
from service.worker.spool_entry import SpoolEntry


class UnitRunner:
    """As many hands as the plan allows; `freed` tells when one is free again."""

    def __init__(
        self,
        options: WorkOptions,
        hands: asyncio.TaskGroup,
        spool: Spool,
        running_units: RunningUnits,
        report_sender: ReportSender,
        console: Console,
    ) -> None:
        self._options = options
        self._spool = spool
        self._running_units = running_units
        self._report_sender = report_sender
        self._console = console
        self._hands = hands
        self._busy = 0
        self.freed = asyncio.Event()

    @property
    def free(self) -> int:
        """Count the hands without a unit."""
        return self._options.concurrency - self._busy

    def begin(self, claim: GrantedClaim) -> None:
        """Carry out *claim* beside the others."""
        self._busy += 1
        self._hands.create_task(self._carry(claim))

    def hand_back(self, claim: GrantedClaim) -> None:
        """Give back a unit that was never begun."""
        self._busy += 1
        self._hands.create_task(self._settle(self._debt(claim), ReleaseReport(claim.token, reason="drain"), 0.0))

    async def finished(self) -> None:
        """Wait until no unit runs and every outcome is in the spool."""
        while self._busy:
            self.freed.clear()
            await self.freed.wait()

    def release_all(self, reason: str) -> None:
        """Stop every command and give its unit back."""
        for running in self._running_units:
            running.release(reason, self._options.kill_after_s)

    def hear(self, token: str, verdict: ReportVerdict) -> None:
        """Do what the service tells with its verdict on a heartbeat."""
        running = self._running_units.find(token)
        if running is None:
            return
        if verdict.problem and verdict.problem.stale:
            running.lose(self._options.kill_after_s)
        elif verdict.signal == "stop":
            running.release("stop", self._options.kill_after_s)
        elif verdict.signal == "probe":
            running.hurry()

    async def inherit(self, entries: Sequence[SpoolEntry]) -> None:
        """Deliver what dead workers of this machine owe; stop and give back what they left running."""
        for entry in entries:
            if entry.outcome:
                self._console.unit("inherited", entry.name, "a result not yet delivered")
                self._report_sender.owe(entry)
                continue
            self._console.unit("inherited", entry.name, "its worker died; the unit goes back")
            if entry.group and entry.group.same:
                await entry.group.stop(self._options.kill_after_s)
            await self._owe(entry, ReleaseReport(entry.token, reason="recovery"))

    async def _carry(self, claim: GrantedClaim) -> None:
        started_at = time.monotonic()
        try:
            execution = Execution(self._options.command.line(claim), environment(claim, self._options.url))
        except (OSError, ValueError) as obstacle:
            outcome = FailureReport(claim.token, reason="launch_failed", error=str(obstacle))
            await self._settle(self._debt(claim), outcome, started_at)
        else:
            await self._watch(RunningUnit(claim, execution), started_at)

    async def _watch(self, running: RunningUnit, started_at: float) -> None:
        """See a command through to its end, and owe what came of it."""
        claim = running.claim
        entry = msgspec.structs.replace(self._debt(claim), group=running.execution.group)
        self._console.unit("started", claim.name, f"attempt {claim.attempt}")
        self._note(entry)
        self._running_units.add(running)
        self._report_sender.wake()
        ending = await running.execution.end(self._options.kill_after_s)
        self._running_units.remove(running)
        await self._settle(entry, running.outcome(ending), started_at)

    async def _settle(self, entry: SpoolEntry, outcome: Outcome | None, started_at: float) -> None:
        if outcome:
            await self._owe(entry, outcome)
        else:
            self._spool.forget(entry)
        self._tell(entry, outcome, time.monotonic() - started_at)
        self._busy -= 1
        self.freed.set()

    async def _owe(self, entry: SpoolEntry, outcome: Outcome) -> None:
        owed = msgspec.structs.replace(entry, outcome=outcome)
        try:
            await asyncio.to_thread(self._spool.keep, owed)
        except OSError as error:
            self._console.trouble(f"spool: {error}; the outcome of {entry.name} is in memory alone")
        self._report_sender.owe(owed)

    def _note(self, entry: SpoolEntry) -> None:
        try:
            self._spool.note(entry)
        except OSError as error:
            self._console.trouble(f"spool: {error}; nobody would inherit {entry.name}")

    def _tell(self, entry: SpoolEntry, outcome: Outcome | None, seconds: float) -> None:
        match outcome:
            case CompletionReport():
                self._console.unit("done", entry.name, f"{seconds:.2f} s")
            case FailureReport(reason=reason, error=error):
                self._console.unit("failed", entry.name, f"{reason} · {error}")
            case ReleaseReport(reason=reason):
                self._console.unit("released", entry.name, reason)
            case None:
                self._console.unit("stopped", entry.name, "the claim was lost")

    def _debt(self, claim: GrantedClaim) -> SpoolEntry:
        return SpoolEntry(worker=self._options.worker, campaign=claim.campaign, key=claim.key, token=claim.token)
