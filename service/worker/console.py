"""The narrator: one line on stderr for everything that happens to a unit."""

import sys
import time

from service.worker.screen import CONTROLS

SILENCE_S = 30.0


class Console:
    """Tell a person, or a log, what the worker does; quiet, it tells only of trouble."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._away_since: float | None = None
        self._complained_at = 0.0

    def unit(self, what: str, name: str, detail: str = "") -> None:
        """Tell what became of a unit."""
        if not self._quiet:
            self.trouble(f"{what:<9} {name}{detail and ' · '}{detail}")

    def step(self, line: str) -> None:
        """Tell what the worker does next."""
        if not self._quiet:
            self.trouble(line)

    def trouble(self, line: str) -> None:
        """Tell what a person must see."""
        sys.stderr.write(f"{time.strftime('%H:%M:%S')} {CONTROLS.sub(' ', line)}\n")
        sys.stderr.flush()

    def away(self, why: str) -> None:
        """Tell that the service is away: at once, then every now and then."""
        now = time.monotonic()
        self._away_since = self._away_since or now
        if now - self._complained_at >= SILENCE_S or self._away_since == now:
            self._complained_at = now
            self.trouble(f"service away: {why}; what runs goes on, results are kept")

    def back(self) -> None:
        """Tell that the service answers again."""
        if self._away_since is not None:
            self.trouble(f"service back after {time.monotonic() - self._away_since:.1f} s")
            self._away_since = None
