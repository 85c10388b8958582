"""`POST /v1/reports`: heartbeats, completions and failures of a worker, many at once, each judged on its own."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

import msgspec
from litestar import post
from msgspec import UNSET, Raw, Struct, UnsetType
from msgspec.json import Decoder

from service.domain import ids
from service.domain.commands import Command, ReportReply
from service.domain.content.json_limits import require_sound
from service.domain.rejections import Rejection
from service.http.openapi.operation import described
from service.http.problems import PayloadTooLarge, Problem, problem
from service.http.request.body import MISSHAPEN, decoded, shaped
from service.http.request.fields import RequestBody, Worker, printable
from service.http.request.report_bodies import Item, order
from service.http.request.request import WriteRequest
from service.http.request.screens import Screens
from service.http.response import RawResponse, answered
from service.submission import Answer

MOST = 5000
BREATH = 256 * 1024
"""Characters of screens after which others get their turn."""


class ReportsHeader(RequestBody, frozen=True):
    """Who reports."""

    worker: Worker

    def __post_init__(self) -> None:
        """Check what the types cannot say."""
        printable("worker", self.worker)


class Reports(ReportsHeader, frozen=True, kw_only=True):
    """What worker *worker* reports."""

    reports: list[Item]


class LooseReports(ReportsHeader, frozen=True, kw_only=True):
    """The same, with items that are not yet looked at."""

    reports: list[Raw]


class ReportResult(Struct, frozen=True):
    """What became of one item: the unit's state now, the new end of its lease and what to do, or the problem."""

    ok: bool
    state: ids.UnitState | UnsetType | None = UNSET
    lease_until: datetime | UnsetType | None = UNSET
    signal: Literal["stop", "drain", "probe"] | UnsetType | None = UNSET
    problem: Problem | UnsetType = UNSET


class ReportAnswer(Struct, frozen=True):
    """One result for each item, in the order given."""

    results: list[ReportResult]
    position: int


REPORTS, LOOSE = Decoder(Reports), Decoder(LooseReports)
ITEM: Decoder[Item] = Decoder(Item)
ENCODE = msgspec.json.Encoder(enc_hook=str).encode


@post("/v1/reports", **described("Report", Reports, ReportAnswer, refuses=(413,)))
async def report(request: WriteRequest) -> RawResponse:
    """Record what a worker has to say, up to 5,000 items; each is judged on its own and answered in its place."""
    worker, items = items_of(await request.raw_body())
    screens = Screens()
    commands: list[Command] = []
    refused: dict[int, Rejection] = {}
    for index, item in enumerate(items):
        if isinstance(item, Rejection):
            refused[index] = item
            continue
        commands.append(order(item, worker, screens))
        if screens.read > BREATH:
            screens.read = 0
            await asyncio.sleep(0)
    return await answered(request, commands, lambda answer: rendered(answer, refused), screens.texts)


def items_of(body: bytes) -> tuple[ids.WorkerId, Sequence[Item | Rejection]]:
    """Return the worker and its items; one that has not the shape is there as its refusal."""
    try:
        require_sound(body)
        reports = REPORTS.decode(body)
    except (*MISSHAPEN, Rejection):
        loose = shaped(LOOSE, body)
        require_few(loose.reports)
        return loose.worker, [item_of(bytes(raw), index) for index, raw in enumerate(loose.reports)]
    require_few(reports.reports)
    return reports.worker, reports.reports


def require_few(items: Sequence[object]) -> None:
    """Refuse more items than one call may hold."""
    if len(items) > MOST:
        raise PayloadTooLarge(f"{len(items)} reports; at most {MOST} a call", field="reports", allowed=MOST)


def item_of(raw: bytes, index: int) -> Item | Rejection:
    """Return one item, or why it is none."""
    try:
        return decoded(ITEM, raw, f"reports[{index}]")
    except Rejection as refusal:
        return refusal


def rendered(answer: Answer, refused: Mapping[int, Rejection]) -> bytes:
    """Return the results in the order of the items."""
    came = iter(answer.results)
    count = len(answer.results) + len(refused)
    results = [result(refused[index] if index in refused else next(came), index) for index in range(count)]
    return ENCODE(ReportAnswer(results, answer.position))


def result(judged: ReportReply | Rejection, index: int) -> ReportResult:
    """Return what became of one item."""
    if isinstance(judged, Rejection):
        field = judged.fields.get("field")
        if field and not field.startswith("reports["):
            judged.fields["field"] = f"reports[{index}].{field}"
        return ReportResult(ok=False, signal=judged.fields.get("signal", UNSET), problem=problem(judged))
    return ReportResult(True, judged.state, judged.lease_until, judged.signal)  # noqa: FBT003 - the first field says it


HANDLERS = (report,)
