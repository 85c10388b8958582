"""Answers of the API, with the members that terminal, command line and worker read. Decoding skips the others."""

from datetime import datetime
from typing import Any, Generic, TypeVar

from msgspec import Struct, field

T = TypeVar("T")
UNIT_STATES = ("running", "ready", "delayed", "parked", "blocked", "quarantined", "skipped", "cancelled", "done")
"""The states of a unit, in the order in which they are shown."""


class ApiPage(Struct, Generic[T]):
    """One page of a list, and the cursor of the next one."""

    items: list[T]
    next: str | None = None


class ApiPause(Struct):
    """A pause: since when, why and by whom."""

    since: datetime
    reason: str | None = None
    by: str | None = None


class ApiBreaker(Struct):
    """The breaker of a campaign."""

    consecutive_failures: int = 0
    threshold: int = 0
    line: str | None = None


class ApiCampaign(Struct, kw_only=True):
    """A campaign with its counts, its throughput and what holds it back."""

    name: str
    title: str | None = None
    state: str
    version: int = 0
    auto: bool = True
    units: dict[str, int] = field(default_factory=dict)
    progress: float = 0.0
    throughput_per_hour: float | None = None
    eta: datetime | None = None
    eta_s: float | None = None
    paused: ApiPause | None = None
    breaker: ApiBreaker = field(default_factory=ApiBreaker)
    quota: str | None = None
    quota_line: str | None = None
    quarantined_by_reason: dict[str, int] = field(default_factory=dict)
    outcome: str | None = None
    policy: dict[str, Any] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    deadline: datetime | None = None
    created_at: datetime | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    position: int = 0

    @property
    def over(self) -> bool:
        """Say whether the campaign has ended: no unit of it runs again unless somebody reopens it."""
        return self.state in ("completed", "cancelled")


class ApiUnitSummary(Struct, kw_only=True):
    """The members that a unit has in a list and by itself."""

    key: str
    state: str
    group: int = 99
    priority: int = 0
    attempts: int = 0
    parks: int = 0
    worker: str | None = None
    due_at: datetime | None = None
    resume_at: datetime | None = None
    error: str | None = None
    reason: str | None = None
    updated_at: datetime


class ApiUnitRow(ApiUnitSummary, kw_only=True):
    """A unit in a list."""


class ApiAttempt(Struct, kw_only=True):
    """One execution of a unit."""

    attempt: int
    started_at: datetime
    ended_at: datetime | None = None
    worker: str | None = None
    outcome: str | None = None
    reason: str | None = None
    error: str | None = None
    exit_code: int | None = None
    session: str | None = None
    screen: str | None = None


class ApiUnit(ApiUnitSummary, kw_only=True):
    """A unit with its attempts."""

    campaign: str
    history: list[ApiAttempt] = field(default_factory=list)
    payload: Any = None
    depends_on: list[str] = field(default_factory=list)
    because_of: str | None = None
    fix_of: str | None = None
    lease_until: datetime | None = None
    progress: float | None = None
    note: str | None = None
    screen: str | None = None


class ApiBlocker(Struct):
    """One reason why a unit is not running."""

    reason: str
    entity: str
    detail: str
    clears_at: datetime | None = None


class ApiExplanation(Struct):
    """Why a unit is not running."""

    key: str
    state: str
    claimable: bool
    blockers: list[ApiBlocker]


class ApiClaim(Struct, kw_only=True):
    """A unit that a worker has claimed."""

    campaign: str
    key: str
    attempt: int = 1
    claimed_at: datetime
    lease_until: datetime
    progress: float | None = None
    note: str | None = None


class ApiWorker(Struct, kw_only=True):
    """A worker with its claims."""

    worker: str
    level: str | None = None
    last_heartbeat_at: datetime
    heartbeat_age_s: float
    state: str
    claims: list[ApiClaim] = field(default_factory=list)
    capacity: int | None = None
    labels: dict[str, str] = field(default_factory=dict)
    version: str | None = None
    completed: int = 0
    failed: int = 0


class ApiQuarantinedUnit(Struct, kw_only=True):
    """A unit in quarantine; the reader fills in *campaign*, which a list of one campaign does not repeat."""

    key: str
    reason: str
    attempts: int
    error: str | None = None
    worker: str | None = None
    quarantined_at: datetime
    screen: str | None = None
    campaign: str = ""


class ApiEvent(Struct, kw_only=True):
    """An event of the log."""

    position: int
    kind: str
    campaign: str | None = None
    unit: str | None = None
    worker: str | None = None
    recorded_at: datetime
    actor: str = ""
    data: dict[str, Any] = field(default_factory=dict)


class ApiQuota(Struct, kw_only=True):
    """A quota with its gate and the last reading of its meter."""

    key: str
    gate: str
    reason: str | None = None
    resume_at: datetime | None = None
    utilization: float | None = None
    resets_at: datetime | None = None
    last_poll_ok: bool | None = None
    consecutive_failures: int = 0
    last_failure_kind: str | None = None
    policy: dict[str, Any] = field(default_factory=dict)


class ApiPool(Struct):
    """The slots of the installation."""

    size: int = 0
    in_use: int = 0
    advice: int = 0


class ApiEngine(Struct, kw_only=True):
    """The whole installation; *position* is the head of the log."""

    state: str
    pool: ApiPool = field(default_factory=ApiPool)
    paused: ApiPause | None = None
    quotas: list[ApiQuota] = field(default_factory=list)
    leader: str | None = None
    position: int = 0


class ApiRecovery(Struct):
    """A recovery plan: every claim of the campaign has died."""

    id: str
    campaign: str
    resumable: list[str]
    preserved: int


class ApiBulkRetry(Struct):
    """What a bulk retry did, or would do."""

    matched: int
    cleared: int = 0


class ApiImport(Struct):
    """What an import did."""

    added: int
    updated: int
    unchanged: int
    position: int
    lines: int | None = None
