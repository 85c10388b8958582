"""One walk over the log that holds every event against what must always be true: A1, A3, A8, A11."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from service.domain import events as e
from service.domain import ids
from service.domain.policy import Policy
from service.domain.retry import backoff

DEAD = ("lease_expired", "heartbeat_dead")
ENDED = (e.UnitCompleted, e.AttemptFailed, e.UnitParked, e.UnitReleased)


class Violation(NamedTuple):
    """What was found where."""

    invariant: str
    position: int
    detail: str


class AuditedUnit(Struct, gc=False):
    """What must be remembered of one unit; *failed* and *claims* count since the last retry by a person."""

    token: ids.Token | None = None
    fence: int = 0
    running: bool = False
    done: bool = False
    attempt: int = 0
    failed: int = 0
    claims: int = 0
    retryable: bool = True
    reason: str = ""


class LogAudit:
    """The walk; *violations* are what it found."""

    def __init__(self) -> None:
        self.violations: list[Violation] = []
        self.position = 0
        self._at: datetime | None = None
        self._lives: dict[tuple[str, str], AuditedUnit] = {}
        self._policies: dict[str, Policy] = {}
        self._running: dict[str, int] = {}
        self._pool = 1000

    def walk(self, events: Iterable[e.Recorded]) -> None:
        """Look at the next events of the log."""
        for event in events:
            self._place(event)
            body = event.body
            judge = JUDGES.get(type(body))
            if judge is not None:
                judge(self, body, event)

    def violation(self, invariant: str, event: e.Recorded, detail: str) -> None:
        """Note a violation."""
        self.violations.append(Violation(invariant, event.position, detail))

    def _place(self, event: e.Recorded) -> None:
        if event.position != self.position + 1:
            self.violation("A1", event, f"position {event.position} follows {self.position}")
        if self._at is not None and event.at < self._at:
            self.violation("A1", event, f"recorded at {event.at}, its predecessor at {self._at}")
        self.position, self._at = event.position, event.at

    def life(self, event: e.Recorded) -> AuditedUnit:
        """Return what is remembered of the event's unit."""
        key = (event.campaign or "", event.unit or "")
        life = self._lives.get(key)
        if life is None:
            life = self._lives[key] = AuditedUnit()
        return life

    def policy(self, event: e.Recorded) -> Policy:
        """Return the policy that holds for the event's campaign."""
        return self._policies[event.campaign or ""]

    def created(self, body: e.CampaignCreated, _event: e.Recorded) -> None:
        """Remember a policy."""
        self._policies[body.name] = body.policy

    def edited(self, body: e.CampaignEdited, event: e.Recorded) -> None:
        """Remember a new policy."""
        if "policy" in body.changes:
            self._policies[event.campaign or ""] = msgspec.convert(body.changes["policy"].new, Policy)

    def resized(self, body: e.EngineResized, _event: e.Recorded) -> None:
        """Remember the pool."""
        self._pool = body.pool_size

    def claimed(self, body: e.UnitClaimed, event: e.Recorded) -> None:
        """Look at a claim: a new fence, the next attempt, a free slot."""
        life, campaign = self.life(event), event.campaign or ""
        if life.done or life.running:
            self.violation("A3", event, f"{event.unit!r} is claimed while {'done' if life.done else 'running'}")
        if body.fence <= life.fence:
            self.violation("A3", event, f"fence {body.fence} of {event.unit!r} follows {life.fence}")
        if body.attempt != life.failed + 1:
            self.violation("A8", event, f"attempt {body.attempt} of {event.unit!r} follows {life.failed} failed ones")
        life.token, life.fence, life.running, life.claims = body.token, body.fence, True, life.claims + 1
        life.attempt = body.attempt
        running = self._running[campaign] = self._running.get(campaign, 0) + 1
        if running > self.policy(event).concurrency:
            self.violation("A11", event, f"{running} units of {campaign!r} run, {self.policy(event).concurrency} may")
        if sum(self._running.values()) > self._pool:
            self.violation("A11", event, f"{sum(self._running.values())} units run, the pool has {self._pool} slots")

    def claim_ended(self, body: e.UnitCompleted | e.AttemptFailed | e.UnitParked | e.UnitReleased, event: e.Recorded) -> None:
        """Look at the end of a claim: under the unit's last token, and a completion only once."""
        if body.token is None:
            return
        life = self.life(event)
        if body.token != life.token:
            self.violation("A3", event, f"{event.body.kind} of {event.unit!r} under a superseded token")
        if life.running:
            life.running = False
            self._running[event.campaign or ""] -= 1
        elif not isinstance(body, e.UnitCompleted):
            self.violation("A3", event, f"{event.body.kind} of {event.unit!r}, which is not running")
        if isinstance(body, e.UnitCompleted | e.AttemptFailed) and body.attempt != life.attempt:
            self.violation(
                "A8", event, f"{event.body.kind} of {event.unit!r} ends attempt {body.attempt}, {life.attempt} was claimed"
            )
        if isinstance(body, e.UnitCompleted):
            if life.done:
                self.violation("A3", event, f"{event.unit!r} is done a second time")
            life.done = True
        elif isinstance(body, e.AttemptFailed):
            life.failed += 1
            life.retryable, life.reason = body.retryable, body.reason

    def heartbeat(self, body: e.UnitHeartbeat, event: e.Recorded) -> None:
        """Look at a heartbeat: under the current token."""
        life = self.life(event)
        if body.token != life.token or not life.running:
            self.violation("A3", event, f"heartbeat of {event.unit!r} under a superseded token")

    def rested(self, body: e.RetryScheduled, event: e.Recorded) -> None:
        """Look at a delay: within what the policy can draw."""
        retry = self.policy(event).retry
        lowest, highest = backoff(retry, body.after_attempt, 0.0)[1], backoff(retry, body.after_attempt, 1.0)[1]
        if not lowest <= body.delay_ms <= highest:
            self.violation("A8", event, f"a delay of {body.delay_ms} ms, the policy gives {lowest} to {highest}")
        if body.after_attempt != self.life(event).failed:
            self.violation("A8", event, f"a rest after attempt {body.after_attempt}, {self.life(event).failed} failed")

    def quarantined(self, body: e.UnitQuarantined, event: e.Recorded) -> None:
        """Look at a quarantine: its reason is in the unit's history."""
        life, policy = self.life(event), self.policy(event)
        justified = {
            "manual": True,
            "max_attempts": life.failed >= policy.max_attempts,
            "not_retryable": life.failed > 0 and not life.retryable,
            "heartbeat_dead": life.reason in DEAD,
            "max_claims": life.claims >= policy.max_claims,
        }
        if not justified[body.reason]:
            self.violation("A8", event, f"{event.unit!r} quarantined for {body.reason}, its history does not say so")
        if body.attempts != life.failed:
            self.violation("A8", event, f"{event.unit!r} quarantined after {body.attempts} attempts, {life.failed} failed")

    def cleared(self, _body: e.QuarantineCleared, event: e.Recorded) -> None:
        """Forget what a person forgives."""
        life = self.life(event)
        life.failed = life.claims = 0
        life.retryable, life.reason = True, ""


JUDGES: dict[type[e.Event], Any] = {
    e.CampaignCreated: LogAudit.created,
    e.CampaignEdited: LogAudit.edited,
    e.EngineResized: LogAudit.resized,
    e.UnitClaimed: LogAudit.claimed,
    e.UnitHeartbeat: LogAudit.heartbeat,
    e.RetryScheduled: LogAudit.rested,
    e.UnitQuarantined: LogAudit.quarantined,
    e.QuarantineCleared: LogAudit.cleared,
    **dict.fromkeys(ENDED, LogAudit.claim_ended),
}
