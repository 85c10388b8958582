"""Where the fold stands and what else is sampled beside it, at one moment."""

from datetime import datetime

from msgspec import Struct


class FoldLag(Struct, frozen=True, kw_only=True):
    """How far the fold is behind the log, at one moment; *oldest_at* is the time of the first event not yet folded."""

    at: datetime
    head: int
    position: int
    generation: int
    oldest_at: datetime | None


class StateSample(Struct, frozen=True):
    """What the state's tables say beside the cards: units that rest too long, the oldest ready unit of each campaign.

    *rebuilt* is how far a rebuild is, *sizes* the bytes of what holds the log, the state and the views.
    """

    overdue: int = 0
    oldest_ready: dict[str, datetime] = {}
    rebuilt: int | None = None
    sizes: dict[str, int] = {}
