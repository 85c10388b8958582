"""One pass over the log that checks every event against the invariants A1, A3, A8 and A11."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from service.domain import events as e
from service.domain import ids
from service.domain.policy import Policy
from service.domain.rules.retry import backoff

DEAD_REASONS = ("lease_expired", "heartbeat_dead")
ENDED = (e.UnitCompleted, e.AttemptFailed, e.UnitParked, e.UnitReleased)


class Violation(NamedTuple):
    """An invariant that an event violates."""

    invariant: str
    position: int
    detail: str


class AuditedUnit(Struct, gc=False):
    """What the audit remembers of one unit; *failed* and *claims* count since the last retry by a person."""

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
    """The pass; *violations* is what it found."""

    def __init__(self) -> None:
        self.violations: list[Violation] = []
        self.position = 0
        self._at: datetime | None = None
        self._units: dict[tuple[str, str], AuditedUnit] = {}
        self._policies: dict[str, Policy] = {}
        self._running: dict[str, int] = {}
        self._pool = 1000

    def check(self, events: Iterable[e.Recorded]) -> None:
        """Check the next events of the log."""
        for event in events:
            self._check_position(event)
            body = event.body
            check = CHECKS.get(type(body))
            if check is not None:
                check(self, body, event)

    def violation(self, invariant: str, event: e.Recorded, detail: str) -> None:
        """Note a violation."""
        self.violations.append(Violation(invariant, event.position, detail))

    def _check_position(self, event: e.Recorded) -> None:
        if event.position != self.position + 1:
            self.violation("A1", event, f"position {event.position} follows {self.position}")
        if self._at is not None and event.at < self._at:
            self.violation("A1", event, f"recorded at {event.at}, its predecessor at {self._at}")
        self.position, self._at = event.position, event.at

    def unit(self, event: e.Recorded) -> AuditedUnit:
        """Return what is remembered of the event's unit."""
        key = (event.campaign or "", event.unit or "")
        unit = self._units.get(key)
        if unit is None:
            unit = self._units[key] = AuditedUnit()
        return unit

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
        """Check a claim: a new fence, the next attempt, a free slot."""
        unit, campaign = self.unit(event), event.campaign or ""
        if unit.done or unit.running:
            self.violation("A3", event, f"{event.unit!r} is claimed while {'done' if unit.done else 'running'}")
        if body.fence <= unit.fence:
            self.violation("A3", event, f"fence {body.fence} of {event.unit!r} follows {unit.fence}")
        if body.attempt != unit.failed + 1:
            self.violation("A8", event, f"attempt {body.attempt} of {event.unit!r} follows {unit.failed} failed ones")
        unit.token, unit.fence, unit.running, unit.claims = body.token, body.fence, True, unit.claims + 1
        unit.attempt = body.attempt
        running = self._running[campaign] = self._running.get(campaign, 0) + 1
        if running > self.policy(event).concurrency:
            self.violation("A11", event, f"{running} units of {campaign!r} run, {self.policy(event).concurrency} may")
        if sum(self._running.values()) > self._pool:
            self.violation("A11", event, f"{sum(self._running.values())} units run, the pool has {self._pool} slots")

    def claim_ended(self, body: e.UnitCompleted | e.AttemptFailed | e.UnitParked | e.UnitReleased, event: e.Recorded) -> None:
        """Check the end of a claim: it has the unit's last token, and a unit completes only once."""
        if body.token is None:
            return
        unit = self.unit(event)
        if body.token != unit.token:
            self.violation("A3", event, f"{event.body.kind} of {event.unit!r} under a superseded token")
        if unit.running:
            unit.running = False
            self._running[event.campaign or ""] -= 1
        elif not isinstance(body, e.UnitCompleted):
            self.violation("A3", event, f"{event.body.kind} of {event.unit!r}, which is not running")
        if isinstance(body, e.UnitCompleted | e.AttemptFailed) and body.attempt != unit.attempt:
            self.violation(
                "A8", event, f"{event.body.kind} of {event.unit!r} ends attempt {body.attempt}, {unit.attempt} was claimed"
            )
        if isinstance(body, e.UnitCompleted):
            if unit.done:
                self.violation("A3", event, f"{event.unit!r} is done a second time")
            unit.done = True
        elif isinstance(body, e.AttemptFailed):
            unit.failed += 1
            unit.retryable, unit.reason = body.retryable, body.reason

    def heartbeat(self, body: e.UnitHeartbeat, event: e.Recorded) -> None:
        """Check a heartbeat: it has the current token."""
        unit = self.unit(event)
        if body.token != unit.token or not unit.running:
            self.violation("A3", event, f"heartbeat of {event.unit!r} under a superseded token")

    def retry_scheduled(self, body: e.RetryScheduled, event: e.Recorded) -> None:
        """Check a delay: it is within the bounds of the policy."""
        retry = self.policy(event).retry
        lowest, highest = backoff(retry, body.after_attempt, 0.0)[1], backoff(retry, body.after_attempt, 1.0)[1]
        if not lowest <= body.delay_ms <= highest:
            self.violation("A8", event, f"a delay of {body.delay_ms} ms, the policy gives {lowest} to {highest}")
        if body.after_attempt != self.unit(event).failed:
            self.violation("A8", event, f"a rest after attempt {body.after_attempt}, {self.unit(event).failed} failed")

    def quarantined(self, body: e.UnitQuarantined, event: e.Recorded) -> None:
        """Check a quarantine: the unit's history justifies its reason."""
        unit, policy = self.unit(event), self.policy(event)
        justified = {
            "manual": True,
            "max_attempts": unit.failed >= policy.max_attempts,
            "not_retryable": unit.failed > 0 and not unit.retryable,
            "heartbeat_dead": unit.reason in DEAD_REASONS,
            "max_claims": unit.claims >= policy.max_claims,
        }
        if not justified[body.reason]:
            self.violation("A8", event, f"{event.unit!r} quarantined for {body.reason}, its history does not say so")
        if body.attempts != unit.failed:
            self.violation("A8", event, f"{event.unit!r} quarantined after {body.attempts} attempts, {unit.failed} failed")

    def cleared(self, _body: e.QuarantineCleared, event: e.Recorded) -> None:
        """Reset the counts: a person retried the unit."""
        unit = self.unit(event)
        unit.failed = unit.claims = 0
        unit.retryable, unit.reason = True, ""


CHECKS: dict[type[e.Event], Any] = {
    e.CampaignCreated: LogAudit.created,
    e.CampaignEdited: LogAudit.edited,
    e.EngineResized: LogAudit.resized,
    e.UnitClaimed: LogAudit.claimed,
    e.UnitHeartbeat: LogAudit.heartbeat,
    e.RetryScheduled: LogAudit.retry_scheduled,
    e.UnitQuarantined: LogAudit.quarantined,
    e.QuarantineCleared: LogAudit.cleared,
    **dict.fromkeys(ENDED, LogAudit.claim_ended),
}
