"""The cache of rendered pages."""

import asyncio
from collections import OrderedDict
from time import monotonic

from msgspec import Struct

from projections.cockpit.context import CockpitContext
from projections.cockpit.html import RenderedPage, rendered_page
from projections.cockpit.page import CockpitPage
from projections.cockpit.pages.registry import view_of
from projections.cockpit.url import PageUrl
from service.domain.rejections import ProjectionLagging, Rejection

MAX_PAGES = 64
FRESH_S, MAX_AGE_S = 0.25, 5.0
PATIENCE_S = 2.0


class CachedPage(Struct):
    """A rendered page, with the position of the views that it shows and the time at which it was rendered."""

    page: RenderedPage
    position: int
    at: float


class PageCache:
    """The pages that were rendered last: many viewers of one page cost one rendering per change, not one each."""

    def __init__(self) -> None:
        self._cached: OrderedDict[PageUrl, CachedPage] = OrderedDict()
        self._locks: dict[PageUrl, asyncio.Lock] = {}

    async def get(self, context: CockpitContext, url: PageUrl, at_least: int = 0) -> RenderedPage:
        """Return a page that shows position *at_least*, if the views reach it within `PATIENCE_S`."""
        async with self._locks.setdefault(url, asyncio.Lock()):
            cached = self._cached.get(url)
            if cached is None or not is_fresh(cached, context, at_least):
                cached = await self._render(context, url, at_least)
            self._store(url, cached)
            return cached.page

    async def _render(self, context: CockpitContext, url: PageUrl, at_least: int) -> CachedPage:
        position = max(context.ticker.position, at_least)
        at = monotonic()
        if at_least:
            try:
                await context.reader.projector.at_least(at_least, PATIENCE_S)
            except ProjectionLagging:
                position = context.ticker.position
        return CachedPage(rendered_page(await page_of(context, url), url), position, at)

    def _store(self, url: PageUrl, cached: CachedPage) -> None:
        """Store a page, and drop the least recently used one when there are too many."""
        self._cached[url] = cached
        self._cached.move_to_end(url)
        while len(self._cached) > MAX_PAGES:
            old, _ = self._cached.popitem(last=False)
            self._locks.pop(old, None)


def is_fresh(cached: CachedPage, context: CockpitContext, at_least: int) -> bool:
    """Tell whether a cached page may be shown: it is new, or the views have not moved since."""
    age_s = monotonic() - cached.at
    if cached.page.status >= 400 or cached.position < at_least:  # noqa: PLR2004 - refusals are not cached
        return False
    ticker = context.ticker
    return age_s < FRESH_S or (ticker.is_running and cached.position >= ticker.position and age_s < MAX_AGE_S)


async def page_of(context: CockpitContext, url: PageUrl) -> CockpitPage:
    """Return the page at *url*; a refusal becomes a page too."""
    try:
        return await view_of(url)(context, url)
    except Rejection as error:
        return refusal(error)


class ResubmitForm(Struct, frozen=True):
    """A form that can be sent again unchanged: its action, its fields, and the label of its button."""

    action: str
    fields: dict[str, str]
    label: str


def refusal(error: Rejection, again: ResubmitForm | None = None) -> CockpitPage:
    """Return the page that says why something was refused, with a form to send it *again* if there is one."""
    facts = {"refused": error, "again": again}
    return CockpitPage(template="refused.html", title=error.title, pane="", facts=facts, status=error.status)


def refused_page(error: Rejection, again: ResubmitForm | None = None) -> RenderedPage:
    """Return the page of a refusal, rendered."""
    return rendered_page(refusal(error, again), PageUrl())
