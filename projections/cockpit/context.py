"""The bridge: everything the cockpit needs, given once by the composition root."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, Self

from msgspec import Struct

from projections.cockpit.ticker import Ticker
from projections.export.status import ExportStatus
from projections.http.reads.diagnostics import DiagnosticBundler
from projections.http.reads.reader import Reader
from projections.measures.process import Process
from service.domain.commands import Command
from service.submission import Answer, Origin


class CommandPort(Protocol):
    """Where a person's orders go: the one Writer."""

    async def submit(self, commands: Sequence[Command], origin: Origin) -> Answer:
        """Decide *commands* in one transaction, each on its own."""


class CockpitContext(Struct, frozen=True, eq=False, kw_only=True):
    """What the pages look through and order by.

    *reasons* tells why this replica should not be asked, *exports* how what it sends over OTLP stands, *stopping* ends the
    streams when the service ends.
    """

    reader: Reader
    bundles: DiagnosticBundler
    exports: Sequence[ExportStatus]
    process: Process
    orders: CommandPort
    reasons: Callable[[], Awaitable[list[str]]]
    stopping: asyncio.Event
    ticker: Ticker

    def __deepcopy__(self, _memo: object) -> Self:
        """Return itself: Litestar copies the options of routes, and this one is shared."""
        return self
