"""The export over OTLP: the fleet's numbers by the leader alone, from a snapshot as a scrape reads it; each replica its own."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterable
from datetime import datetime

import asyncpg
from opentelemetry.proto.metrics.v1 import metrics_pb2 as pb

from projections.export import otlp_process
from projections.export.otlp_delivery import Delivery
from projections.export.otlp_message import Fleet, Histograms, Identity, fleet, paced, requests
from projections.export.sample import Sizes
from projections.export.snapshot import Snapshot, rows, take
from projections.measures.process import Process
from service.store.db.pool import is_lost

LOG = logging.getLogger(__name__)


class Exporter:
    """Sends every *interval_s* seconds, in a thread, one export at a time; who finds it busy leaves it out."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        process: Process,
        delivery: Delivery,
        identity: Identity,
        interval_s: float,
        *,
        histograms: Histograms,
    ) -> None:
        self._pool = pool
        self._process = process
        self.delivery = delivery
        self._identity = identity
        self._interval_s = interval_s
        self._fleet = Fleet(histograms)
        self._sizes = Sizes()
        self._busy = {"fleet": threading.Lock(), "process": threading.Lock()}
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
                    snapshot = await take(connection, self._sizes, pace=paced)
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
        born = min((series.created_at for series in snapshot.series_store.series.values()), default=None)
        if born is not None:
            self._send("fleet", fleet(born), self._fleet.metrics(rows(snapshot), snapshot.lag.at), self._fleet.delivered)

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
            if self.delivery.deliver(requests(self._identity.with_instance(instance), metrics)).result != "failure":
                delivered()
        finally:
            self._busy[scope].release()
