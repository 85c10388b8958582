"""The worker's loop: take units, run their commands, leave in good order."""

import asyncio
import socket
from importlib.metadata import version

from service.worker.api_types import HeartbeatReport, Report, ReportVerdict, WorkerReport
from service.worker.claimer import Claimer
from service.worker.console import Console
from service.worker.heartbeats import RunningUnits
from service.worker.http_client import WorkerClient
from service.worker.options import WorkerExitCode, WorkOptions
from service.worker.report_sender import LAST_WORDS_S, ReportSender
from service.worker.spool import Spool
from service.worker.unit_runner import UnitRunner


class WorkerLoop:
    """One worker from its first claim to its farewell."""

    def __init__(self, plan: WorkOptions, service: WorkerClient, spool: Spool, narrator: Console) -> None:
        self._plan = plan
        self._spool = spool
        self._narrator = narrator
        self._hands = asyncio.TaskGroup()
        presence = WorkerReport(
            alive=True, capacity=plan.concurrency, labels={"host": socket.gethostname(), **plan.labels}, version=version("muster")
        )
        roster = RunningUnits(presence)
        self._courier = ReportSender(plan.worker, service, spool, roster, narrator, self._hear)
        self._crew = UnitRunner(plan, self._hands, spool, roster, self._courier, narrator)
        self._claimant = Claimer(plan, service, self._crew, narrator)
        self._interrupted = False
        self._abandoned = asyncio.Event()

    async def work(self) -> WorkerExitCode:
        """Take units until told to stop or none is left; then finish, deliver and take leave."""
        debts = tuple(self._spool.debts())
        async with self._hands as group:
            courier = group.create_task(self._courier.run())
            inheritance = group.create_task(self._crew.inherit(debts))
            taking = group.create_task(self._claimant.take())
            limit = group.create_task(self._limit(taking, courier))
            await asyncio.wait([taking])
            await inheritance
            await self._crew.finished()
            self._leave(courier)
            await asyncio.wait([courier])
            limit.cancel()
        return self._exit()

    def interrupt(self) -> None:
        """Stop claiming and finish what runs; asked again, stop that too."""
        if self._interrupted:
            self._abandoned.set()
            return
        self._interrupted = True
        self._narrator.step(f"stopping: no more claims; running units have {self._plan.grace_s:g} s")
        self._claimant.stop()
        asyncio.get_running_loop().call_later(self._plan.grace_s, self._abandoned.set)

    async def _limit(self, taking: asyncio.Task[None], courier: asyncio.Task[None]) -> None:
        """Once the patience is over, stop and give back every unit, and bound the last delivery."""
        await self._abandoned.wait()
        taking.cancel()
        self._crew.release_all("drain")
        await asyncio.sleep(self._plan.kill_after_s + LAST_WORDS_S)
        courier.cancel()

    def _leave(self, courier: asyncio.Task[None]) -> None:
        """Let the courier finish; without a result to deliver, an absent service is not waited for."""
        self._courier.close()
        if self._claimant.exit is WorkerExitCode.REFUSED or not self._courier.waiting:
            asyncio.get_running_loop().call_later(LAST_WORDS_S, courier.cancel)

    def _hear(self, report: Report, verdict: ReportVerdict) -> None:
        """Do what the service tells with its verdict on *report*."""
        fenced = verdict.signal == "stop" and isinstance(report, WorkerReport)
        if (fenced or verdict.signal == "drain") and not self._claimant.stopping:
            self._narrator.step("the service lets this worker go: no more claims")
            self._claimant.stop()
        if isinstance(report, WorkerReport | HeartbeatReport) and verdict.problem and not verdict.problem.stale:
            self._narrator.trouble(f"refused: {verdict.problem}")
        if isinstance(report, WorkerReport):
            self._claimant.introduced.set()
        elif isinstance(report, HeartbeatReport):
            self._crew.hear(report.token, verdict)

    def _exit(self) -> WorkerExitCode:
        if self._courier.waiting:
            self._narrator.trouble(f"{self._courier.waiting} results stay in the spool for the next worker")
        if self._courier.waiting or self._courier.refused:
            return WorkerExitCode.UNDELIVERED
        return self._claimant.exit
