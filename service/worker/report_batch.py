"""A letter: what the worker says in one request, said again unchanged until it is answered."""

import uuid
from collections.abc import Iterable, Iterator

import msgspec

from service.client.claim_types import CompletionReport, FailureReport, ReleaseReport, Report

REPORTS = 500
WEIGHT = 2 * 1024 * 1024


class ReportBatch:
    """Reports of one worker, under one idempotency key if any of them ends a claim."""

    def __init__(self, worker: str, reports: tuple[Report, ...]) -> None:
        self.worker = worker
        self.reports = reports
        self.content = msgspec.json.encode({"worker": worker, "reports": reports})
        self.key = uuid.uuid4().hex if any(map(binding, reports)) else ""

    def halves(self) -> "tuple[ReportBatch, ReportBatch]":
        """Split the letter, to find the report that the service cannot take."""
        middle = len(self.reports) // 2
        return ReportBatch(self.worker, self.reports[:middle]), ReportBatch(self.worker, self.reports[middle:])


def binding(report: Report) -> bool:
    """Say whether *report* ends a claim, so that it must not be judged twice."""
    return isinstance(report, CompletionReport | FailureReport | ReleaseReport)


def report_batches(worker: str, reports: Iterable[Report]) -> Iterator[ReportBatch]:
    """Fold *reports* into letters of a size that a service takes."""
    page: list[Report] = []
    weight = 0
    for report in reports:
        if page and (len(page) == REPORTS or weight > WEIGHT):
            yield ReportBatch(worker, tuple(page))
            page, weight = [], 0
        page.append(report)
        weight += len(getattr(report, "screen", None) or "")
    if page:
        yield ReportBatch(worker, tuple(page))
