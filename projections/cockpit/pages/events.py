"""The log, newest first, with filters."""

from projections.cockpit import queries
from projections.cockpit.context import CockpitContext
from projections.cockpit.page import CockpitPage
from projections.cockpit.text.event_text import event_sentence
from projections.cockpit.url import PageUrl
from projections.http.reads.events import FACTS

ROWS = 50
SUBJECTS: tuple[str, ...] = tuple(sorted({kind.partition(".")[0] for kind in FACTS}))


async def journal(bridge: CockpitContext, place: PageUrl) -> CockpitPage:
    """Return the page of events."""
    lag = await queries.lag(bridge.reader)
    before = place.number("before") or lag.head + 1
    filters = (place.asked("campaign") or None, place.asked("unit") or None, place.asked("worker") or None, kinds(place))
    found = await queries.newest(bridge.reader, before, filters, ROWS)
    floor = max(before - queries.WINDOW, 1)
    older = found[-1].position if len(found) == ROWS else floor if floor > 1 else None
    facts = {
        "events": [{"event": event, "words": event_sentence(event)} for event in found],
        "older": older,
        "subjects": SUBJECTS,
        "kinds": FACTS,
        "lag": lag,
    }
    return CockpitPage(template="events.html", title="Events", pane="events", facts=facts)


def kinds(place: PageUrl) -> list[str] | None:
    """Return the kinds of events that are asked for: one, or all of a subject."""
    asked = place.asked("kind")
    return [kind for kind in FACTS if kind == asked or kind.partition(".")[0] == asked] or None
