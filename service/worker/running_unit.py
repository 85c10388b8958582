"""A unit whose command runs, and what the service has heard of it."""

import time

from service.client.claim_types import CompletionReport, FailureReport, GrantedClaim, HeartbeatReport, Outcome, ReleaseReport
from service.worker.execution import CommandEnd, Execution

PULSE_S = 10.0


class RunningUnit:
    """One claim and the execution that carries it out."""

    def __init__(self, claim: GrantedClaim, execution: Execution) -> None:
        self.claim = claim
        self.execution = execution
        self.pulse_s = min(PULSE_S, claim.lease_s / 3)
        self.started_at = self._beaten_at = time.monotonic()
        self._told: object = None
        self._lost = False
        self._released = ""

    def due_in(self) -> float:
        """Return the seconds until the next heartbeat is due."""
        return self._beaten_at + self.pulse_s - time.monotonic()

    def hurry(self) -> None:
        """Make a heartbeat due soon, because the service has asked for one."""
        self._beaten_at = min(self._beaten_at, time.monotonic() - self.pulse_s * 0.9)

    def heartbeat(self) -> HeartbeatReport:
        """Say that the command runs, when its output last moved, and the screen if that is news."""
        self._beaten_at = time.monotonic()
        screen = self.execution.screen
        news = screen.text() if screen.moved_at != self._told else None
        self._told = screen.moved_at
        return HeartbeatReport(self.claim.token, alive=True, output_at=screen.moved_at, screen=news)

    def release(self, reason: str, kill_after_s: float) -> None:
        """Stop the command and give the unit back."""
        self._released = self._released or reason
        self.execution.stop(kill_after_s)

    def lose(self, kill_after_s: float) -> None:
        """Stop the command; the claim is another's now, and nothing is owed for it."""
        self._lost = True
        self.execution.stop(kill_after_s)

    def outcome(self, ending: CommandEnd) -> Outcome | None:
        """Return what the service must hear, or nothing when the claim was lost."""
        token = self.claim.token
        if self._lost:
            return None
        if self._released:
            return ReleaseReport(token, reason=self._released)
        if ending.exit_code == 0:
            return CompletionReport(token, exit_code=0)
        return self._failure(ending)

    def _failure(self, ending: CommandEnd) -> FailureReport:
        screen = self.execution.screen
        return FailureReport(
            self.claim.token,
            reason="crash",
            error=screen.last_line() or (f"killed by {ending.signal}" if ending.signal else f"exit {ending.exit_code}"),
            exit_code=ending.exit_code,
            signal=ending.signal,
            screen=screen.text() or None,
        )
