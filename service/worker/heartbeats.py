"""The roster: the units that run now, and the pulse at which the service hears of them."""

import time
from collections.abc import Iterator

from service.client.claim_types import Report, WorkerReport
from service.worker.running_unit import PULSE_S, RunningUnit


class RunningUnits:
    """Running units by token; with none, the worker itself has a pulse."""

    def __init__(self, presence: WorkerReport) -> None:
        self._presence = presence
        self._running: dict[str, RunningUnit] = {}
        self._heard_at: float | None = None

    def __iter__(self) -> Iterator[RunningUnit]:
        return iter(tuple(self._running.values()))

    def add(self, running: RunningUnit) -> None:
        """Enter a unit whose command has started."""
        self._running[running.claim.token] = running

    def remove(self, running: RunningUnit) -> None:
        """Strike a unit whose command has ended."""
        del self._running[running.claim.token]

    def find(self, token: str) -> RunningUnit | None:
        """Return the running unit of *token*, if it still runs."""
        return self._running.get(token)

    def due_in(self) -> float:
        """Return the seconds until something must be said; zero or less when it is time."""
        if self._heard_at is None:
            return 0.0
        own = self._heard_at + PULSE_S - time.monotonic()
        return min((running.due_in() for running in self._running.values()), default=own)

    def reports(self) -> tuple[Report, ...]:
        """Return what is due now, with the heartbeats that would be due soon after."""
        if self.due_in() > 0:
            return ()
        alone = self._heard_at is None or not self._running
        self._heard_at = time.monotonic()
        due = (running for running in self._running.values() if running.due_in() <= running.pulse_s / 2)
        return (*((self._presence,) if alone else ()), *(running.heartbeat() for running in due))
