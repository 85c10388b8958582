"""A virtual worker: it claims, beats, works, fails, falls silent, dies, repeats itself, and comes too late."""

from collections.abc import Callable
from random import Random
from typing import Protocol

from service.domain import commands as c
from service.domain import ids
from service.domain.decide import DecisionOutcome
from tests.simulation.schedule import Act

BEAT_S = 60.0
PARK_S = 900.0
AGAIN_S = 5.0

Then = Callable[[DecisionOutcome], None]


class Line(Protocol):
    """How a worker reaches the service."""

    dice: Random

    def send(self, command: c.Command, then: Then) -> None:
        """Send *command* until it is answered."""

    def after(self, seconds: float, act: Act) -> None:
        """Schedule *act* after a delay in seconds."""

    def rest(self, worker: "VirtualWorker") -> None:
        """Take in a worker that found nothing."""

    def heard(self, token: ids.Token, command: c.Command, outcome: DecisionOutcome) -> None:
        """Keep what the worker was told, to hold it against the log."""


class VirtualWorker:
    """One worker; *broken* units fail whoever runs them."""

    def __init__(self, name: str, line: Line) -> None:
        self.name = ids.WorkerId(name)
        self._line = line

    def claim(self) -> None:
        """Ask for one unit, now and then by hand."""
        mode: ids.Mode = "manual" if self._line.dice.random() < 0.02 else "auto"
        self._line.send(c.ClaimWork(worker=self.name, mode=mode), self._granted)

    def _granted(self, outcome: DecisionOutcome) -> None:
        """Begin to work, or rest."""
        if not outcome.reply.claims:
            self._line.rest(self)
            return
        grant: c.Grant = outcome.reply.claims[0]
        taken_s = min(30 + self._line.dice.expovariate(1 / 400), 3600)
        fate = self._line.dice.random()
        if grant.key.startswith("broken"):
            self._work(grant, taken_s / 4, self._failure(grant, "exit 1: broken"))
        elif fate < 0.03:
            self._vanish()
        elif fate < 0.08:
            self._sleep(grant)
        else:
            self._work(grant, taken_s, self._end(grant))

    def _end(self, grant: c.Grant) -> c.Report:
        """Draw how the work ends."""
        fate = self._line.dice.random()
        if fate < 0.08:
            return self._failure(grant, f"exit {self._line.dice.randint(1, 3)}: no luck")
        if fate < 0.09:
            return c.ParkClaim(token=grant.token, worker=self.name, reason="rate_limit")
        if fate < 0.10:
            return c.ReleaseClaim(token=grant.token, worker=self.name, reason="stop")
        if fate < 0.11:
            return self._failure(grant, "429 too many requests")
        return c.CompleteUnit(token=grant.token, worker=self.name)

    def _failure(self, grant: c.Grant, error: str) -> c.FailAttempt:
        return c.FailAttempt(token=grant.token, worker=self.name, reason="crash", error=error)

    def _vanish(self) -> None:
        """Die without a word; somebody starts another process under the same name."""
        self._line.after(400 + 400 * self._line.dice.random(), self.claim)

    def _sleep(self, grant: c.Grant) -> None:
        """Fall silent, as a laptop does, work on, and speak when the lease may long be over."""
        silent_s = grant.lease_s * (0.5 + 4 * self._line.dice.random())
        self._line.after(silent_s, lambda: self._finish(grant, self._end(grant)))

    def _work(self, grant: c.Grant, taken_s: float, end: c.Report) -> None:
        """Beat until the work ends."""
        self._line.after(min(BEAT_S, taken_s), lambda: self._go_on(grant, taken_s, end))

    def _go_on(self, grant: c.Grant, left_s: float, end: c.Report) -> None:
        """Finish, or beat once more."""
        left_s -= BEAT_S
        if left_s <= 0:
            self._finish(grant, end)
            return
        idle = self._line.dice.random() < 0.05
        beat = c.RecordHeartbeat(token=grant.token, worker=self.name, progress=left_s, idle=idle)

        def answered(outcome: DecisionOutcome) -> None:
            self._line.heard(grant.token, beat, outcome)
            if outcome.rejection is not None or outcome.reply.signal == "stop":
                self._line.after(AGAIN_S, self.claim)
            else:
                self._line.after(min(BEAT_S, left_s), lambda: self._go_on(grant, left_s, end))

        self._line.send(beat, answered)

    def _finish(self, grant: c.Grant, end: c.Report) -> None:
        """Report the end, sometimes twice, because the first answer got lost."""
        lost = self._line.dice.random() < 0.05

        def answered(outcome: DecisionOutcome) -> None:
            self._line.heard(grant.token, end, outcome)
            if lost:
                self._line.after(AGAIN_S, lambda: self._line.send(end, again if outcome.rejection is None else late))
            else:
                self._line.after(1, self.claim)

        def late(outcome: DecisionOutcome) -> None:
            """A person may have sent the unit back meanwhile, and the success counts."""
            self._line.heard(grant.token, end, outcome)
            self._line.after(1, self.claim)

        def again(outcome: DecisionOutcome) -> None:
            assert not outcome.events or outcome.rejection is not None, "a repeated report changes nothing"
            self._line.heard(grant.token, end, outcome)
            self._line.after(1, self.claim)

        self._line.send(end, answered)
