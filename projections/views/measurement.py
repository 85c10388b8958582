"""Times in whole microseconds, so that their sums are exact, and the lengths that only the cards can measure."""

from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple

from service.domain import events as e

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

Measured = Literal["beat", "retried", "discarded", "accepted", "cascade", "wave", "complete", "partial", "failed"]


class Measurement(NamedTuple):
    """What a card measured when *event* came: microseconds; for a cascade and for a wave that begins, a number of units."""

    measured: Measured
    length: int
    event: e.Recorded


def microseconds(at: datetime) -> int:
    """Return *at* as microseconds since 1970.

    >>> microseconds(datetime(1970, 1, 1, 0, 1, tzinfo=UTC))
    60000000
    """
    return (at - EPOCH) // MICROSECOND


def between(start: datetime, end: datetime) -> int:
    """Return the microseconds from *start* to *end*, 0 if *end* is earlier."""
    return max((end - start) // MICROSECOND, 0)
