"""A page before it is rendered: its template and the values that the template shows."""

from collections.abc import Awaitable, Callable
from typing import Any

from msgspec import Struct, field

from projections.cockpit.context import CockpitContext
from projections.cockpit.url import PageUrl
from service.domain.rejections import Rejection


class CockpitPage(Struct, kw_only=True):
    """A page; *pane* is the entry of the navigation that it belongs to.

    After a form was refused, *typed* are the values of its fields, and *problem* is the reason.
    """

    template: str
    title: str
    pane: str
    facts: dict[str, Any] = field(default_factory=dict)
    status: int = 200
    typed: dict[str, str] | None = None
    problem: Rejection | None = None


View = Callable[[CockpitContext, PageUrl], Awaitable[CockpitPage]]
