"""The console output of a worker: one line on stderr for everything that happens to a unit."""

import sys
import time

from service.worker.screen import CONTROLS

REPEAT_S = 30.0


class Console:
    """Print what the worker does; with *quiet*, only trouble."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._away_since: float | None = None
        self._printed_away_at = 0.0

    def unit(self, event: str, name: str, detail: str = "") -> None:
        """Print what happened to a unit."""
        if not self._quiet:
            self.trouble(f"{event:<9} {name}{detail and ' · '}{detail}")

    def step(self, line: str) -> None:
        """Print what the worker does next."""
        if not self._quiet:
            self.trouble(line)

    def trouble(self, line: str) -> None:
        """Print a line even when quiet."""
        sys.stderr.write(f"{time.strftime('%H:%M:%S')} {CONTROLS.sub(' ', line)}\n")
        sys.stderr.flush()

    def away(self, why: str) -> None:
        """Print that the service is away: at once, then every `REPEAT_S`."""
        now = time.monotonic()
        self._away_since = self._away_since or now
        if now - self._printed_away_at >= REPEAT_S or self._away_since == now:
            self._printed_away_at = now
            self.trouble(f"service away: {why}; running units go on, results are kept")

    def back(self) -> None:
        """Print that the service answers again, if it was away."""
        if self._away_since is not None:
            self.trouble(f"service back after {time.monotonic() - self._away_since:.1f} s")
            self._away_since = None
