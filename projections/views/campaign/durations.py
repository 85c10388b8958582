"""How long units take: a bounded histogram whose quantiles are within a tenth, and that forgets slowly."""

from math import log2

from msgspec import Struct, field

PER_OCTAVE = 4
MOST = 2048


class Durations(Struct, gc=False):
    """Counts of durations by powers of two of milliseconds, four steps to each; at `MOST` of them every count is halved."""

    steps: dict[int, int] = field(default_factory=dict)

    def observe(self, seconds: float) -> None:
        """Count one duration."""
        step = round(PER_OCTAVE * log2(max(seconds * 1000, 1)))
        self.steps[step] = self.steps.get(step, 0) + 1
        if sum(self.steps.values()) >= MOST:
            self.steps = {step: count // 2 for step, count in self.steps.items() if count > 1}

    @property
    def count(self) -> int:
        """How many are counted."""
        return sum(self.steps.values())

    def quantile(self, part: float) -> float:
        """Return the seconds within which *part* of the units ended; there is at least one.

        >>> round(Durations({40: 9, 53: 1}).quantile(0.5), 3), round(Durations({40: 8, 53: 2}).quantile(0.9), 1)
        (1.024, 9.7)
        """
        left = part * self.count
        for step in sorted(self.steps):
            left -= self.steps[step]
            if left <= 0:
                break
        return float(2 ** (step / PER_OCTAVE) / 1000)
