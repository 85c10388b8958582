"""The delivery of OTLP exports: results are counted, errors logged at most once a minute."""

import logging
import time
from collections.abc import Iterable
from typing import NamedTuple

from google.protobuf.message import Message  # type: ignore[import-untyped]  # its stubs are another package

from projections.export.otlp_sender import ExportRefused, Sender, Signal, Undelivered
from projections.export.status import ExportStatus, Result
from projections.measures.process import Process

LOG = logging.getLogger(__name__)
LOG_INTERVAL_S = 60.0


class DeliveryResult(NamedTuple):
    """The result of an export; *settled* unless it should be sent again."""

    result: Result
    settled: bool


class Delivery:
    """Sends requests of one signal; thread-safe. *status* shows people the last results."""

    def __init__(self, signal: Signal, sender: Sender, process: Process, status: ExportStatus | None = None) -> None:
        self.status = status or ExportStatus(signal.noun)
        self._signal = signal
        self._sender = sender
        self._process = process
        self._complained_at = -LOG_INTERVAL_S

    def deliver(self, requests: Iterable[tuple[Message, int]]) -> DeliveryResult:
        """Send requests, each with its number of points or spans, and count the results."""
        started = time.perf_counter()
        accepted = rejected = 0
        settled, failed = True, False
        try:
            for request, size in requests:
                refused = self._send(request, size)
                accepted, rejected = accepted + size - refused, rejected + refused
        except Undelivered as undelivered:
            settled, failed = False, True
            self._complain(str(undelivered))
        except Exception:
            failed = True
            self.status.note_error("the export failed; see the log")
            LOG.exception("an export of %s over OTLP failed", self._signal.noun)
        failed = failed or (rejected > 0 and accepted == 0)
        outcome = DeliveryResult("failure" if failed else "partial" if rejected else "success", settled)
        self._process.exported(outcome.result, time.perf_counter() - started, accepted, rejected)
        self.status.record(outcome.result, accepted, rejected)
        return outcome

    def _send(self, request: Message, size: int) -> int:
        """Send one request; return how many of its items were refused: all, if the receiver refuses the request itself."""
        try:
            refused, reason = self._sender.send(request)
        except ExportRefused as refusal:
            refused, reason = size, str(refusal)
        if refused:
            self._complain(f"{refused} refused: {reason}")
        return refused

    def _complain(self, why: str) -> None:
        """Note a failure, and log it at most once a minute."""
        self.status.note_error(why)
        now = time.monotonic()
        if now - self._complained_at >= LOG_INTERVAL_S:
            self._complained_at = now
            LOG.warning("OTLP, %s: %s", self._signal.noun, why)
