"""Drawn pages that many viewers look at: each is drawn once a change, not once a viewer."""

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

MOST = 64
FRESH_S, LASTING_S = 0.25, 5.0
PATIENCE_S = 2.0


class CachedPage(Struct):
    """A drawn page with the position that it has seen."""

    drawn: RenderedPage
    position: int
    at: float


class PageCache:
    """The pages that were drawn last."""

    def __init__(self) -> None:
        self.drawings = 0
        self._cached: OrderedDict[PageUrl, CachedPage] = OrderedDict()
        self._locks: dict[PageUrl, asyncio.Lock] = {}

    async def look(self, context: CockpitContext, url: PageUrl, at_least: int = 0) -> RenderedPage:
        """Return a page that has seen position *at_least*, if the views reach it soon."""
        lock = self._locks.setdefault(url, asyncio.Lock())
        async with lock:
            cached = self._cached.get(url)
            if cached is None or not fresh(cached, context, at_least):
                cached = await self._render(context, url, at_least)
            self._keep(url, cached)
            return cached.drawn

    async def _render(self, context: CockpitContext, url: PageUrl, at_least: int) -> CachedPage:
        self.drawings += 1
        position = max(context.ticker.position, at_least)
        at = monotonic()
        if at_least:
            try:
                await context.reader.projector.at_least(at_least, PATIENCE_S)
            except ProjectionLagging:
                position = context.ticker.position
        return CachedPage(rendered_page(await page_of(context, url), url), position, at)

    def _keep(self, url: PageUrl, cached: CachedPage) -> None:
        """Keep a page, and forget the one that nobody has looked at for longest."""
        self._cached[url] = cached
        self._cached.move_to_end(url)
        while len(self._cached) > MOST:
            old, _ = self._cached.popitem(last=False)
            self._locks.pop(old, None)


def fresh(cached: CachedPage, context: CockpitContext, at_least: int) -> bool:
    """Tell whether a page that was drawn before is still true."""
    age_s = monotonic() - cached.at
    if cached.drawn.status >= 400 or cached.position < at_least:  # noqa: PLR2004 - a refusal is not kept
        return False
    return age_s < FRESH_S or (context.ticker.beating and cached.position >= context.ticker.position and age_s < LASTING_S)


async def page_of(context: CockpitContext, url: PageUrl) -> CockpitPage:
    """Return the page at *place*; what it refuses is a page too."""
    try:
        return await view_of(url)(context, url)
    except Rejection as error:
        return refusal(error)


class ResubmitForm(Struct, frozen=True):
    """A form that may be sent once more as it is: to where, its fields, and what its button says."""

    action: str
    fields: dict[str, str]
    label: str


def refusal(error: Rejection, again: ResubmitForm | None = None) -> CockpitPage:
    """Return the page that says why something is refused, and lets it be ordered *again*."""
    facts = {"refused": error, "again": again}
    return CockpitPage(template="refused.html", title=error.title, pane="", facts=facts, status=error.status)


def refused_page(error: Rejection, again: ResubmitForm | None = None) -> RenderedPage:
    """Return that page, drawn."""
    return rendered_page(refusal(error, again), PageUrl())
