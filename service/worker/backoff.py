"""Exponential backoff with jitter, so that workers do not come back to a restarted service all at once."""

import random

FIRST_S = 0.25
LONGEST_S = 15.0
MAX_DOUBLINGS = 8
"""0.25 s doubled eight times is beyond `LONGEST_S`; the exponent stays small however long an outage is."""
LONGEST_RETRY_AFTER_S = 60.0


class Backoff:
    """How long to wait before the next try."""

    def __init__(self) -> None:
        self._tries = 0

    def reset(self) -> None:
        """Start again at the shortest delay, after a try that succeeded."""
        self._tries = 0

    def next_s(self, at_least_s: float = 0.0) -> float:
        """Return the next delay, and never less than *at_least_s* from the service's `Retry-After`, up to a minute.

        Half of the delay is fixed and half random: "equal jitter" in "Exponential Backoff And Jitter" of Marc Brooker, 2015.
        """
        delay_s = min(LONGEST_S, FIRST_S * 2.0 ** min(self._tries, MAX_DOUBLINGS))
        self._tries += 1
        jittered_s = delay_s * (0.5 + random.random() / 2)  # noqa: S311  (spreads load, keeps no secret)
        return max(jittered_s, min(at_least_s, LONGEST_RETRY_AFTER_S))
