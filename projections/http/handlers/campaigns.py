"""`GET` of campaigns and of what belongs to one."""

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
from projections.http.request import INT32, SMALL_DIGITS, ListPage, ReadRequest, json_response, page, require_found
from projections.views.campaign.view import CampaignView
from projections.views.wave.view import WaveView
from projections.views.worker import view
from projections.views.worker.view import HeartbeatSummary, WorkerView
from service.domain import ids
from service.domain.rejections import Validation

WORKERS = 10_000
LABEL_CHARS = 128 + 1 + 1000
"""Of a name, a sign and a value."""


class Result(Struct, kw_only=True):
    """What became of a campaign; *duration_s* is the time from its first claim to its end, or until now."""

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
    """Return campaigns, of a state and with labels (`name=value`, `name:value` or `name`, as often as needed)."""
    equal, present = labels(request.query_params.getall("label", []))
    limit = request.limit
    state = request.word("state", get_args(ids.CampaignState))
    items = await request.reader.campaigns(request.cursor, state, equal, present, limit, request.at_least)
    return json_response(page(items, limit, items[-1].name if items else None))


def labels(given: list[str]) -> tuple[dict[str, str], list[str]]:
    """Return the labels that must have a value, and those that must be there.

    >>> labels(["team=core", "zone:eu", "gpu"])
    ({'team': 'core', 'zone': 'eu'}, ['gpu'])
    """
    equal, present = {}, []
    for text in given:
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
    """Return the view of the campaign in the path, or refuse."""
    name = request.campaign
    return require_found(await request.reader.campaign_view(name, request.at_least), "campaign", name)


async def require_campaign(request: ReadRequest) -> ids.CampaignName:
    """Return the name of the campaign in the path once it is known to exist."""
    name = request.campaign
    require_found(await units_of.campaign_known(request.reader, name) or None, "campaign", name)
    return name


@get(**described_read("/v1/campaigns/{name:str}/quarantine", "ListQuarantine", ListPage[QuarantinedUnit], *LIST, "reason"))
async def quarantine(request: ReadRequest) -> Response[bytes]:
    """Return the quarantined units of a campaign with reason, error and last screen."""
    name, limit = await require_campaign(request), request.limit
    reason = request.word("reason", get_args(ids.QuarantineReason))
    items = await quarantined.quarantine(request.reader, name, request.cursor, reason, limit, request.at_least)
    return json_response(page(items, limit, items[-1].key if items else None))


@get(**described_read("/v1/campaigns/{name:str}/waves", "ListWaves", ListPage[WaveView], *LIST))
async def waves(request: ReadRequest) -> Response[bytes]:
    """Return the waves of a campaign in their order: units by state, begin, end, duration, the first keys."""
    name, limit = await require_campaign(request), request.limit
    cursor = request.cursor
    if cursor and not (cursor.isdecimal() and cursor.isascii() and len(cursor) <= SMALL_DIGITS and int(cursor) <= INT32):
        raise Validation("the cursor is not one of ours", field="cursor", current=cursor[:200])
    items = await request.reader.waves(name, int(cursor or 0), limit, request.at_least)
    return json_response(page(items, limit, str(items[-1].wave) if items else None))


@get(**described_read("/v1/campaigns/{name:str}/workers", "ListCampaignWorkers", ListPage[WorkerView], *LIST, "level"))
async def workers(request: ReadRequest) -> Response[bytes]:
    """Return the workers that hold a claim of a campaign."""
    name, limit = await require_campaign(request), request.limit
    level = request.word("level", get_args(ids.Level))
    items = await request.reader.workers(request.cursor, level, name, limit, request.at_least)
    return json_response(page(items, limit, items[-1].worker if items else None))


@get(**described_read("/v1/campaigns/{name:str}/heartbeats", "GetHeartbeats", HeartbeatSummary, AT_LEAST))
async def heartbeats(request: ReadRequest) -> Response[bytes]:
    """Return how many workers of a campaign are healthy, warned of, stale, dead or missing, and the worst silence."""
    name = await require_campaign(request)
    return json_response(view.heartbeat_summary(await request.reader.workers("", None, name, WORKERS, request.at_least)))


@get(**described_read("/v1/campaigns/{name:str}/result", "GetResult", Result, AT_LEAST))
async def result(request: ReadRequest) -> Response[bytes]:
    """Return what became of a campaign."""
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
    """Return where the time went: every microsecond of an open unit under one cause, from its creation and until now at most."""
    view = await view_of(request)
    clock = await request.reader.row(READS.clock)
    assert clock is not None, "a clock always answers"
    begin, end = request.instant("from") or view.created_at, min(request.instant("to") or clock["at"], clock["at"])
    if begin > end:
        raise Validation("from must not be after to", field="from", current=begin.isoformat())
    return json_response(await time_accounting.ledger(request.reader, view.name, begin, end))


HANDLERS = [campaigns, campaign, quarantine, waves, workers, heartbeats, result, ledger]
