"""One replica: the parts of a running service, built once from the settings, and the tasks that keep them going."""

import asyncio
import logging
import secrets
import signal
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from time import monotonic

from projections.http.reads.reader import Reader
from projections.measures.process import Process
from projections.projector import Projector
from service.domain.commands import ElectLeader
from service.domain.events import DEADLINES, OPENINGS, Recorded, begins_rounds
from service.loops.consistency_check import ConsistencyCheck
from service.loops.leader import Leader
from service.loops.notify import Notifier
from service.loops.retention import Retention
from service.loops.scheduler import Scheduler
from service.otlp import build_metrics_exporter, build_trace_exporter
from service.settings import Settings
from service.store.db.pool import BY_KEY, make_pool, open_connection
from service.store.db.schema import head
from service.store.log.idempotency import IdempotencyStore
from service.submission import in_new_trace
from service.wakeup import Wakeup
from service.writer import Writer

LOG = logging.getLogger(__name__)
POOL_CLOSE_S = 5.0
PULSE_S = 0.5


class Replica:
    """Everything that one process of Muster is made of, below HTTP."""

    def __init__(self, settings: Settings) -> None:
        connect = partial(open_connection, settings)
        self.name = f"{socket.gethostname()}-{secrets.token_hex(3)}"
        self.process = Process(head(), settings.commit)
        self.pool = make_pool(settings, observer=self.process)
        self.work, self.deadlines = Wakeup(), Wakeup()
        write = partial(connect, name="muster writer", session=BY_KEY)
        self.writer = Writer(write, committed=self._committed, observer=self.process)
        self.projector = Projector(self.pool, self.process)
        self.reader = Reader(self.pool, self.projector)
        self.replays = IdempotencyStore(self.pool)
        self.notifier = Notifier(partial(open_connection, settings.direct, name="muster notices"), self._heard, self.name)
        scheduler = Scheduler(self.pool, self.writer, self.deadlines, settings.tick_s, observer=self.process)
        consistency_check = ConsistencyCheck(settings.direct, self.process.diverged)
        self.exporter = build_metrics_exporter(settings, self.pool, self.process, self.name)
        tracer = build_trace_exporter(settings, self.pool, self.process)
        self.exports = [sends.delivery.status for sends in (self.exporter, tracer) if sends is not None]
        exports = () if self.exporter is None else (self.exporter.run_fleet,)
        traces = () if tracer is None else (tracer.run,)
        retention = Retention(self.pool, observer=self.process)
        duties = (*exports, *traces, self._announce, self._project, scheduler.run, retention.run, consistency_check.run)
        self.leader = Leader(self.pool, self.name, settings.leader_lease_s, duties)

    def _committed(self, events: Sequence[Recorded]) -> None:
        """Wake whoever waits for what was just committed, here and elsewhere; a heartbeat wakes only those who fold the log."""
        kinds = {type(event.body) for event in events}
        self.projector.committed(events)
        self.notifier.send()
        if kinds & OPENINGS:
            self.work.notify()
        if kinds & DEADLINES or any(begins_rounds(event.body) for event in events):
            self.deadlines.notify()

    def _heard(self) -> None:
        """Wake everyone: another replica has committed something."""
        self.projector.notify()
        self.work.notify()
        self.deadlines.notify()

    async def _announce(self, _heard_since: Callable[[], datetime]) -> None:
        """Record that this replica leads, then stand by."""
        await self.writer.submit([ElectLeader(replica=self.name)], in_new_trace("leader"))
        await asyncio.Event().wait()

    async def _project(self, _heard_since: Callable[[], datetime]) -> None:
        """Fold the log as long as this replica leads."""
        await self.projector.run()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep the parts going, and end them top down; the pool's end is not waited for longer than it may take."""
        await self.pool
        exports = () if self.exporter is None else (self.exporter.run,)
        loops = (self.writer.run, self.notifier.run, self.leader.run, self._pulse, *exports)
        tasks = [asyncio.create_task(watched(loop())) for loop in reversed(loops)]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            try:
                await asyncio.wait_for(self.pool.close(), POOL_CLOSE_S)
            except TimeoutError:
                self.pool.terminate()

    async def _pulse(self) -> None:
        """Measure the event loop and the pool, twice a second."""
        while True:
            due = monotonic() + PULSE_S
            await asyncio.sleep(PULSE_S)
            self.process.observe_loop_lag(max(monotonic() - due, 0.0))
            idle = self.pool.get_idle_size()
            self.process.connections(self.pool.get_size() - idle, idle, self.pool.get_max_size())
            self.process.leads(leader=self.leader.leads)


async def watched(loop: Coroutine[None, None, None]) -> None:
    """Run a loop that never ends; should it end, end the process in order, for a supervisor to start another."""
    try:
        await loop
    except asyncio.CancelledError:
        raise
    except Exception:
        LOG.critical("a loop of this replica broke, stopping", exc_info=True)
        signal.raise_signal(signal.SIGTERM)
