"""One value of a gauge, and what the gauges read beside the cards: the lag of the fold and samples of the state's tables."""

from datetime import datetime
from typing import NamedTuple

from msgspec import Struct


class Sample(NamedTuple):
    """One value of one family."""

    family: str
    labels: tuple[str, ...]
    value: float


class FoldLag(Struct, frozen=True, kw_only=True):
    """How far the fold is behind the log, at one moment; *oldest_at* is the time of the first event not yet folded."""

    at: datetime
    head: int
    position: int
    generation: int
    oldest_at: datetime | None


class StateSample(Struct, frozen=True):
    """Samples of the state's tables: the overdue retries, and since when the oldest ready unit of each campaign waits.

    *rebuilt* is the position that a running rebuild has reached, *sizes* the bytes of the log, the state and the views.
    """

    overdue: int = 0
    oldest_ready: dict[str, datetime] = {}
    rebuilt: int | None = None
    sizes: dict[str, int] = {}
