"""`GET` of investigations and recovery plans."""

from typing import get_args

from litestar import Response, get

from projections.http.operation import AT_LEAST, LIST, described_read
from projections.http.reads import investigation as reads
from projections.http.reads.investigation import InvestigationView, RecoveryView
from projections.http.request import ListPage, ReadRequest, json_response, list_page, require_found
from service.domain import ids


@get(**described_read("/v1/investigations", "ListInvestigations", ListPage[InvestigationView], *LIST, "state", "campaign"))
async def investigations(request: ReadRequest) -> Response[bytes]:
    """Return investigations, filtered by state and by campaign."""
    state, campaign, limit = request.word("state", get_args(ids.InvestigationState)), request.text("campaign"), request.limit
    items = await reads.investigations(request.reader, request.cursor, state, campaign, limit, request.at_least)
    return json_response(list_page(items, limit, items[-1].id if items else None))


@get(**described_read("/v1/investigations/{investigation:str}", "GetInvestigation", InvestigationView, AT_LEAST))
async def investigation(request: ReadRequest) -> Response[bytes]:
    """Return one investigation."""
    known = request.investigation
    return json_response(
        require_found(await reads.investigation(request.reader, known, request.at_least), "investigation", known)
    )


@get(**described_read("/v1/recovery", "ListRecoveries", ListPage[RecoveryView], *LIST, "state"))
async def recoveries(request: ReadRequest) -> Response[bytes]:
    """Return the open plans; with `state`, those that are `applied`, `declined` or `closed`.

    While a plan is open, its units stay with their dead claims. It closes when its campaign is worked on again: a worker is
    granted a unit of the campaign or asks for one, or a worker that held a unit of the plan reports. It also closes after ten
    minutes without a decision. Then leases expire by policy, and the units become ready.
    """
    state, limit = request.word("state", get_args(ids.RecoveryState)) or "open", request.limit
    items = await reads.recoveries(request.reader, request.cursor, state, limit, request.at_least)
    return json_response(list_page(items, limit, items[-1].id if items else None))


@get(**described_read("/v1/recovery/{recovery:str}", "GetRecovery", RecoveryView, AT_LEAST))
async def recovery(request: ReadRequest) -> Response[bytes]:
    """Return one plan."""
    known = request.recovery
    return json_response(require_found(await reads.recovery(request.reader, known, request.at_least), "recovery", known))


HANDLERS = [investigations, investigation, recoveries, recovery]
