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
from projections.rejections import ProjectionLagging
from service.domain.rejections import Rejection

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
        self._hung: OrderedDict[PageUrl, CachedPage] = OrderedDict()
        self._easels: dict[PageUrl, asyncio.Lock] = {}

    async def look(self, bridge: CockpitContext, place: PageUrl, at_least: int = 0) -> RenderedPage:
        """Return a page that has seen position *at_least*, if the views reach it soon."""
        easel = self._easels.setdefault(place, asyncio.Lock())
        async with easel:
            hung = self._hung.get(place)
            if hung is None or not fresh(hung, bridge, at_least):
                hung = await self._draw(bridge, place, at_least)
            self._hang(place, hung)
            return hung.drawn

    async def _draw(self, bridge: CockpitContext, place: PageUrl, at_least: int) -> CachedPage:
        self.drawings += 1
        position = max(bridge.pulse.position, at_least)
        at = monotonic()
        if at_least:
            try:
                await bridge.reader.projector.at_least(at_least, PATIENCE_S)
            except ProjectionLagging:
                position = bridge.pulse.position
        return CachedPage(rendered_page(await page_of(bridge, place), place), position, at)

    def _hang(self, place: PageUrl, hung: CachedPage) -> None:
        """Keep a page, and forget the one that nobody has looked at for longest."""
        self._hung[place] = hung
        self._hung.move_to_end(place)
        while len(self._hung) > MOST:
            old, _ = self._hung.popitem(last=False)
            self._easels.pop(old, None)


def fresh(hung: CachedPage, bridge: CockpitContext, at_least: int) -> bool:
    """Tell whether a page that was drawn before is still true."""
    age_s = monotonic() - hung.at
    if hung.drawn.status >= 400 or hung.position < at_least:  # noqa: PLR2004 - a refusal is not kept
        return False
    return age_s < FRESH_S or (bridge.pulse.beating and hung.position >= bridge.pulse.position and age_s < LASTING_S)


async def page_of(bridge: CockpitContext, place: PageUrl) -> CockpitPage:
    """Return the page at *place*; what it refuses is a page too."""
    try:
        return await view_of(place)(bridge, place)
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
