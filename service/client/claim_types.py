"""What a worker and the service send each other: claims, and the reports on them."""

from datetime import datetime

from msgspec import Struct

from service.client.errors import ApiProblem


class GrantedClaim(Struct, frozen=True):
    """One unit that this worker holds under a token until the lease ends."""

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
        """Name the unit as console and logs print it."""
        return f"{self.campaign}/{self.key}"


class ClaimRequest(Struct, frozen=True):
    """A request for units. Repeated unchanged under one idempotency key it is the same request."""

    worker: str
    campaigns: tuple[str, ...]
    max: int
    labels: dict[str, str]
    wait_s: float


class ClaimBlocked(Struct, frozen=True):
    """Why a campaign granted nothing."""

    campaign: str
    reason: str


class ClaimAnswer(Struct, frozen=True):
    """The answer to a `ClaimRequest`."""

    claims: tuple[GrantedClaim, ...] = ()
    blocked: tuple[ClaimBlocked, ...] = ()
    position: int = 0

    @property
    def dismissed(self) -> bool:
        """Say whether this worker gets no units because it is draining or fenced."""
        return any(blocked.reason == "worker" for blocked in self.blocked)


class HeartbeatReport(Struct, frozen=True, omit_defaults=True, tag="heartbeat"):
    """The command of the unit still runs."""

    token: str
    alive: bool | None = None
    output_at: datetime | None = None
    screen: str | None = None


class CompletionReport(Struct, frozen=True, tag="completed"):
    """The command of the unit ended with exit code 0."""

    token: str
    exit_code: int


class FailureReport(Struct, frozen=True, omit_defaults=True, tag="failed"):
    """The command of the unit could not be started, or ended with another exit code than 0."""

    token: str
    reason: str
    error: str
    exit_code: int | None = None
    signal: str | None = None
    screen: str | None = None


class ReleaseReport(Struct, frozen=True, tag="released"):
    """The worker gives the unit back; nothing failed."""

    token: str
    reason: str


class WorkerReport(Struct, frozen=True, omit_defaults=True, tag="worker"):
    """The worker is alive, or says goodbye."""

    alive: bool
    capacity: int | None = None
    labels: dict[str, str] | None = None
    version: str | None = None


Outcome = CompletionReport | FailureReport | ReleaseReport
Report = HeartbeatReport | CompletionReport | FailureReport | ReleaseReport | WorkerReport


class ReportVerdict(Struct, frozen=True):
    """What the service answers to one report."""

    ok: bool
    state: str | None = None
    signal: str | None = None
    problem: ApiProblem | None = None


class ReportVerdicts(Struct, frozen=True):
    """What the service answers to a batch of reports, in the order of the batch."""

    results: tuple[ReportVerdict, ...]
