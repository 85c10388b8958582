"""`POST /v1/reports`: heartbeats, completions and failures of a worker, many in one request, each decided on its own."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec
from litestar import post
from msgspec import UNSET, Raw, Struct, UnsetType
from msgspec.json import Decoder

from service.domain import ids
from service.domain.commands import Command, ReportReply
from service.domain.content.json_limits import require_sound
from service.domain.instant import Instant
from service.domain.rejections import Rejection
from service.http.openapi.operation import described
from service.http.problems import PayloadTooLarge, Problem, problem
from service.http.request.body import DECODING_ERRORS, decode_body, decode_unchecked
from service.http.request.fields import RequestBody, Worker, printable
from service.http.request.report_bodies import Item, item_command
from service.http.request.request import WriteRequest
from service.http.request.screens import Screens
from service.http.response import RawResponse, submit_and_render
from service.submission import Answer

MAX_REPORTS = 5000
YIELD_CHARS = 256 * 1024
"""Characters of screens after whose redaction, which is slow, the event loop may serve others."""


class ReportsHeader(RequestBody, frozen=True):
    """The worker that reports."""

    worker: Worker

    def __post_init__(self) -> None:
        """Check what the types cannot say."""
        printable("worker", self.worker)


class Reports(ReportsHeader, frozen=True, kw_only=True):
    """The reports of one worker."""

    reports: list[Item]


class LooseReports(ReportsHeader, frozen=True, kw_only=True):
    """The reports of one worker, with items that are not decoded yet."""

    reports: list[Raw]


class ReportResult(Struct, frozen=True):
    """The result of one item: the unit's state now, the new end of its lease and what the worker should do, or the problem."""

    ok: bool
    state: ids.UnitState | UnsetType | None = UNSET
    lease_until: Instant | UnsetType | None = UNSET
    signal: Literal["stop", "drain", "probe"] | UnsetType | None = UNSET
    problem: Problem | UnsetType = UNSET


class ReportAnswer(Struct, frozen=True):
    """One result for each item, in the order of the items."""

    results: list[ReportResult]
    position: int


REPORTS, LOOSE = Decoder(Reports), Decoder(LooseReports)
ITEM: Decoder[Item] = Decoder(Item)
ENCODE = msgspec.json.Encoder(enc_hook=str).encode


@post("/v1/reports", **described("Report", Reports, ReportAnswer, refuses=(413,)))
async def report(request: WriteRequest) -> RawResponse:
    """Record up to 5,000 reports of a worker; each is decided on its own, and the results are in the order of the reports."""
    worker, items = decode_reports(await request.raw_body())
    screens = Screens()
    commands: list[Command] = []
    refused: dict[int, Rejection] = {}
    for index, item in enumerate(items):
        if isinstance(item, Rejection):
            refused[index] = item
            continue
        commands.append(item_command(item, worker, screens))
        if screens.chars_read > YIELD_CHARS:
            screens.chars_read = 0
            await asyncio.sleep(0)
    return await submit_and_render(request, commands, lambda answer: render_results(answer, refused), screens.texts)


def decode_reports(body: bytes) -> tuple[ids.WorkerId, Sequence[Item | Rejection]]:
    """Return the worker and its items; an item that cannot be decoded is represented by its refusal."""
    # All items are decoded in one call; only when that fails are they decoded one by one, to refuse the bad ones alone.
    try:
        require_sound(body)
        reports = REPORTS.decode(body)
    except (*DECODING_ERRORS, Rejection):
        loose = decode_unchecked(LOOSE, body)
        require_few(loose.reports)
        return loose.worker, [decode_item(bytes(raw), index) for index, raw in enumerate(loose.reports)]
    require_few(reports.reports)
    return reports.worker, reports.reports


def require_few(items: Sequence[object]) -> None:
    """Refuse more items than one request may have.

    Raises:
        PayloadTooLarge: there are more.

    """
    if len(items) > MAX_REPORTS:
        raise PayloadTooLarge(f"{len(items)} reports; at most {MAX_REPORTS} a call", field="reports", allowed=MAX_REPORTS)


def decode_item(raw: bytes, index: int) -> Item | Rejection:
    """Return one item, or its refusal."""
    try:
        return decode_body(ITEM, raw, f"reports[{index}]")
    except Rejection as refusal:
        return refusal


def render_results(answer: Answer, refused: Mapping[int, Rejection]) -> bytes:
    """Return the results in the order of the items."""
    decided = iter(answer.results)
    count = len(answer.results) + len(refused)
    results = [result_of(refused[index] if index in refused else next(decided), index) for index in range(count)]
    return ENCODE(ReportAnswer(results, answer.position))


def result_of(outcome: ReportReply | Rejection, index: int) -> ReportResult:
    """Return the result of one item."""
    if isinstance(outcome, Rejection):
        field = outcome.fields.get("field")
        if field and not field.startswith("reports["):
            outcome.fields["field"] = f"reports[{index}].{field}"
        return ReportResult(ok=False, signal=outcome.fields.get("signal", UNSET), problem=problem(outcome))
    return ReportResult(True, outcome.state, outcome.lease_until, outcome.signal)  # noqa: FBT003 - the first field says it


HANDLERS = (report,)
