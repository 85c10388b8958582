"""What the cockpit needs, passed in once by the composition root."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from projections.cockpit.ticker import Ticker
from projections.export.status import ExportStatus
from projections.http.reads.diagnostics import DiagnosticBundler
from projections.http.reads.reader import Reader
from projections.measures.process import Process
from service.route_options import SharedContext
from service.submission import WriterPort


class CockpitContext(SharedContext, frozen=True, kw_only=True):
    """What the pages look through and order by.

    *reasons* tells why this replica should not be asked, *exports* how what it sends over OTLP stands, *stopping* ends the
    streams when the service ends.
    """

    reader: Reader
    bundles: DiagnosticBundler
    exports: Sequence[ExportStatus]
    process: Process
    orders: WriterPort
    reasons: Callable[[], Awaitable[list[str]]]
    stopping: asyncio.Event
    ticker: Ticker
