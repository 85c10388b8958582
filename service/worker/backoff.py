"""The rest between two tries: doubled each time, never the same for two workers."""

import random

FIRST_S = 0.25
LONGEST_S = 15.0
STEPS = 8


class Backoff:
    """How long to wait before the next try."""

    def __init__(self) -> None:
        self._tries = 0

    def reset(self) -> None:
        """Start afresh, after a try that succeeded."""
        self._tries = 0

    def next_s(self, at_least_s: float = 0.0) -> float:
        """Return the next rest: half of it fixed, half of it chance."""
        rest = min(LONGEST_S, FIRST_S * 2.0 ** min(self._tries, STEPS))
        self._tries += 1
        spread = rest * (0.5 + random.random() / 2)  # noqa: S311  (spreads load, keeps no secret)
        return max(spread, min(at_least_s, 4 * LONGEST_S))
