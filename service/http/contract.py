"""The views that answers are made of, as the contract describes them; the projections hold the real ones."""

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from service.domain import ids
from service.domain.policy import Policy

Share = Annotated[float, Meta(ge=0, le=1)]


class UnitCounts(Struct):
    """How many units are in each state."""

    total: int
    blocked: int
    ready: int
    delayed: int
    parked: int
    running: int
    done: int
    quarantined: int
    skipped: int
    cancelled: int


class Pause(Struct):
    """Why something is paused, since when and by whom."""

    reason: str | None
    since: datetime
    by: str


class Breaker(Struct):
    """The safety cap of a campaign."""

    consecutive_failures: int
    threshold: int
    tripped: bool
    line: Annotated[str, Meta(examples=["Auto paused · 3 fails"])] | None


class CampaignView(Struct):
    """A campaign, as people read it."""

    name: ids.CampaignName
    title: str
    state: ids.CampaignState
    version: int
    auto: bool
    units: UnitCounts
    progress: Share
    active: int
    throughput_per_hour: float | None
    eta: datetime | None
    eta_s: float | None
    paused: Pause | None
    breaker: Breaker
    quota_line: Annotated[str, Meta(examples=["quota exhausted · auto-resume ~14:30"])] | None
    quarantined_by_reason: dict[str, int]
    outcome: ids.Outcome | None
    policy: Policy
    labels: dict[str, str]
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    position: int


class UnitView(Struct):
    """A unit and its attempts; `attempts` of the list counts executions that failed or run now."""

    key: ids.UnitKey
    state: ids.UnitState
    group: int
    priority: int
    attempts: list[dict[str, Any]]
    parks: int
    claims: int
    worker: ids.WorkerId | None
    due_at: datetime | None
    resume_at: datetime | None
    error: str | None
    reason: str | None
    updated_at: datetime
    position: int


class Held(Struct):
    """A claim of a worker."""

    campaign: ids.CampaignName
    key: ids.UnitKey
    attempt: int
    claimed_at: datetime
    lease_until: datetime
    progress: float | None
    note: str | None
    output_at: datetime | None


class WorkerView(Struct):
    """A worker, as people read it."""

    worker: ids.WorkerId
    level: ids.Level
    last_heartbeat_at: datetime | None
    heartbeat_age_s: float | None
    state: ids.WorkerState
    claims: list[Held]
    capacity: int | None
    labels: dict[str, str]
    completed: int
    failed: int
    position: int


class Pool(Struct):
    """The global slots."""

    size: int
    in_use: int


class QuotaPolicyView(Struct):
    """How a gate behaves."""

    fire: ids.Fire
    threshold: Share
    offset_s: float
    ramp_per_s: float


class QuotaView(Struct):
    """A quota and its gate."""

    key: ids.QuotaKey
    gate: Literal["open", "closed"]
    reason: ids.GateReason | None
    resume_at: datetime | None
    utilization: float | None
    last_poll_ok: bool | None
    consecutive_failures: int
    last_failure_kind: ids.ReadingFailure | None
    next_poll_s: float
    policy: QuotaPolicyView


class EngineView(Struct):
    """The whole installation; *position* is the head of the log."""

    state: Literal["running", "paused"]
    pool: Pool
    paused: Pause | None
    quotas: list[QuotaView]
    leader: str | None
    position: int
