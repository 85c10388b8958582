"""What the pages and actions of the cockpit depend on, created once by the composition root."""

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
    """What pages read from and actions write to.

    *reasons* returns why this replica is not ready, *exports* has the states of its OTLP exports, *stopping* ends the streams
    when the service stops.
    """

    reader: Reader
    bundles: DiagnosticBundler
    exports: Sequence[ExportStatus]
    process: Process
    writer: WriterPort
    reasons: Callable[[], Awaitable[list[str]]]
    stopping: asyncio.Event
    ticker: Ticker
