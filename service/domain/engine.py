"""The engine: the pause switch and the pool of slots of the whole installation."""

from datetime import datetime

from msgspec import Struct


class Engine(Struct, kw_only=True):
    """One row a shard; only `evolve` writes it. *in_use* counts the claims of units."""

    pool_size: int = 1000
    in_use: int = 0
    paused_at: datetime | None = None
    paused_by: str | None = None
    paused_reason: str | None = None

    @property
    def free(self) -> int:
        """How many slots of the pool are free."""
        return max(self.pool_size - self.in_use, 0)
