"""The page of the log: events, newest first, with filters."""

from projections.cockpit import queries
from projections.cockpit.context import CockpitContext
from projections.cockpit.page import CockpitPage
from projections.cockpit.text.event_text import event_sentence
from projections.cockpit.url import PageUrl
from projections.http.reads.events import FACTS
from service.store.log.codec import stored_kinds

EVENTS = 50
SUBJECTS: tuple[str, ...] = tuple(sorted({kind.partition(".")[0] for kind in FACTS}))


async def events(context: CockpitContext, url: PageUrl) -> CockpitPage:
    """Return the page of events."""
    lag = await queries.lag(context.reader)
    before = url.number("before") or lag.head + 1
    filters = (
        url.query_value("campaign") or None,
        url.query_value("unit") or None,
        url.query_value("worker") or None,
        kinds(url),
    )
    page = await queries.newest(context.reader, before, filters, EVENTS)
    floor = max(before - queries.SEARCHED_EVENTS, 1)
    older = page[-1].position if len(page) == EVENTS else floor if floor > 1 else None
    facts = {
        "events": [{"event": event, "words": event_sentence(event)} for event in page],
        "older": older,
        "subjects": SUBJECTS,
        "kinds": FACTS,
        "lag": lag,
    }
    return CockpitPage(template="events.html", title="Events", pane="events", facts=facts)


def kinds(url: PageUrl) -> list[str] | None:
    """Return the kinds to look for in the log: of one event, or of all of a subject."""
    asked = url.query_value("kind")
    return stored_kinds(kind for kind in FACTS if asked in (kind, kind.partition(".")[0])) or None
