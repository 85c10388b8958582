"""The life of a worker: claim units, run their commands, deliver every result, say goodbye."""

import asyncio
import socket
from importlib.metadata import version

from service.client.claim_types import HeartbeatReport, Report, ReportVerdict, WorkerReport
from service.worker.claimer import Claimer
from service.worker.console import Console
from service.worker.options import WorkerExitCode, WorkOptions
from service.worker.report_sender import GOODBYE_S, ReportSender
from service.worker.running_units import RunningUnits
from service.worker.service_client import WorkerClient
from service.worker.spool import Spool
from service.worker.unit_runner import UnitRunner


class WorkerLoop:
    """One worker from its first claim to its goodbye."""

    def __init__(self, options: WorkOptions, service: WorkerClient, spool: Spool, console: Console) -> None:
        self._options = options
        self._spool = spool
        self._console = console
        self._tasks = asyncio.TaskGroup()
        presence = WorkerReport(
            alive=True,
            capacity=options.concurrency,
            labels={"host": socket.gethostname(), **options.labels},
            version=version("muster"),
        )
        running_units = RunningUnits(presence)
        self._report_sender = ReportSender(options.worker, service, spool, running_units, console, self._apply_verdict)
        self._runner = UnitRunner(options, self._tasks, spool, running_units, self._report_sender, console)
        self._claimer = Claimer(options, service, self._runner, console)
        self._interrupted = False
        self._grace_over = asyncio.Event()

    async def work(self) -> WorkerExitCode:
        """Claim and run units until stopped or none is left; then finish, deliver and say goodbye."""
        entries = tuple(self._spool.entries())
        async with self._tasks as group:
            sending = group.create_task(self._report_sender.run())
            recovery = group.create_task(self._runner.recover(entries))
            claiming = group.create_task(self._claimer.run())
            limit = group.create_task(self._limit_shutdown(claiming, sending))
            await asyncio.wait([claiming])
            await recovery
            await self._runner.idle()
            self._close_sender(sending)
            await asyncio.wait([sending])
            limit.cancel()
        return self._exit_code()

    def interrupt(self) -> None:
        """Stop claiming and finish what runs; interrupted again, stop that too."""
        if self._interrupted:
            self._grace_over.set()
            return
        self._interrupted = True
        self._console.step(f"stopping: no more claims; running units have {self._options.grace_s:g} s")
        self._claimer.stop()
        asyncio.get_running_loop().call_later(self._options.grace_s, self._grace_over.set)

    async def _limit_shutdown(self, claiming: asyncio.Task[None], sending: asyncio.Task[None]) -> None:
        """After the grace period, stop and give back every unit, and bound the last delivery."""
        await self._grace_over.wait()
        claiming.cancel()
        self._runner.release_all("drain")
        await asyncio.sleep(self._options.kill_after_s + GOODBYE_S)
        sending.cancel()

    def _close_sender(self, sending: asyncio.Task[None]) -> None:
        """End the sender once it has delivered; without a result to deliver, do not wait for a service that is away."""
        self._report_sender.close()
        if self._claimer.exit is WorkerExitCode.REFUSED or not self._report_sender.pending_count:
            asyncio.get_running_loop().call_later(GOODBYE_S, sending.cancel)

    def _apply_verdict(self, report: Report, verdict: ReportVerdict) -> None:
        """Do what the service's verdict on *report* asks for."""
        # One `if` per rule rather than per type of report: a verdict on a heartbeat can hold several of them.
        fenced = verdict.signal == "stop" and isinstance(report, WorkerReport)
        if (fenced or verdict.signal == "drain") and not self._claimer.stopping:
            self._console.step("the service drains or fences this worker: no more claims")
            self._claimer.stop()
        if isinstance(report, WorkerReport | HeartbeatReport) and verdict.problem and not verdict.problem.stale:
            self._console.trouble(f"refused: {verdict.problem.summary}")
        if isinstance(report, WorkerReport):
            self._claimer.worker_registered.set()
        elif isinstance(report, HeartbeatReport):
            self._runner.apply_verdict(report.token, verdict)

    def _exit_code(self) -> WorkerExitCode:
        if pending := self._report_sender.pending_count:
            self._console.trouble(f"{pending} results stay in the spool for the next worker")
        if pending or self._report_sender.refused_count:
            return WorkerExitCode.UNDELIVERED
        return self._claimer.exit
