"""The pages of all workers and of one."""

from typing import get_args

import msgspec

from projections.cockpit import queries
from projections.cockpit.context import CockpitContext
from projections.cockpit.page import CockpitPage
from projections.cockpit.text.event_text import event_sentence
from projections.cockpit.url import PageUrl
from projections.views.worker.view import WorkerView
from service.domain import ids
from service.domain.rejections import NotFound

WORKERS, EVENTS = 40, 25
LEVELS: tuple[str, ...] = get_args(ids.Level)


async def workers_page(context: CockpitContext, url: PageUrl) -> CockpitPage:
    """Return the page of all workers."""
    level = url.word("level", LEVELS)
    page = await context.reader.workers(url.query_value("after"), level, None, WORKERS + 1, None)
    facts = {
        "workers": page[:WORKERS],
        "next": page[WORKERS - 1].worker if len(page) > WORKERS else None,
        "levels": await queries.levels(context.reader),
        "names": LEVELS,
        "lag": await queries.lag(context.reader),
    }
    return CockpitPage(template="workers.html", title="Workers", pane="workers", facts=facts)


async def worker(context: CockpitContext, url: PageUrl) -> CockpitPage:
    """Return the page of one worker."""
    raw = await context.reader.worker(url.worker)
    if raw is None:
        raise NotFound(f"there is no worker {url.worker!r}", field="worker", current=url.worker)
    lag = await queries.lag(context.reader)
    events = await queries.newest(context.reader, lag.head + 1, (None, None, url.worker, None), EVENTS)
    facts = {
        "worker": msgspec.json.decode(raw, type=WorkerView),
        "events": [{"event": event, "words": event_sentence(event)} for event in events],
        "lag": lag,
    }
    return CockpitPage(template="worker.html", title=str(url.worker), pane="workers", facts=facts)
