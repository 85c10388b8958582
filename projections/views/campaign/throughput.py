"""The throughput of a campaign: completions over active time, which excludes pauses, parks, closed gates and outages."""

from msgspec import Struct, field

MINUTE_US = 60_000_000
WINDOW_US = 30 * MINUTE_US
ENOUGH = 20
"""Units after which the window need not reach back further than half an hour."""
EVIDENCE = 3
"""Units without which no rate is given."""


class Throughput(Struct, gc=False):
    """The active clock of a campaign, and the units that were done on it.

    *clock_us* is the time that the clock showed when it last stopped, *since_us* when it was started, None while it is stopped.
    *minutes* has pairs of a minute on the clock and the units done in it: those of the last half hour, or of as long as it took
    to complete `ENOUGH` units.
    """

    clock_us: int = 0
    since_us: int | None = None
    minutes: list[list[int]] = field(default_factory=list)

    def start(self, at_us: int) -> None:
        """Start the clock."""
        self.since_us = at_us

    def stop(self, at_us: int) -> None:
        """Stop the clock."""
        self.clock_us = self.read(at_us)
        self.since_us = None

    def exclude_outage(self, silence_us: int) -> None:
        """Count at most a minute of *silence_us*, in which the service was down and could record nothing."""
        if self.since_us is not None:
            self.since_us += max(silence_us - MINUTE_US, 0)

    def read(self, at_us: int) -> int:
        """Return the time on the clock at *at_us*."""
        return self.clock_us if self.since_us is None else self.clock_us + max(at_us - self.since_us, 0)

    def count_done(self, at_us: int) -> None:
        """Count a unit that was done."""
        minute = self.read(at_us) // MINUTE_US
        if self.minutes and self.minutes[-1][0] == minute:
            self.minutes[-1][1] += 1
        else:
            self.minutes.append([minute, 1])
            del self.minutes[: self.window(minute)[0]]

    def window(self, minute: int) -> tuple[int, int]:
        """Return the index of the first of the minutes that count in *minute*, and the units done since.

        Minutes before the window count only if fewer than `ENOUGH` units were done within it.
        """
        first, left = 0, sum(done for _, done in self.minutes)
        for before, done in self.minutes:
            if before >= minute - WINDOW_US // MINUTE_US or left - done < ENOUGH:
                break
            first, left = first + 1, left - done
        return first, left

    def rate(self, at_us: int) -> float | None:
        """Return the units done per second of active time, None for fewer than `EVIDENCE` units.

        >>> Throughput(clock_us=10_000_000, minutes=[[0, 5]]).rate(0)
        0.5
        """
        clock = self.read(at_us)
        first, done = self.window(clock // MINUTE_US)
        if done < EVIDENCE:
            return None
        start = min(max(clock - WINDOW_US, 0), self.minutes[first][0] * MINUTE_US)
        return done * 1_000_000 / (clock - start) if clock > start else None
