"""The dependencies of the read handlers, given once by the composition root."""

import asyncio

from projections.http.reads.reader import Reader
from projections.measures.process import Process
from service.route_options import SharedContext


class ReadContext(SharedContext, frozen=True):
    """The dependencies of the read handlers; *stopping* ends the streams when the service stops."""

    reader: Reader
    process: Process
    stopping: asyncio.Event
