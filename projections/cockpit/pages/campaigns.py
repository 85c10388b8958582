"""The first page: the state of the engine, and a card for each campaign."""

from typing import get_args

import msgspec

from projections.cockpit import queries
from projections.cockpit.context import CockpitContext
from projections.cockpit.page import CockpitPage
from projections.cockpit.text import plot
from projections.cockpit.url import PageUrl
from projections.views.quota.view import EngineView
from service.domain import ids

CARDS = 24
ORDERS = {"state": "running first", "name": "name", "newest": "newest", "failing": "most failed"}
STATES: tuple[str, ...] = get_args(ids.CampaignState)


async def campaigns(context: CockpitContext, url: PageUrl) -> CockpitPage:
    """Return the page of all campaigns."""
    order = url.word("sort", tuple(ORDERS)) or "state"
    state, text, label = url.word("state", STATES), url.query_value("q") or None, url.query_value("label")
    campaigns_on_page = await queries.campaigns(
        context.reader, order, url.query_value("after"), state, text, label_filter(label), CARDS + 1
    )
    page = campaigns_on_page[:CARDS]
    facts = {
        "cards": page,
        "sparklines": {shown.view.name: plot.sparkline(shown.card.timeline) for shown in page},
        "next": page[-1].cursor if len(campaigns_on_page) > CARDS else None,
        "states": await queries.states(context.reader),
        "orders": ORDERS,
        "order": order,
        "engine": await engine(context),
        "lag": await queries.lag(context.reader),
        "plans": await queries.open_plans(context.reader),
    }
    return CockpitPage(template="campaigns.html", title="Campaigns", pane="campaigns", facts=facts)


async def engine(context: CockpitContext) -> EngineView:
    """Return the engine."""
    return msgspec.json.decode(await context.reader.engine(), type=EngineView)


def label_filter(label: str) -> dict[str, str]:
    """Return the label that campaigns must have.

    >>> label_filter("team=core"), label_filter("")
    ({'team': 'core'}, {})
    """
    name, sign, value = label.partition("=")
    return {name: value} if name and sign else {}
