"""The pages of recovery plans and of investigations."""

from typing import get_args

from projections.cockpit import queries
from projections.cockpit.context import CockpitContext
from projections.cockpit.page import CockpitPage
from projections.cockpit.url import PageUrl
from projections.http.reads import investigation
from service.domain import ids

ROWS = 30


async def recovery(context: CockpitContext, url: PageUrl) -> CockpitPage:
    """Return the page of recovery plans."""
    states: tuple[str, ...] = get_args(ids.RecoveryState)
    state = url.word("state", states) or "open"
    plans = await investigation.recoveries(context.reader, url.query_value("after"), state, ROWS + 1, None)
    facts = {
        "plans": plans[:ROWS],
        "next": plans[ROWS - 1].id if len(plans) > ROWS else None,
        "state": state,
        "states": states,
        "lag": await queries.lag(context.reader),
    }
    return CockpitPage(template="recovery.html", title="Recovery", pane="recovery", facts=facts)


async def investigations(context: CockpitContext, url: PageUrl) -> CockpitPage:
    """Return the page of investigations."""
    states: tuple[str, ...] = get_args(ids.InvestigationState)
    state, campaign = url.word("state", states), url.query_value("campaign") or None
    page = await investigation.investigations(context.reader, url.query_value("after"), state, campaign, ROWS + 1, None)
    facts = {
        "investigations": page[:ROWS],
        "next": page[ROWS - 1].id if len(page) > ROWS else None,
        "state": state,
        "states": states,
        "concluded": url.query_value("conclude"),
        "lag": await queries.lag(context.reader),
    }
    return CockpitPage(template="investigations.html", title="Investigations", pane="recovery", facts=facts)
