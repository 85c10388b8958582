"""The lookout: everything a read needs, given once by the composition root."""

import asyncio
from typing import Self

from msgspec import Struct

from projections.http.reads.reader import Reader
from projections.measures.process import Process


class ReadContext(Struct, frozen=True, eq=False):
    """What the handlers look through; *stopping* ends the streams when the service ends."""

    reader: Reader
    process: Process
    stopping: asyncio.Event

    def __deepcopy__(self, _memo: object) -> Self:
        """Return itself: Litestar copies the options of routes, and this one is shared."""
        return self
