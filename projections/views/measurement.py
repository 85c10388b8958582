"""What the cards alone can measure: the distance of an event from what was remembered."""

from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from service.domain import events as e

MICROSECOND = timedelta(microseconds=1)

Measured = Literal["beat", "retried", "discarded", "accepted", "cascade", "wave", "complete", "partial", "failed"]


class Measurement(NamedTuple):
    """Something measured when *event* came: microseconds, of a cascade and of a wave that begins the number of units."""

    measured: Measured
    length: int
    event: e.Recorded


def between(start: datetime, end: datetime) -> int:
    """Return the microseconds from *start* to *end*, 0 when that lies before it."""
    return max((end - start) // MICROSECOND, 0)
