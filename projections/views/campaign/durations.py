"""How long attempts take: a bounded histogram with quantiles exact to a tenth, in which old observations fade."""

from math import log2

from msgspec import Struct, field

STEPS_PER_OCTAVE = 4
MAX_COUNT = 2048


class Durations(Struct, gc=False):
    """Durations counted by logarithm: four steps for each doubling of the milliseconds. At `MAX_COUNT` every count is halved."""

    steps: dict[int, int] = field(default_factory=dict)

    def observe(self, seconds: float) -> None:
        """Count one duration."""
        step = round(STEPS_PER_OCTAVE * log2(max(seconds * 1000, 1)))
        self.steps[step] = self.steps.get(step, 0) + 1
        if sum(self.steps.values()) >= MAX_COUNT:
            self.steps = {step: count // 2 for step, count in self.steps.items() if count > 1}

    @property
    def count(self) -> int:
        """How many durations are counted."""
        return sum(self.steps.values())

    def quantile(self, part: float) -> float:
        """Return the seconds within which the share *part* of the durations lies; at least one must be counted.

        >>> round(Durations({40: 9, 53: 1}).quantile(0.5), 3), round(Durations({40: 8, 53: 2}).quantile(0.9), 1)
        (1.024, 9.7)
        """
        left = part * self.count
        for step in sorted(self.steps):
            left -= self.steps[step]
            if left <= 0:
                break
        return float(2 ** (step / STEPS_PER_OCTAVE) / 1000)
