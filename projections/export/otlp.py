"""The export over OTLP: the fleet's numbers by the leader alone, from a snapshot as a scrape reads it; each replica its own."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

import asyncpg
from opentelemetry.proto.metrics.v1 import metrics_pb2 as pb

from projections.export import otlp_process
from projections.export.otlp_message import Fleet, Histograms, Identity, points_of, requests
from projections.export.otlp_sender import Sender, Undelivered
from projections.export.sample import Sizes
from projections.export.snapshot import Snapshot, rows, take
from projections.measures.process import Process
from service.store.pool import is_lost

LOG = logging.getLogger(__name__)
QUIET_S = 60.0


class Exporter:
    """Sends every *interval_s* seconds, in a thread, one export at a time; who finds it busy leaves it out."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        process: Process,
        sender: Sender,
        identity: Identity,
        interval_s: float,
        *,
        histograms: Histograms,
    ) -> None:
        self._pool = pool
        self._process = process
        self._sender = sender
        self._identity = identity
        self._interval_s = interval_s
        self._fleet = Fleet(histograms)
        self._sizes = Sizes()
        self._busy = {"fleet": threading.Lock(), "process": threading.Lock()}
        self._complained_at = -QUIET_S
        self._began = time.time()

    async def run(self) -> None:
        """Send this process's numbers until cancelled."""
        while True:
            await asyncio.sleep(self._interval_s)
            await asyncio.to_thread(self._send_process)

    async def run_fleet(self, heard_since: Callable[[], datetime]) -> None:
        """Send the fleet's numbers as long as this replica leads."""
        while True:
            await asyncio.sleep(self._interval_s)
            try:
                async with self._pool.acquire() as connection:
                    snapshot = await take(connection, self._sizes)
                heard_since()
            except Exception as error:
                if not is_lost(error):
                    LOG.exception("the fleet's numbers could not be read")
                continue
            await self.export_fleet(snapshot)

    async def export_fleet(self, snapshot: Snapshot) -> None:
        """Send one snapshot."""
        await asyncio.to_thread(self._send_fleet, snapshot)

    def _send_fleet(self, snapshot: Snapshot) -> None:
        born = min((series.created_at for series in snapshot.book.series.values()), default=None)
        if born is not None:
            name = f"fleet:{round(born.timestamp() * 1_000_000):x}"
            self._send("fleet", name, self._fleet.metrics(rows(snapshot), snapshot.depth.at), self._fleet.delivered)

    def _send_process(self) -> None:
        name = self._identity.attributes["service.instance.id"]
        self._send("process", name, otlp_process.metrics(self._process.registry, self._began, time.time()))

    def _send(
        self, scope: str, instance: str, metrics: Iterable[pb.Metric], delivered: Callable[[], None] = lambda: None
    ) -> None:
        """Send *metrics* as those of *instance*, unless an export of the same scope is under way."""
        if not self._busy[scope].acquire(blocking=False):
            return
        try:
            if self._attempt(instance, metrics):
                delivered()
        finally:
            self._busy[scope].release()

    def _attempt(self, instance: str, metrics: Iterable[pb.Metric]) -> bool:
        """Send *metrics*, count what became of them, and tell whether they were delivered."""
        started = time.perf_counter()
        sent = rejected = 0
        result = "success"
        try:
            identity = Identity({**self._identity.attributes, "service.instance.id": instance}, self._identity.version)
            for points, refused in self._deliver(identity, metrics):
                sent, rejected = sent + points, rejected + refused
            result = "partial" if rejected else "success"
        except Undelivered as undelivered:
            result = "failure"
            self._complain(str(undelivered))
        except Exception:
            result = "failure"
            LOG.exception("an export over OTLP broke")
        finally:
            self._process.exported(result, time.perf_counter() - started, sent - rejected, rejected)
        return result != "failure"

    def _deliver(self, identity: Identity, metrics: Iterable[pb.Metric]) -> Iterator[tuple[int, int]]:
        """Send *metrics*; yield for each request how many points it had and how many were refused."""
        for request in requests(identity, metrics):
            answer = self._sender.send(request)
            refused = answer.partial_success.rejected_data_points
            if refused:
                self._complain(f"{refused} points refused: {answer.partial_success.error_message}")
            yield sum(map(points_of, request.resource_metrics[0].scope_metrics[0].metrics)), refused

    def _complain(self, why: str) -> None:
        """Log a failure, once a minute at most."""
        now = time.monotonic()
        if now - self._complained_at >= QUIET_S:
            self._complained_at = now
            LOG.warning("OTLP: %s", why)
