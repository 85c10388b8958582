"""What every command is, and the moment in which it is decided."""

from collections.abc import Callable
from datetime import datetime

from msgspec import Struct


class Moment(Struct, frozen=True, gc=False):
    """When, after what, by whom and with what luck a command is decided: *head* is the last position before it."""

    at: datetime
    head: int
    actor: str
    chance: Callable[[], float]


class Command(Struct, frozen=True, kw_only=True):
    """An order; its answer is the reply of its decision."""
