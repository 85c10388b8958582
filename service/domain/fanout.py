"""A fan-out: the end of a unit with many dependents, carried to them in rounds."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from service.domain import ids

LONGEST_PATH = 100


class Fanout(Struct, kw_only=True):
    """How far the end of a unit, or its return to work, has reached its dependents; only `evolve` writes it.

    Units imported after *position* need no round: their import already took the end into account. With *counted*, each round
    lowers the `waits_for` of its dependents. *after* is the last dependent reached, *path* leads from the first cause to the
    unit.
    """

    campaign: ids.CampaignName
    unit: ids.UnitKey
    position: int
    begun_at: datetime
    counted: bool
    path: list[ids.UnitKey]
    after: ids.UnitKey | None = None


class FanoutRound(Struct, frozen=True):
    """The next dependents of a fan-out that stood at *position* and *after*; *last* when there are no others."""

    position: int
    after: ids.UnitKey | None
    dependents: tuple[ids.UnitKey, ...]
    last: bool

    def fits(self, fanout: Fanout) -> bool:
        """Tell whether *fanout* still stands where it stood."""
        return (self.position, self.after) == (fanout.position, fanout.after)


def extended(path: Sequence[ids.UnitKey], key: ids.UnitKey) -> tuple[ids.UnitKey, ...]:
    """Return the way on to *key*; of one that is too long to be told, the first cause and the last stretch.

    >>> way = extended([str(n) for n in range(100)], "end")
    >>> len(way), way[0], way[1], way[-1]
    (100, '0', '2', 'end')
    """
    way = (*path, key)
    return way if len(way) <= LONGEST_PATH else (way[0], *way[1 - LONGEST_PATH :])
