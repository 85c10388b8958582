"""Every event: the facts that the log holds. A kind is never renamed, a field never changes its meaning.

Durations (`duration`, `age`, `waited`) are seconds; `*_ms` are milliseconds. `was` is the state that the unit left, so that a
fold of counts needs nothing but the event; `in_rounds` says that its dependents learn of it in later rounds. What names the
subject (campaign, unit, worker) stands in the envelope, not here.
"""

from service.domain.events.campaign import (
    BreakerReset,
    BreakerTripped,
    CampaignCancelled,
    CampaignCompleted,
    CampaignCreated,
    CampaignEdited,
    CampaignPaused,
    CampaignReopened,
    CampaignResumed,
    Change,
)
from service.domain.events.engine import EnginePaused, EngineResized, EngineResumed, EngineSwept
from service.domain.events.envelope import Fact, Recorded
from service.domain.events.event import Event
from service.domain.events.investigation import (
    InvestigationClaimed,
    InvestigationEmpty,
    InvestigationProduced,
    InvestigationRequested,
    InvestigationSkipped,
)
from service.domain.events.operation import DiagnosticExported, LeaderElected, LogTrimmed, ProjectionSwapped
from service.domain.events.quota import (
    QuotaGateClosed,
    QuotaGateOpened,
    QuotaPolicy,
    QuotaPolicyChanged,
    QuotaRead,
    QuotaReadFailed,
)
from service.domain.events.recovery import RecoveryApplied, RecoveryClosed, RecoveryDeclined, RecoveryDetected
from service.domain.events.unit import (
    AttemptFailed,
    LateResult,
    LeaseExpired,
    NewUnit,
    QuarantineCleared,
    RetryDue,
    RetryScheduled,
    UnitCancelled,
    UnitClaimed,
    UnitCompleted,
    UnitFanout,
    UnitHeartbeat,
    UnitParked,
    UnitPatch,
    UnitQuarantined,
    UnitReleased,
    UnitsAdded,
    UnitSkipped,
    UnitsUpdated,
    UnitUnblocked,
    UnitUnparked,
    UnitUnskipped,
)
from service.domain.events.worker import (
    LevelChanged,
    WorkerDeregistered,
    WorkerDraining,
    WorkerFenced,
    WorkerHeartbeat,
    WorkerRegistered,
)

EVENTS: tuple[type[Event], ...] = tuple(
    sorted(Event.__subclasses__(), key=lambda event: event.kind),
)
KINDS: dict[str, type[Event]] = {event.kind: event for event in EVENTS}
OPENINGS: frozenset[type[Event]] = frozenset(
    {
        AttemptFailed,
        BreakerReset,
        CampaignCancelled,
        CampaignCreated,
        CampaignEdited,
        CampaignResumed,
        EngineResized,
        EngineResumed,
        EngineSwept,
        InvestigationRequested,
        QuarantineCleared,
        QuotaGateOpened,
        QuotaPolicyChanged,
        QuotaRead,
        RetryDue,
        UnitCancelled,
        UnitCompleted,
        UnitParked,
        UnitQuarantined,
        UnitReleased,
        UnitUnblocked,
        UnitUnparked,
        UnitUnskipped,
        UnitsAdded,
        WorkerRegistered,
    }
)
"""What may make work claimable: something became ready, a slot or a group became free, a switch or a gate opened."""

DEADLINES: frozenset[type[Event]] = frozenset(
    {EngineSwept, QuotaGateClosed, QuotaGateOpened, RecoveryClosed, RetryScheduled, UnitParked, UnitFanout}
)
"""What may be due sooner than anything before."""


def begins_rounds(body: Event) -> bool:
    """Tell whether dependents of the unit have yet to learn of *body*."""
    return getattr(body, "in_rounds", False)


HEARTBEATS: tuple[type[Event], ...] = (UnitHeartbeat, WorkerHeartbeat)

__all__ = [
    "DEADLINES",
    "EVENTS",
    "HEARTBEATS",
    "KINDS",
    "OPENINGS",
    "AttemptFailed",
    "BreakerReset",
    "BreakerTripped",
    "CampaignCancelled",
    "CampaignCompleted",
    "CampaignCreated",
    "CampaignEdited",
    "CampaignPaused",
    "CampaignReopened",
    "CampaignResumed",
    "Change",
    "DiagnosticExported",
    "EnginePaused",
    "EngineResized",
    "EngineResumed",
    "EngineSwept",
    "Event",
    "Fact",
    "InvestigationClaimed",
    "InvestigationEmpty",
    "InvestigationProduced",
    "InvestigationRequested",
    "InvestigationSkipped",
    "LateResult",
    "LeaderElected",
    "LeaseExpired",
    "LevelChanged",
    "LogTrimmed",
    "NewUnit",
    "ProjectionSwapped",
    "QuarantineCleared",
    "QuotaGateClosed",
    "QuotaGateOpened",
    "QuotaPolicy",
    "QuotaPolicyChanged",
    "QuotaRead",
    "QuotaReadFailed",
    "Recorded",
    "RecoveryApplied",
    "RecoveryClosed",
    "RecoveryDeclined",
    "RecoveryDetected",
    "RetryDue",
    "RetryScheduled",
    "UnitCancelled",
    "UnitClaimed",
    "UnitCompleted",
    "UnitFanout",
    "UnitHeartbeat",
    "UnitParked",
    "UnitPatch",
    "UnitQuarantined",
    "UnitReleased",
    "UnitSkipped",
    "UnitUnblocked",
    "UnitUnparked",
    "UnitUnskipped",
    "UnitsAdded",
    "UnitsUpdated",
    "WorkerDeregistered",
    "WorkerDraining",
    "WorkerFenced",
    "WorkerHeartbeat",
    "WorkerRegistered",
    "begins_rounds",
]
