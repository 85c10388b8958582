"""The words that worker and service exchange, as they travel."""

from datetime import datetime

import msgspec
from typing_extensions import override

SERVER_ERROR = 500
LOST = ("/stale-claim", "/not-found")
PASSING = frozenset({401, 403, 408, 425, 429})


class GrantedClaim(msgspec.Struct, frozen=True):
    """One unit, lent to this worker under a token."""

    token: str
    campaign: str
    key: str
    attempt: int = 1
    lease_s: float = 300.0
    payload: object = None
    brief: str | None = None
    resume_session: str | None = None

    @property
    def name(self) -> str:
        """Name the unit as people read it."""
        return f"{self.campaign}/{self.key}"


class ClaimRequest(msgspec.Struct, frozen=True):
    """A wish for units; sent again unchanged, it is the same wish."""

    worker: str
    campaigns: tuple[str, ...]
    max: int
    labels: dict[str, str]
    wait_s: float


class ClaimBlocked(msgspec.Struct, frozen=True):
    """Why a campaign gave nothing."""

    campaign: str
    reason: str


class ClaimAnswer(msgspec.Struct, frozen=True):
    """The answer to an `Ask`."""

    claims: tuple[GrantedClaim, ...] = ()
    blocked: tuple[ClaimBlocked, ...] = ()
    position: int = 0

    @property
    def dismissed(self) -> bool:
        """Say whether this worker gets nothing because it drains or is fenced."""
        return any(blocked.reason == "worker" for blocked in self.blocked)


class HeartbeatReport(msgspec.Struct, frozen=True, omit_defaults=True, tag="heartbeat"):
    """The unit's command still runs."""

    token: str
    alive: bool | None = None
    output_at: datetime | None = None
    screen: str | None = None


class CompletionReport(msgspec.Struct, frozen=True, tag="completed"):
    """The unit's command ended with zero."""

    token: str
    exit_code: int


class FailureReport(msgspec.Struct, frozen=True, omit_defaults=True, tag="failed"):
    """The unit's command could not be started, or ended otherwise than with zero."""

    token: str
    reason: str
    error: str
    exit_code: int | None = None
    signal: str | None = None
    screen: str | None = None


class ReleaseReport(msgspec.Struct, frozen=True, tag="released"):
    """The worker gives the unit back; nothing failed."""

    token: str
    reason: str


class WorkerReport(msgspec.Struct, frozen=True, omit_defaults=True, tag="worker"):
    """The worker is there, or takes its leave."""

    alive: bool
    capacity: int | None = None
    labels: dict[str, str] | None = None
    version: str | None = None


Outcome = CompletionReport | FailureReport | ReleaseReport
Report = HeartbeatReport | CompletionReport | FailureReport | ReleaseReport | WorkerReport


class ApiProblem(msgspec.Struct, frozen=True):
    """Why the service refused (RFC 9457)."""

    type: str = "about:blank"
    title: str = ""
    status: int = 400
    detail: str = ""

    @property
    def stale(self) -> bool:
        """Say whether the token is no longer, or never was, the unit's claim."""
        return self.type.endswith(LOST)

    @property
    def passing(self) -> bool:
        """Say whether the same words may be accepted later."""
        return self.status >= SERVER_ERROR or self.status in PASSING

    @override
    def __str__(self) -> str:
        return f"{self.status} {self.title}: {self.detail}"


class ReportVerdict(msgspec.Struct, frozen=True):
    """What the service says to one report."""

    ok: bool
    state: str | None = None
    signal: str | None = None
    problem: ApiProblem | None = None


class ReportVerdicts(msgspec.Struct, frozen=True):
    """What the service says to a letter, in the letter's order."""

    results: tuple[ReportVerdict, ...]


class CampaignStatus(msgspec.Struct, frozen=True):
    """The two fields of the campaign view that a worker reads."""

    state: str
    outcome: str | None = None
