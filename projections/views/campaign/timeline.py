"""The timeline of a campaign: completions and failures since its first claim, in a bounded number of time slots."""

from msgspec import Struct, field

SLOTS = 120
NARROWEST_US = 5_000_000


class Timeline(Struct, gc=False):
    """Counts by slot; *begun_us* is the start of the first slot, *width_us* the length of each.

    There are never more than `SLOTS`: when they are full, each two are merged into one of twice the length.
    """

    begun_us: int | None = None
    width_us: int = NARROWEST_US
    done: list[int] = field(default_factory=list)
    failed: list[int] = field(default_factory=list)

    def begin(self, at_us: int) -> None:
        """Start the first slot, unless it was started."""
        if self.begun_us is None:
            self.begun_us = at_us

    def count_done(self, at_us: int) -> None:
        """Count a unit that was done."""
        self.done[self._slot(at_us)] += 1

    def count_failed(self, at_us: int) -> None:
        """Count an attempt that failed."""
        self.failed[self._slot(at_us)] += 1

    def _slot(self, at_us: int) -> int:
        """Return the slot of *at_us*, and extend the counts to it."""
        self.begin(at_us)
        since_us = max(at_us - (self.begun_us or 0), 0)
        while since_us // self.width_us >= SLOTS:
            self.width_us *= 2
            self.done[:], self.failed[:] = halved(self.done), halved(self.failed)
        slot = since_us // self.width_us
        if slot >= len(self.done):
            for counts in (self.done, self.failed):
                counts.extend([0] * (slot + 1 - len(counts)))
        return slot


def halved(counts: list[int]) -> list[int]:
    """Return the sums of each two neighbours.

    >>> halved([1, 2, 3])
    [3, 3]
    """
    return [sum(counts[index : index + 2]) for index in range(0, len(counts), 2)]
