"""What every command is, and the context in which it is decided."""

from collections.abc import Callable
from datetime import datetime

from msgspec import Struct


class DecisionContext(Struct, frozen=True, gc=False):
    """Time, place in the log, actor, dice and trace of a decision; *head* is the last position before it."""

    at: datetime
    head: int
    actor: str
    chance: Callable[[], float]
    shard: int = 0
    correlation_id: str | None = None
    span_id: str | None = None
    causation: str | None = None


class Command(Struct, frozen=True, kw_only=True):
    """An order; its answer is the reply of its decision."""
