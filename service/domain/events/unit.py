"""Events of units, their attempts and claims."""

from datetime import datetime
from typing import Literal

from msgspec import UNSET, Raw, Struct, UnsetType

from service.domain import ids
from service.domain.events.event import Event, Wakes


class NewUnit(Struct, frozen=True, omit_defaults=True):
    """One unit of an import; *waits_for* counts its dependencies that are open at that moment."""

    key: ids.UnitKey
    payload: Raw = Raw(b"null")
    group: int = ids.DEFAULT_GROUP
    priority: int = 0
    depends_on: tuple[ids.UnitKey, ...] = ()
    estimate_s: float | None = None
    kind: Literal["unit", "fix"] = "unit"
    fix_of: ids.UnitKey | None = None
    waits_for: int = 0


class UnitsAdded(Event, frozen=True):
    """At most 1,000 units joined the campaign, in this order."""

    kind = "units.added"
    wakes = Wakes.CLAIMS
    units: tuple[NewUnit, ...]


class UnitPatch(Struct, frozen=True, omit_defaults=True):
    """Changes of a unit that nobody has started; an absent field is unchanged. *was* is its state, given with a new group."""

    key: ids.UnitKey
    payload: Raw | UnsetType = UNSET
    group: int | UnsetType = UNSET
    priority: int | UnsetType = UNSET
    estimate_s: float | UnsetType | None = UNSET
    was: ids.UnitState | None = None


class UnitsUpdated(Event, frozen=True):
    """An import changed at most 1,000 units that nobody had started."""

    kind = "units.updated"
    wakes = Wakes.CLAIMS
    units: tuple[UnitPatch, ...]


class UnitUnblocked(Event, frozen=True):
    """The last open dependency was settled: the unit is ready."""

    kind = "unit.unblocked"
    wakes = Wakes.CLAIMS
    by: ids.UnitKey


class UnitClaimed(Event, frozen=True, omit_defaults=True):
    """A worker holds the unit under a lease; *fence* grows with every claim, *waited* is the time since the unit became ready.

    The first claim of a campaign *begins* it.
    """

    kind = "unit.claimed"
    wakes = Wakes.NOTHING
    token: ids.Token
    fence: int
    attempt: int
    mode: ids.Mode
    lease_until: datetime
    lease_s: float
    brief_rev: int
    resume_session: str | None
    waited: float
    begins: bool = False


class UnitHeartbeat(Event, frozen=True):
    """What the worker sent about a unit that it holds, nothing added. *progress* is a ratio."""

    kind = "unit.heartbeat"
    wakes = Wakes.NOTHING
    token: ids.Token
    progress: float | None = None
    note: str | None = None
    session: str | None = None
    idle: bool | None = None
    alive: bool | None = None
    output_at: datetime | None = None
    usage: dict[str, float] | None = None
    screen_id: str | None = None


class UnitCompleted(Event, frozen=True, omit_defaults=True):
    """The work is done. *first_ready_at* is unknown in older events, here and in the other ends of a unit."""

    kind = "unit.completed"
    wakes = Wakes.CLAIMS
    token: ids.Token
    attempt: int
    result: Raw
    evidence: Raw
    exit_code: int | None
    signal: str | None
    declared_result: str | None
    mapped_from: int | None
    usage: dict[str, float] | None
    duration: float
    was: ids.UnitState
    first_ready_at: datetime | None = None
    in_rounds: bool = False
    report_digest: str | None = None


class AttemptFailed(Event, frozen=True):
    """One execution failed; the next event of the decision says how the unit continues."""

    kind = "unit.attempt_failed"
    wakes = Wakes.CLAIMS
    token: ids.Token
    attempt: int
    reason: ids.FailureReason
    error: str | None
    exit_code: int | None
    signal: str | None
    retryable: bool
    matched_pattern: str | None
    screen_id: str | None
    usage: dict[str, float] | None
    duration: float
    report_digest: str | None = None


class LeaseExpired(Event, frozen=True):
    """Nothing was heard of a claim for longer than its lease; *age* is the time since the last heartbeat."""

    kind = "unit.lease_expired"
    wakes = Wakes.NOTHING
    token: ids.Token
    worker: ids.WorkerId
    age: float
    attempt: int


class RetryScheduled(Event, frozen=True):
    """The unit is delayed before its next attempt. The drawn delay is stored, so that a replay draws nothing."""

    kind = "unit.retry_scheduled"
    wakes = Wakes.SCHEDULER
    after_attempt: int
    base_ms: int
    delay_ms: int
    due_at: datetime


class RetryDue(Event, frozen=True):
    """The delay is over: the unit is ready."""

    kind = "unit.retry_due"
    wakes = Wakes.CLAIMS


class UnitQuarantined(Event, frozen=True, omit_defaults=True):
    """The unit failed for good, until a person retries it."""

    kind = "unit.quarantined"
    wakes = Wakes.CLAIMS
    reason: ids.QuarantineReason
    attempts: int
    error: str | None
    worker: ids.WorkerId | None
    screen_id: str | None
    was: ids.UnitState
    first_ready_at: datetime | None = None
    in_rounds: bool = False


class QuarantineCleared(Event, frozen=True, omit_defaults=True):
    """A person retries the unit; its attempts start at zero."""

    kind = "unit.quarantine_cleared"
    wakes = Wakes.CLAIMS
    bulk_id: str | None
    by: str
    reason: str | None
    to: ids.UnitState
    in_rounds: bool = False


class UnitParked(Event, frozen=True):
    """The unit waits for quota; nothing failed and no attempt is counted.

    Where *counted* is false, the park is so short that the claim it ended does not count towards `max_claims`.
    """

    kind = "unit.parked"
    wakes = Wakes.CLAIMS | Wakes.SCHEDULER
    token: ids.Token | None
    reason: str
    quota: ids.QuotaKey | None
    resume_at: datetime
    was: ids.UnitState
    counted: bool = True
    report_digest: str | None = None


class UnitUnparked(Event, frozen=True):
    """The park is over: the unit is ready. *parked* is how long it lasted, unknown in older events."""

    kind = "unit.unparked"
    wakes = Wakes.CLAIMS
    cause: ids.UnparkCause
    parked: float | None = None


class UnitReleased(Event, frozen=True):
    """The claim ended neutrally: the unit is ready, and no attempt is counted."""

    kind = "unit.released"
    wakes = Wakes.CLAIMS
    token: ids.Token
    cause: ids.ReleaseCause
    report_digest: str | None = None


class UnitSkipped(Event, frozen=True, omit_defaults=True):
    """A dependency failed for good; *path* leads from it to this unit, which may never have been ready."""

    kind = "unit.skipped"
    wakes = Wakes.NOTHING
    because_of: ids.UnitKey
    path: tuple[ids.UnitKey, ...]
    was: ids.UnitState
    first_ready_at: datetime | None = None
    in_rounds: bool = False


class UnitUnskipped(Event, frozen=True, omit_defaults=True):
    """The dependency is to be done again: the unit waits, or is ready."""

    kind = "unit.unskipped"
    wakes = Wakes.CLAIMS
    because_of: ids.UnitKey
    path: tuple[ids.UnitKey, ...]
    to: ids.UnitState
    in_rounds: bool = False


class UnitFanout(Event, frozen=True):
    """The end of the unit, or its return to work, reached these dependents; *after* is the last of them, None at the end."""

    kind = "unit.fanout"
    wakes = Wakes.SCHEDULER
    dependents: tuple[ids.UnitKey, ...]
    after: ids.UnitKey | None


class UnitCancelled(Event, frozen=True, omit_defaults=True):
    """The unit was cancelled; nobody will run it."""

    kind = "unit.cancelled"
    wakes = Wakes.CLAIMS
    reason: str | None
    by: str
    was: ids.UnitState
    first_ready_at: datetime | None = None
    in_rounds: bool = False


class LateResult(Event, frozen=True):
    """A report under a superseded token; it is kept and changes nothing."""

    kind = "unit.late_result"
    wakes = Wakes.NOTHING
    token: ids.Token
    came: Raw
    owner: ids.WorkerId | None
