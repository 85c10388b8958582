"""A batch of reports: the body of one request, repeated unchanged until the service has answered it."""

import uuid
from collections.abc import Iterable, Iterator

import msgspec

from service.client.claim_types import CompletionReport, FailureReport, ReleaseReport, Report

MAX_REPORTS = 500
"""A tenth of what `POST /v1/reports` takes, so that each answer, and with it a `stop`, comes soon."""
MAX_SCREEN_CHARS = 2 * 1024 * 1024
"""Screens make a batch large; with this many characters of them it stays below the largest body that the API takes."""


class ReportBatch:
    """Reports of one worker, under one idempotency key if any of them ends a claim."""

    def __init__(self, worker: str, reports: tuple[Report, ...]) -> None:
        self.worker = worker
        self.reports = reports
        self.content = msgspec.json.encode({"worker": worker, "reports": reports})
        self.key = uuid.uuid4().hex if any(map(ends_claim, reports)) else ""

    def halves(self) -> "tuple[ReportBatch, ReportBatch]":
        """Split the batch, to find the report that the service cannot take."""
        middle = len(self.reports) // 2
        return ReportBatch(self.worker, self.reports[:middle]), ReportBatch(self.worker, self.reports[middle:])


def ends_claim(report: Report) -> bool:
    """Say whether *report* ends a claim, so that the service must record it once."""
    return isinstance(report, CompletionReport | FailureReport | ReleaseReport)


def report_batches(worker: str, reports: Iterable[Report]) -> Iterator[ReportBatch]:
    """Divide *reports* into batches of a size that the service takes."""
    batch: list[Report] = []
    screen_chars = 0
    for report in reports:
        if batch and (len(batch) == MAX_REPORTS or screen_chars > MAX_SCREEN_CHARS):
            yield ReportBatch(worker, tuple(batch))
            batch, screen_chars = [], 0
        batch.append(report)
        screen_chars += len(getattr(report, "screen", None) or "")
    if batch:
        yield ReportBatch(worker, tuple(batch))
