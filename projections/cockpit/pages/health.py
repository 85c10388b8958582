"""The page of the service's own health: readiness, lag of the views, connections, exports."""

from projections.cockpit import queries
from projections.cockpit.context import CockpitContext
from projections.cockpit.page import CockpitPage
from projections.cockpit.pages.campaigns import engine
from projections.cockpit.url import PageUrl
from service.domain.rejections import ReadUnavailable


async def health(context: CockpitContext, _: PageUrl) -> CockpitPage:
    """Return the page of health; it also works without a database."""
    facts: dict[str, object] = {
        "reasons": await context.reasons(),
        "lag": None,
        "engine": None,
        "watchers": context.ticker.watchers,
    }
    try:
        facts["lag"] = await queries.lag(context.reader)
        facts["engine"] = await engine(context)
    except ReadUnavailable as error:
        facts["reasons"] = [*await context.reasons(), error.detail]
    pool = context.reader.pool
    facts["pool"] = {"size": pool.get_size(), "idle": pool.get_idle_size(), "most": pool.get_max_size()}
    facts["exports"] = context.exports
    return CockpitPage(template="health.html", title="Health", pane="health", facts=facts)
