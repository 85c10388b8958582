"""The crew: one coroutine per unit, from the start of its command to the outcome that is owed."""

import asyncio
import time
from collections.abc import Sequence

import msgspec

from service.worker.api_types import CompletionReport, FailureReport, GrantedClaim, Outcome, ReleaseReport, ReportVerdict
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
        plan: WorkOptions,
        hands: asyncio.TaskGroup,
        spool: Spool,
        roster: RunningUnits,
        courier: ReportSender,
        narrator: Console,
    ) -> None:
        self._plan = plan
        self._spool = spool
        self._roster = roster
        self._courier = courier
        self._narrator = narrator
        self._hands = hands
        self._busy = 0
        self.freed = asyncio.Event()

    @property
    def free(self) -> int:
        """Count the hands without a unit."""
        return self._plan.concurrency - self._busy

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
        for running in self._roster:
            running.release(reason, self._plan.kill_after_s)

    def hear(self, token: str, verdict: ReportVerdict) -> None:
        """Do what the service tells with its verdict on a heartbeat."""
        running = self._roster.find(token)
        if running is None:
            return
        if verdict.problem and verdict.problem.stale:
            running.lose(self._plan.kill_after_s)
        elif verdict.signal == "stop":
            running.release("stop", self._plan.kill_after_s)
        elif verdict.signal == "probe":
            running.hurry()

    async def inherit(self, debts: Sequence[SpoolEntry]) -> None:
        """Deliver what dead workers of this machine owe; stop and give back what they left running."""
        for debt in debts:
            if debt.outcome:
                self._narrator.unit("inherited", debt.name, "a result not yet delivered")
                self._courier.owe(debt)
                continue
            self._narrator.unit("inherited", debt.name, "its worker died; the unit goes back")
            if debt.group and debt.group.same:
                await debt.group.stop(self._plan.kill_after_s)
            await self._owe(debt, ReleaseReport(debt.token, reason="recovery"))

    async def _carry(self, claim: GrantedClaim) -> None:
        started_at = time.monotonic()
        try:
            execution = Execution(self._plan.command.line(claim), environment(claim, self._plan.url))
        except (OSError, ValueError) as obstacle:
            outcome = FailureReport(claim.token, reason="launch_failed", error=str(obstacle))
            await self._settle(self._debt(claim), outcome, started_at)
        else:
            await self._watch(RunningUnit(claim, execution), started_at)

    async def _watch(self, running: RunningUnit, started_at: float) -> None:
        """See a command through to its end, and owe what came of it."""
        claim = running.claim
        debt = msgspec.structs.replace(self._debt(claim), group=running.execution.group)
        self._narrator.unit("started", claim.name, f"attempt {claim.attempt}")
        self._note(debt)
        self._roster.add(running)
        self._courier.wake()
        ending = await running.execution.end(self._plan.kill_after_s)
        self._roster.remove(running)
        await self._settle(debt, running.outcome(ending), started_at)

    async def _settle(self, debt: SpoolEntry, outcome: Outcome | None, started_at: float) -> None:
        if outcome:
            await self._owe(debt, outcome)
        else:
            self._spool.forget(debt)
        self._tell(debt, outcome, time.monotonic() - started_at)
        self._busy -= 1
        self.freed.set()

    async def _owe(self, debt: SpoolEntry, outcome: Outcome) -> None:
        owed = msgspec.structs.replace(debt, outcome=outcome)
        try:
            await asyncio.to_thread(self._spool.keep, owed)
        except OSError as error:
            self._narrator.trouble(f"spool: {error}; the outcome of {debt.name} is in memory alone")
        self._courier.owe(owed)

    def _note(self, debt: SpoolEntry) -> None:
        try:
            self._spool.note(debt)
        except OSError as error:
            self._narrator.trouble(f"spool: {error}; nobody would inherit {debt.name}")

    def _tell(self, debt: SpoolEntry, outcome: Outcome | None, seconds: float) -> None:
        match outcome:
            case CompletionReport():
                self._narrator.unit("done", debt.name, f"{seconds:.2f} s")
            case FailureReport(reason=reason, error=error):
                self._narrator.unit("failed", debt.name, f"{reason} · {error}")
            case ReleaseReport(reason=reason):
                self._narrator.unit("released", debt.name, reason)
            case None:
                self._narrator.unit("stopped", debt.name, "the claim was lost")

    def _debt(self, claim: GrantedClaim) -> SpoolEntry:
        return SpoolEntry(worker=self._plan.worker, campaign=claim.campaign, key=claim.key, token=claim.token)
