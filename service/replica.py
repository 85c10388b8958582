"""One replica: the parts of a running service, built once from the settings, and the tasks that run them."""

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
SAMPLE_S = 0.5


class Replica:
    """All parts of one process of Muster below HTTP."""

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
        self.exports = [sender.delivery.status for sender in (self.exporter, tracer) if sender is not None]
        exports = () if self.exporter is None else (self.exporter.run_fleet,)
        traces = () if tracer is None else (tracer.run,)
        retention = Retention(self.pool, observer=self.process)
        duties = (*exports, *traces, self._announce, self._project, scheduler.run, retention.run, consistency_check.run)
        self.leader = Leader(self.pool, self.name, settings.leader_lease_s, duties)

    def _committed(self, events: Sequence[Recorded]) -> None:
        """Wake the loops and requests that wait for such events, everywhere; a heartbeat wakes only what folds the log."""
        kinds = {type(event.body) for event in events}
        self.projector.committed(events)
        self.notifier.send()
        if kinds & OPENINGS:
            self.work.notify()
        if kinds & DEADLINES or any(begins_rounds(event.body) for event in events):
            self.deadlines.notify()

    def _heard(self) -> None:
        """Wake every waiter: another replica has committed something, and a notification does not say what."""
        self.projector.notify()
        self.work.notify()
        self.deadlines.notify()

    async def _announce(self, _heard_since: Callable[[], datetime]) -> None:
        """Record that this replica leads; then sleep, because a duty that ends also ends the term."""
        await self.writer.submit([ElectLeader(replica=self.name)], in_new_trace("leader"))
        await asyncio.Event().wait()

    async def _project(self, _heard_since: Callable[[], datetime]) -> None:
        """Fold the log as long as this replica leads."""
        await self.projector.run()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the tasks; at the end, stop them one by one in the reverse order of their dependencies, then close the pool."""
        await self.pool
        exports = () if self.exporter is None else (self.exporter.run,)
        loops = (self.writer.run, self.notifier.run, self.leader.run, self._sample, *exports)
        tasks = [asyncio.create_task(run_or_stop(loop())) for loop in reversed(loops)]
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

    async def _sample(self) -> None:
        """Measure the lag of the event loop and the use of the pool, twice a second."""
        while True:
            due = monotonic() + SAMPLE_S
            await asyncio.sleep(SAMPLE_S)
            self.process.observe_loop_lag(max(monotonic() - due, 0.0))
            idle = self.pool.get_idle_size()
            self.process.connections(self.pool.get_size() - idle, idle, self.pool.get_max_size())
            self.process.leads(leader=self.leader.leads)


async def run_or_stop(loop: Coroutine[None, None, None]) -> None:
    """Run a loop that never returns; when it raises, stop the process in order, so that its supervisor starts a new one."""
    try:
        await loop
    except asyncio.CancelledError:
        raise
    except Exception:
        LOG.critical("a loop of this replica broke, stopping", exc_info=True)
        signal.raise_signal(signal.SIGTERM)
