"""What every command is, and the moment in which it is decided."""

from collections.abc import Callable
from datetime import datetime

from msgspec import Struct


class DecisionContext(Struct, frozen=True, gc=False):
    """When, after what, by whom, with what luck and in which trace a command is decided; *head* is the position before it."""

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
