"""The dependencies of the write handlers, given once by the composition root."""

import asyncio

from msgspec import field

from service.bulk_retry import QuarantinePort
from service.http.ports import BundlePort, IdempotencyPort, ViewPort
from service.route_options import SharedContext
from service.submission import WriterPort
from service.wakeup import Wakeup

MEBI = 1024 * 1024


class WriteContext(SharedContext, frozen=True, kw_only=True):
    """The dependencies of the write handlers.

    *wakeup* is notified when work may have become claimable, *stopping* is set when the service stops. *body_limit* is in bytes.
    At most *waiting_limit* claims wait at a time; *waiting* holds them.
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
