"""`GET` of campaigns and of what belongs to one."""

from typing import get_args

from litestar import Response, get
from msgspec import Struct

from projections.http.operation import AT_LEAST, LIST, described
from projections.http.reads import quarantine as quarantined
from projections.http.reads import time_accounting
from projections.http.reads import unit as units_of
from projections.http.reads.quarantine import QuarantinedUnit
from projections.http.reads.query_runner import READS
from projections.http.reads.time_accounting import LedgerView
from projections.http.request import INT32, SMALL_DIGITS, Look, Page, found, page, shown
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


@get(**described("/v1/campaigns", "ListCampaigns", Page[CampaignView], *LIST, "state", "label"))
async def campaigns(request: Look) -> Response[bytes]:
    """Return campaigns, of a state and with labels (`name=value`, `name:value` or `name`, as often as needed)."""
    equal, present = labels(request.query_params.getall("label", []))
    limit = request.limit
    state = request.word("state", get_args(ids.CampaignState))
    items = await request.reader.campaigns(request.cursor, state, equal, present, limit, request.at_least)
    return shown(page(items, limit, items[-1].name if items else None))


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


@get(**described("/v1/campaigns/{name:str}", "GetCampaign", CampaignView, AT_LEAST))
async def campaign(request: Look) -> Response[bytes]:
    """Return one campaign; its version is the ETag for `If-Match`."""
    view = await view_of(request)
    return shown(view, headers={"ETag": f'"{view.version}"'})


async def view_of(request: Look) -> CampaignView:
    """Return the view of the campaign in the path, or refuse."""
    name = request.campaign
    return found(await request.reader.campaign_view(name, request.at_least), "campaign", name)


async def known(request: Look) -> ids.CampaignName:
    """Return the name of the campaign in the path once it is known to exist."""
    name = request.campaign
    found(await units_of.campaign_known(request.reader, name) or None, "campaign", name)
    return name


@get(**described("/v1/campaigns/{name:str}/quarantine", "ListQuarantine", Page[QuarantinedUnit], *LIST, "reason"))
async def quarantine(request: Look) -> Response[bytes]:
    """Return the quarantined units of a campaign with reason, error and last screen."""
    name, limit = await known(request), request.limit
    reason = request.word("reason", get_args(ids.QuarantineReason))
    items = await quarantined.quarantine(request.reader, name, request.cursor, reason, limit, request.at_least)
    return shown(page(items, limit, items[-1].key if items else None))


@get(**described("/v1/campaigns/{name:str}/waves", "ListWaves", Page[WaveView], *LIST))
async def waves(request: Look) -> Response[bytes]:
    """Return the waves of a campaign in their order: units by state, begin, end, duration, the first keys."""
    name, limit = await known(request), request.limit
    cursor = request.cursor
    if cursor and not (cursor.isdecimal() and cursor.isascii() and len(cursor) <= SMALL_DIGITS and int(cursor) <= INT32):
        raise Validation("the cursor is not one of ours", field="cursor", current=cursor[:200])
    items = await request.reader.waves(name, int(cursor or 0), limit, request.at_least)
    return shown(page(items, limit, str(items[-1].wave) if items else None))


@get(**described("/v1/campaigns/{name:str}/workers", "ListCampaignWorkers", Page[WorkerView], *LIST, "level"))
async def workers(request: Look) -> Response[bytes]:
    """Return the workers that hold a claim of a campaign."""
    name, limit = await known(request), request.limit
    level = request.word("level", get_args(ids.Level))
    items = await request.reader.workers(request.cursor, level, name, limit, request.at_least)
    return shown(page(items, limit, items[-1].worker if items else None))


@get(**described("/v1/campaigns/{name:str}/heartbeats", "GetHeartbeats", HeartbeatSummary, AT_LEAST))
async def heartbeats(request: Look) -> Response[bytes]:
    """Return how many workers of a campaign are healthy, warned of, stale, dead or missing, and the worst silence."""
    name = await known(request)
    return shown(view.summary(await request.reader.workers("", None, name, WORKERS, request.at_least)))


@get(**described("/v1/campaigns/{name:str}/result", "GetResult", Result, AT_LEAST))
async def result(request: Look) -> Response[bytes]:
    """Return what became of a campaign."""
    view = await view_of(request)
    ended_at = view.completed_at or view.cancelled_at
    duration_s = None if view.started_at is None or ended_at is None else (ended_at - view.started_at).total_seconds()
    return shown(
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


@get(**described("/v1/campaigns/{name:str}/ledger", "GetLedger", LedgerView, AT_LEAST, "from", "to"))
async def ledger(request: Look) -> Response[bytes]:
    """Return where the time went: every microsecond of an open unit under one cause, from its creation and until now at most."""
    view = await view_of(request)
    clock = await request.reader.row(READS.clock)
    assert clock is not None, "a clock always answers"
    begin, end = request.instant("from") or view.created_at, min(request.instant("to") or clock["at"], clock["at"])
    if begin > end:
        raise Validation("from must not be after to", field="from", current=begin.isoformat())
    return shown(await time_accounting.ledger(request.reader, view.name, begin, end))


HANDLERS = [campaigns, campaign, quarantine, waves, workers, heartbeats, result, ledger]
