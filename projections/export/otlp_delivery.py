"""What becomes of an export over OTLP: counted, and said in the log once a minute at most."""

import logging
import time
from collections.abc import Iterable
from typing import NamedTuple

from google.protobuf.message import Message  # type: ignore[import-untyped]  # its stubs are another package

from projections.export.otlp_sender import ExportRefused, Sender, Signal, Undelivered
from projections.export.status import ExportStatus, Result
from projections.measures.process import Process

LOG = logging.getLogger(__name__)
QUIET_S = 60.0


class DeliveryResult(NamedTuple):
    """What became of an export; *settled* unless it is worth to be sent again."""

    result: Result
    settled: bool


class Delivery:
    """Sends requests of one signal, for as many threads as like to; *standing* tells people what became of them."""

    def __init__(self, signal: Signal, sender: Sender, process: Process, status: ExportStatus | None = None) -> None:
        self.status = status or ExportStatus(signal.noun)
        self._signal = signal
        self._sender = sender
        self._process = process
        self._complained_at = -QUIET_S

    def deliver(self, requests: Iterable[tuple[Message, int]]) -> DeliveryResult:
        """Send requests, each with how much it holds, and count what became of them."""
        started = time.perf_counter()
        accepted = rejected = 0
        settled, broke = True, False
        try:
            for request, size in requests:
                refused = self._send(request, size)
                accepted, rejected = accepted + size - refused, rejected + refused
        except Undelivered as undelivered:
            settled, broke = False, True
            self._complain(str(undelivered))
        except Exception:
            broke = True
            self.status.erred("the export broke; the log says how")
            LOG.exception("an export of %s over OTLP broke", self._signal.noun)
        failed = broke or (rejected and not accepted)
        outcome = DeliveryResult("failure" if failed else "partial" if rejected else "success", settled)
        self._process.exported(outcome.result, time.perf_counter() - started, accepted, rejected)
        self.status.record(outcome.result, accepted, rejected)
        return outcome

    def _send(self, request: Message, size: int) -> int:
        """Send one request; return how much of it was refused, all of one that the receiver does not want."""
        try:
            refused, why = self._sender.send(request)
        except ExportRefused as unwanted:
            refused, why = size, str(unwanted)
        if refused:
            self._complain(f"{refused} refused: {why}")
        return refused

    def _complain(self, why: str) -> None:
        """Note a failure, and log it once a minute at most."""
        self.status.erred(why)
        now = time.monotonic()
        if now - self._complained_at >= QUIET_S:
            self._complained_at = now
            LOG.warning("OTLP, %s: %s", self._signal.noun, why)
