"""The desk: everything the handlers need, given once by the composition root."""

import asyncio
from typing import Self

from msgspec import Struct, field

from service.http.ports import BundlePort, IdempotencyPort, QuarantinePort, ViewPort, WriterPort
from service.wakeup import Wakeup

MEBI = 1024 * 1024


class WriteContext(Struct, frozen=True, kw_only=True):
    """What the handlers stand at.

    *bell* rings when work may have become claimable, *stopping* is set when the service ends; *body_limit* is in bytes,
    *waiting_limit* says how many claims may wait at a time, and *waiting* holds those that do.
    """

    writer: WriterPort
    views: ViewPort
    quarantine: QuarantinePort
    bundles: BundlePort
    replays: IdempotencyPort
    wakeup: Wakeup
    stopping: asyncio.Event
    body_limit: int = 16 * MEBI
    waiting_limit: int = 10_000
    waiting: set[object] = field(default_factory=set)

    def __deepcopy__(self, _: object) -> Self:
        """Return this desk itself: a copied router stands at the same one."""
        return self
