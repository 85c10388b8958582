"""`GET` of campaigns, and of quarantine, waves, workers, result and time account of one."""

from typing import get_args

from litestar import Response, get
from msgspec import Struct

from projections.http.operation import AT_LEAST, LIST, described_read
from projections.http.reads import quarantine as quarantined
from projections.http.reads import time_accounting
from projections.http.reads import unit as units_of
from projections.http.reads.quarantine import QuarantinedUnit
from projections.http.reads.query_runner import READS
from projections.http.reads.time_accounting import TimeAccountView
from projections.http.request import INT32, SMALL_DIGITS, ListPage, ReadRequest, json_response, list_page, require_found
from projections.views.campaign.view import CampaignView
from projections.views.wave.view import WaveView
from projections.views.worker import view
from projections.views.worker.view import HeartbeatSummary, WorkerView
from service.domain import ids
from service.domain.rejections import Validation

WORKERS = 10_000
LABEL_CHARS = 128 + 1 + 1000
"""The longest name, the sign, and the longest value."""


class Result(Struct, kw_only=True):
    """The result of a campaign; *duration_s* is the time from its first claim to its end, None before."""

    name: ids.CampaignName
    state: ids.CampaignState
    outcome: ids.Outcome | None
    progress: float
    units: dict[str, int]
    quarantined_by_reason: dict[str, int]
    duration_s: float | None
    position: int


@get(**described_read("/v1/campaigns", "ListCampaigns", ListPage[CampaignView], *LIST, "state", "label"))
async def campaigns(request: ReadRequest) -> Response[bytes]:
    """Return campaigns, filtered by state and by labels (`name=value`, `name:value` or `name`, repeatable)."""
    equal, present = label_filters(request.query_params.getall("label", []))
    limit = request.limit
    state = request.word("state", get_args(ids.CampaignState))
    items = await request.reader.campaigns(request.cursor, state, equal, present, limit, request.at_least)
    return json_response(list_page(items, limit, items[-1].name if items else None))


def label_filters(parameters: list[str]) -> tuple[dict[str, str], list[str]]:
    """Return the labels that must have a certain value, and the names of those that must exist.

    Raises:
        Validation: a parameter is no label.

    >>> label_filters(["team=core", "zone:eu", "gpu"])
    ({'team': 'core', 'zone': 'eu'}, ['gpu'])
    """
    equal, present = {}, []
    for text in parameters:
        name, sign, value = text.partition("=" if "=" in text else ":")
        if not name or len(text) > LABEL_CHARS or not text.isprintable():
            raise Validation("label must be name=value or name", field="label", current=text[:200])
        if sign:
            equal[name] = value
        else:
            present.append(name)
    return equal, present


@get(**described_read("/v1/campaigns/{name:str}", "GetCampaign", CampaignView, AT_LEAST))
async def campaign(request: ReadRequest) -> Response[bytes]:
    """Return one campaign; its version is the ETag for `If-Match`."""
    view = await view_of(request)
    return json_response(view, headers={"ETag": f'"{view.version}"'})


async def view_of(request: ReadRequest) -> CampaignView:
    """Return the view of the campaign in the path.

    Raises:
        NotFound: there is none.

    """
    name = request.campaign
    return require_found(await request.reader.campaign_view(name, request.at_least), "campaign", name)


async def require_campaign(request: ReadRequest) -> ids.CampaignName:
    """Return the name of the campaign in the path.

    Raises:
        NotFound: there is no such campaign.

    """
    name = request.campaign
    require_found(await units_of.campaign_exists(request.reader, name) or None, "campaign", name)
    return name


@get(**described_read("/v1/campaigns/{name:str}/quarantine", "ListQuarantine", ListPage[QuarantinedUnit], *LIST, "reason"))
async def quarantine(request: ReadRequest) -> Response[bytes]:
    """Return the quarantined units of a campaign with reason, error and last screen."""
    name, limit = await require_campaign(request), request.limit
    reason = request.word("reason", get_args(ids.QuarantineReason))
    items = await quarantined.quarantine(request.reader, name, request.cursor, reason, limit, request.at_least)
    return json_response(list_page(items, limit, items[-1].key if items else None))


@get(**described_read("/v1/campaigns/{name:str}/waves", "ListWaves", ListPage[WaveView], *LIST))
async def waves(request: ReadRequest) -> Response[bytes]:
    """Return the waves of a campaign in order: units by state, start, end, duration, the first keys."""
    name, limit = await require_campaign(request), request.limit
    cursor = request.cursor
    if cursor and not (cursor.isdecimal() and cursor.isascii() and len(cursor) <= SMALL_DIGITS and int(cursor) <= INT32):
        raise Validation("the cursor is not one of ours", field="cursor", current=cursor[:200])
    items = await request.reader.waves(name, int(cursor or 0), limit, request.at_least)
    return json_response(list_page(items, limit, str(items[-1].wave) if items else None))


@get(**described_read("/v1/campaigns/{name:str}/workers", "ListCampaignWorkers", ListPage[WorkerView], *LIST, "level"))
async def workers(request: ReadRequest) -> Response[bytes]:
    """Return the workers that hold a claim of a campaign."""
    name, limit = await require_campaign(request), request.limit
    level = request.word("level", get_args(ids.Level))
    items = await request.reader.workers(request.cursor, level, name, limit, request.at_least)
    return json_response(list_page(items, limit, items[-1].worker if items else None))


@get(**described_read("/v1/campaigns/{name:str}/heartbeats", "GetHeartbeats", HeartbeatSummary, AT_LEAST))
async def heartbeats(request: ReadRequest) -> Response[bytes]:
    """Return how many workers of a campaign are healthy, warned of, stale, dead or missing, and the longest silence."""
    name = await require_campaign(request)
    return json_response(view.heartbeat_summary(await request.reader.workers("", None, name, WORKERS, request.at_least)))


@get(**described_read("/v1/campaigns/{name:str}/result", "GetResult", Result, AT_LEAST))
async def result(request: ReadRequest) -> Response[bytes]:
    """Return the outcome of a campaign: its state, units by state, quarantine by reason, duration."""
    view = await view_of(request)
    ended_at = view.completed_at or view.cancelled_at
    duration_s = None if view.started_at is None or ended_at is None else (ended_at - view.started_at).total_seconds()
    return json_response(
        Result(
            name=view.name,
            state=view.state,
            outcome=view.outcome,
            progress=view.progress,
            units={state: getattr(view.units, state) for state in ("total", *ids.UNIT_STATES)},
            quarantined_by_reason=view.quarantined_by_reason,
            duration_s=duration_s,
            position=view.position,
        )
    )


@get(**described_read("/v1/campaigns/{name:str}/ledger", "GetLedger", TimeAccountView, AT_LEAST, "from", "to"))
async def ledger(request: ReadRequest) -> Response[bytes]:
    """Return the time account: each microsecond of each open unit under one cause, from its creation until now at most."""
    view = await view_of(request)
    clock = await request.reader.row(READS.clock)
    assert clock is not None, "a clock always answers"
    begin, end = request.instant("from") or view.created_at, min(request.instant("to") or clock["at"], clock["at"])
    if begin > end:
        raise Validation("from must not be after to", field="from", current=begin.isoformat())
    return json_response(await time_accounting.time_account(request.reader, view.name, begin, end))


HANDLERS = [campaigns, campaign, quarantine, waves, workers, heartbeats, result, ledger]
