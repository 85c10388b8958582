"""The units whose commands run now, and when the service must hear of each."""

import time
from collections.abc import Iterator

from service.client.claim_types import (
    CompletionReport,
    FailureReport,
    GrantedClaim,
    HeartbeatReport,
    Outcome,
    ReleaseReport,
    Report,
    WorkerReport,
)
from service.worker.execution import CommandEnd, Execution

HEARTBEAT_S = 10.0
HEARTBEATS_PER_LEASE = 3
"""Two heartbeats in a row may get lost before the lease ends."""
PROBE_SHARE = 0.9
"""A probed unit sends its heartbeat after the last tenth of the interval, so that a probe of many units is one request."""


class RunningUnit:
    """One claim and the execution of its command."""

    def __init__(self, claim: GrantedClaim, execution: Execution) -> None:
        self.claim = claim
        self.execution = execution
        self.heartbeat_s = min(HEARTBEAT_S, claim.lease_s / HEARTBEATS_PER_LEASE)
        self.started_at = self._heartbeat_at = time.monotonic()
        self._reported_output_at: object = None
        self._claim_lost = False
        self._release_reason = ""

    def due_in(self) -> float:
        """Return the seconds until the next heartbeat is due."""
        return self._heartbeat_at + self.heartbeat_s - time.monotonic()

    def probe(self) -> None:
        """Make a heartbeat due soon, because the service asked for one."""
        self._heartbeat_at = min(self._heartbeat_at, time.monotonic() - self.heartbeat_s * PROBE_SHARE)

    def heartbeat(self) -> HeartbeatReport:
        """Report that the command runs and when its output last moved, with the screen if it has moved since the last report."""
        self._heartbeat_at = time.monotonic()
        screen = self.execution.screen
        text = screen.text() if screen.moved_at != self._reported_output_at else None
        self._reported_output_at = screen.moved_at
        return HeartbeatReport(self.claim.token, alive=True, output_at=screen.moved_at, screen=text)

    def release(self, reason: str, kill_after_s: float) -> None:
        """Stop the command and give the unit back; the first *reason* stays."""
        self._release_reason = self._release_reason or reason
        self.execution.stop(kill_after_s)

    def lose_claim(self, kill_after_s: float) -> None:
        """Stop the command without an outcome: the unit belongs to another claim now."""
        self._claim_lost = True
        self.execution.stop(kill_after_s)

    def outcome(self, end: CommandEnd) -> Outcome | None:
        """Return the report that ends the claim, None when the claim was lost."""
        token = self.claim.token
        if self._claim_lost:
            return None
        if self._release_reason:
            return ReleaseReport(token, reason=self._release_reason)
        if end.exit_code == 0:
            return CompletionReport(token, exit_code=0)
        return self._failure(end)

    def _failure(self, end: CommandEnd) -> FailureReport:
        screen = self.execution.screen
        return FailureReport(
            self.claim.token,
            reason="crash",
            error=screen.last_line() or (f"killed by {end.signal}" if end.signal else f"exit {end.exit_code}"),
            exit_code=end.exit_code,
            signal=end.signal,
            screen=screen.text() or None,
        )


class RunningUnits:
    """Running units by token. Without one, the worker itself sends heartbeats."""

    def __init__(self, presence: WorkerReport) -> None:
        self._presence = presence
        self._units: dict[str, RunningUnit] = {}
        self._reported_at: float | None = None

    def __iter__(self) -> Iterator[RunningUnit]:
        return iter(tuple(self._units.values()))

    def add(self, running: RunningUnit) -> None:
        """Add a unit whose command has started."""
        self._units[running.claim.token] = running

    def remove(self, running: RunningUnit) -> None:
        """Remove a unit whose command has ended."""
        del self._units[running.claim.token]

    def find(self, token: str) -> RunningUnit | None:
        """Return the running unit of *token*, if it still runs."""
        return self._units.get(token)

    def due_in(self) -> float:
        """Return the seconds until a report is due; zero or less when one is due now."""
        if self._reported_at is None:
            return 0.0
        presence_due_in = self._reported_at + HEARTBEAT_S - time.monotonic()
        return min((running.due_in() for running in self._units.values()), default=presence_due_in)

    def reports(self) -> tuple[Report, ...]:
        """Return the reports that are due now, and the heartbeats due within half an interval to save a request of their own."""
        if self.due_in() > 0:
            return ()
        alone = self._reported_at is None or not self._units
        self._reported_at = time.monotonic()
        due = (running for running in self._units.values() if running.due_in() <= running.heartbeat_s / 2)
        return (*((self._presence,) if alone else ()), *(running.heartbeat() for running in due))
