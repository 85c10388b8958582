"""The pages of the cockpit by path template; the tests, the camera and the benchmark derive their lists of pages from it."""

from projections.cockpit.page import View
from projections.cockpit.pages import campaign, campaigns, events, health, numbers, quotas, recovery, time_report, unit, workers
from projections.cockpit.url import PageUrl
from service.domain.rejections import NotFound

PAGES: dict[str, View] = {
    "/": campaigns.campaigns,
    "/campaigns/{name:str}": campaign.campaign,
    "/campaigns/{name:str}/report": time_report.report,
    "/campaigns/{name:str}/units/{key:str}": unit.unit,
    "/workers": workers.workers_page,
    "/workers/{worker:str}": workers.worker,
    "/events": events.events,
    "/recovery": recovery.recovery,
    "/investigations": recovery.investigations,
    "/quotas": quotas.quotas,
    "/quotas/{quota:str}": quotas.quota,
    "/numbers": numbers.numbers,
    "/health": health.health,
}
TEMPLATES = [(tuple(part for part in path.split("/") if part), view) for path, view in PAGES.items()]


def view_of(url: PageUrl) -> View:
    """Return the view of the page at *url*.

    Raises:
        NotFound: there is no page.

    """
    for template, view in TEMPLATES:
        if len(template) == len(url.parts) and all(
            expected.startswith("{") or expected == part for expected, part in zip(template, url.parts, strict=True)
        ):
            return view
    raise NotFound("there is no such page", field="path", current=str(url))
