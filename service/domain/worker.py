"""A worker: its row, as decisions read it."""

from datetime import datetime

import msgspec
from msgspec import Struct

from service.domain import ids


class Worker(Struct):
    """One worker; only `evolve` writes it. Its fields stand in the order in which the store reads them.

    *held* counts its claims, *level_at* is when its level last changed.
    """

    worker: ids.WorkerId
    level_at: datetime
    beat_at: datetime
    state: ids.WorkerState = "active"
    registered: bool = False
    capacity: int | None = None
    labels: dict[str, str] = msgspec.field(default_factory=dict)
    version: str | None = None
    level: ids.Level = "healthy"
    alive: bool = True
    held: int = 0

    @property
    def watched(self) -> bool:
        """Whether it has a heartbeat level: it holds a claim, or is registered and active."""
        return self.held > 0 or (self.registered and self.state == "active")
