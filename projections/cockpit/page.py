"""A page before it is drawn: its template and the facts in it."""

from collections.abc import Awaitable, Callable
from typing import Any

from msgspec import Struct, field

from projections.cockpit.bridge import Bridge
from projections.cockpit.place import Place


class Page(Struct, kw_only=True):
    """What is shown: *pane* is the entry of the navigation that it belongs to."""

    template: str
    title: str
    pane: str
    facts: dict[str, Any] = field(default_factory=dict)
    status: int = 200


View = Callable[[Bridge, Place], Awaitable[Page]]
