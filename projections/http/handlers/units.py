"""`GET` of units."""

from litestar import Response, get

from projections.http.handlers.campaigns import require_campaign
from projections.http.handlers.events import events_page
from projections.http.operation import AT_LEAST, LIST, described_read
from projections.http.reads import events as log_events
from projections.http.reads import unit as reads
from projections.http.reads.events import LogEvent
from projections.http.reads.query_runner import READS
from projections.http.reads.unit import Explanation, UnitFilter, UnitListItem, UnitView
from projections.http.request import ListPage, ReadRequest, json_response, list_page, require_found
from service.domain import ids


@get(
    **described_read("/v1/campaigns/{name:str}/units", "ListUnits", ListPage[UnitListItem], *LIST, "state", "group", "q", "wave")
)
async def units(request: ReadRequest) -> Response[bytes]:
    """Return units by key, filtered by state, group, wave, or a text in the key."""
    name, limit = await require_campaign(request), request.limit
    state, group, wave = request.word("state", ids.UNIT_STATES), request.small("group"), request.small("wave", 1)
    choice = UnitFilter(state=state, group=group, q=request.text("q"), wave=wave)
    items = await reads.units(request.reader, name, choice, request.cursor, limit, request.at_least)
    return json_response(list_page(items, limit, items[-1].key if items else None))


@get(**described_read("/v1/campaigns/{name:str}/units/{key:str}", "GetUnit", UnitView, AT_LEAST))
async def unit(request: ReadRequest) -> Response[bytes]:
    """Return one unit with payload, dependencies, attempts and last screen."""
    name, key = await require_campaign(request), request.unit
    return json_response(require_found(await reads.unit_view(request.reader, name, key, request.at_least), "unit", key))


@get(
    **described_read(
        "/v1/campaigns/{name:str}/units/{key:str}/events", "ListUnitEvents", ListPage[LogEvent], *LIST, "after", "kind"
    )
)
async def events(request: ReadRequest) -> Response[bytes]:
    """Return the events of one unit in the order of the log, heartbeats included."""
    name, key = await require_campaign(request), request.unit
    require_found(await request.reader.row(READS.unit, name, key), "unit", key)
    return await events_page(request, log_events.Filter(campaign=name, unit=key, kinds=request.kinds))


@get(**described_read("/v1/campaigns/{name:str}/units/{key:str}/explain", "ExplainUnit", Explanation, AT_LEAST))
async def explain(request: ReadRequest) -> Response[bytes]:
    """Return every reason why a unit is not running, by the same predicate as a claim."""
    name, key = await require_campaign(request), request.unit
    return json_response(require_found(await reads.explain(request.reader, name, key, request.at_least), "unit", key))


HANDLERS = [units, unit, events, explain]
