"""The worker's loop: take units, run their commands, leave in good order."""

import asyncio
import socket
from importlib.metadata import version

from service.client.claim_types import HeartbeatReport, Report, ReportVerdict, WorkerReport
from service.worker.claimer import Claimer
from service.worker.console import Console
from service.worker.heartbeats import RunningUnits
from service.worker.options import WorkerExitCode, WorkOptions
from service.worker.report_sender import LAST_WORDS_S, ReportSender
from service.worker.service_client import WorkerClient
from service.worker.spool import Spool
from service.worker.unit_runner import UnitRunner


class WorkerLoop:
    """One worker from its first claim to its farewell."""

    def __init__(self, options: WorkOptions, service: WorkerClient, spool: Spool, console: Console) -> None:
        self._options = options
        self._spool = spool
        self._console = console
        self._hands = asyncio.TaskGroup()
        presence = WorkerReport(
            alive=True,
            capacity=options.concurrency,
            labels={"host": socket.gethostname(), **options.labels},
            version=version("muster"),
        )
        running_units = RunningUnits(presence)
        self._report_sender = ReportSender(options.worker, service, spool, running_units, console, self._hear)
        self._runner = UnitRunner(options, self._hands, spool, running_units, self._report_sender, console)
        self._claimant = Claimer(options, service, self._runner, console)
        self._interrupted = False
        self._abandoned = asyncio.Event()

    async def work(self) -> WorkerExitCode:
        """Take units until told to stop or none is left; then finish, deliver and take leave."""
        entries = tuple(self._spool.entries())
        async with self._hands as group:
            report_sender = group.create_task(self._report_sender.run())
            inheritance = group.create_task(self._runner.inherit(entries))
            taking = group.create_task(self._claimant.take())
            limit = group.create_task(self._limit(taking, report_sender))
            await asyncio.wait([taking])
            await inheritance
            await self._runner.finished()
            self._leave(report_sender)
            await asyncio.wait([report_sender])
            limit.cancel()
        return self._exit()

    def interrupt(self) -> None:
        """Stop claiming and finish what runs; asked again, stop that too."""
        if self._interrupted:
            self._abandoned.set()
            return
        self._interrupted = True
        self._console.step(f"stopping: no more claims; running units have {self._options.grace_s:g} s")
        self._claimant.stop()
        asyncio.get_running_loop().call_later(self._options.grace_s, self._abandoned.set)

    async def _limit(self, taking: asyncio.Task[None], report_sender: asyncio.Task[None]) -> None:
        """Once the patience is over, stop and give back every unit, and bound the last delivery."""
        await self._abandoned.wait()
        taking.cancel()
        self._runner.release_all("drain")
        await asyncio.sleep(self._options.kill_after_s + LAST_WORDS_S)
        report_sender.cancel()

    def _leave(self, report_sender: asyncio.Task[None]) -> None:
        """Let the courier finish; without a result to deliver, an absent service is not waited for."""
        self._report_sender.close()
        if self._claimant.exit is WorkerExitCode.REFUSED or not self._report_sender.waiting:
            asyncio.get_running_loop().call_later(LAST_WORDS_S, report_sender.cancel)

    def _hear(self, report: Report, verdict: ReportVerdict) -> None:
        """Do what the service tells with its verdict on *report*."""
        fenced = verdict.signal == "stop" and isinstance(report, WorkerReport)
        if (fenced or verdict.signal == "drain") and not self._claimant.stopping:
            self._console.step("the service lets this worker go: no more claims")
            self._claimant.stop()
        if isinstance(report, WorkerReport | HeartbeatReport) and verdict.problem and not verdict.problem.stale:
            self._console.trouble(f"refused: {verdict.problem.summary}")
        if isinstance(report, WorkerReport):
            self._claimant.introduced.set()
        elif isinstance(report, HeartbeatReport):
            self._runner.hear(report.token, verdict)

    def _exit(self) -> WorkerExitCode:
        if self._report_sender.waiting:
            self._console.trouble(f"{self._report_sender.waiting} results stay in the spool for the next worker")
        if self._report_sender.waiting or self._report_sender.refused:
            return WorkerExitCode.UNDELIVERED
        return self._claimant.exit
