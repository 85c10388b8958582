"""The first page: the engine's strip and a card for each campaign."""

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


async def campaigns(bridge: CockpitContext, place: PageUrl) -> CockpitPage:
    """Return the page of all campaigns."""
    order = place.word("sort", tuple(ORDERS)) or "state"
    state, text, label = place.word("state", STATES), place.asked("q") or None, place.asked("label")
    found = await queries.campaigns(bridge.reader, order, place.asked("after"), state, text, label_filter(label), CARDS + 1)
    page = found[:CARDS]
    facts = {
        "cards": page,
        "sparks": {shown.view.name: plot.sparkline(shown.card.course) for shown in page},
        "next": page[-1].place if len(found) > CARDS else None,
        "states": await queries.states(bridge.reader),
        "orders": ORDERS,
        "order": order,
        "engine": await engine(bridge),
        "lag": await queries.lag(bridge.reader),
        "plans": await queries.open_plans(bridge.reader),
    }
    return CockpitPage(template="campaigns.html", title="Campaigns", pane="campaigns", facts=facts)


async def engine(bridge: CockpitContext) -> EngineView:
    """Return the engine."""
    return msgspec.json.decode(await bridge.reader.engine(), type=EngineView)


def label_filter(label: str) -> dict[str, str]:
    """Return the label that campaigns must have.

    >>> wanted("team=core"), wanted("")
    ({'team': 'core'}, {})
    """
    name, sign, value = label.partition("=")
    return {name: value} if name and sign else {}
