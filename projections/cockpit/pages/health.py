"""The health of the service itself: is it asked, how far are its views, what does this process hold."""

from projections.cockpit import queries
from projections.cockpit.context import Bridge
from projections.cockpit.page import Page
from projections.cockpit.pages.campaigns import engine
from projections.cockpit.url import Place
from projections.rejections import Unreadable


async def health(bridge: Bridge, _: Place) -> Page:
    """Return the page of health; it is there without a database too."""
    facts: dict[str, object] = {"reasons": await bridge.reasons(), "lag": None, "engine": None, "watchers": bridge.pulse.watchers}
    try:
        facts["lag"] = await queries.lag(bridge.reader)
        facts["engine"] = await engine(bridge)
    except Unreadable as error:
        facts["reasons"] = [*await bridge.reasons(), error.detail]
    pool = bridge.reader.pool
    facts["pool"] = {"size": pool.get_size(), "idle": pool.get_idle_size(), "most": pool.get_max_size()}
    facts["exports"] = bridge.exports
    return Page(template="health.html", title="Health", pane="health", facts=facts)
