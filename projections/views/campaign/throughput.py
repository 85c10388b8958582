"""How fast a campaign gets done: completions over its active time, without what was parked, paused, held back or an outage."""

from msgspec import Struct, field

MINUTE_US = 60_000_000
WINDOW_US = 30 * MINUTE_US
ENOUGH = 20
EVIDENCE = 3


class Throughput(Struct, gc=False):
    """The active clock of a campaign and what was done on it.

    *clock_us* is what it showed when it last stood still, *since_us* since when it runs, *minutes* pairs of a minute on it and
    the units done in that: half an hour of them, or as many as it takes to see `ENOUGH` units.
    """

    clock_us: int = 0
    since_us: int | None = None
    minutes: list[list[int]] = field(default_factory=list)

    def start(self, at_us: int) -> None:
        """Let the clock run."""
        self.since_us = at_us

    def stop(self, at_us: int) -> None:
        """Let the clock stand."""
        self.clock_us = self.read(at_us)
        self.since_us = None

    def leave_out(self, silence_us: int) -> None:
        """Let the clock stand for what nobody could say in a silence: of that, a minute at most counts."""
        if self.since_us is not None:
            self.since_us += max(silence_us - MINUTE_US, 0)

    def read(self, at_us: int) -> int:
        """Return what the clock shows at *at_us*."""
        return self.clock_us if self.since_us is None else self.clock_us + max(at_us - self.since_us, 0)

    def done(self, at_us: int) -> None:
        """Count one unit."""
        minute = self.read(at_us) // MINUTE_US
        if self.minutes and self.minutes[-1][0] == minute:
            self.minutes[-1][1] += 1
        else:
            self.minutes.append([minute, 1])
            del self.minutes[: self.window(minute)[0]]

    def window(self, minute: int) -> tuple[int, int]:
        """Return which of the minutes is the first to judge by in *minute*, and the units done since.

        Those before the window count only as far as it takes to have enough.
        """
        first, left = 0, sum(done for _, done in self.minutes)
        for before, done in self.minutes:
            if before >= minute - WINDOW_US // MINUTE_US or left - done < ENOUGH:
                break
            first, left = first + 1, left - done
        return first, left

    def rate(self, at_us: int) -> float | None:
        """Return units done in a second of active time, None while there is no evidence.

        >>> Throughput(clock_us=10_000_000, minutes=[[0, 5]]).rate(0)
        0.5
        """
        clock = self.read(at_us)
        first, done = self.window(clock // MINUTE_US)
        if done < EVIDENCE:
            return None
        start = min(max(clock - WINDOW_US, 0), self.minutes[first][0] * MINUTE_US)
        return done * 1_000_000 / (clock - start) if clock > start else None
