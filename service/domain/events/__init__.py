"""Every event: the facts that the log holds. A field never changes its meaning; former kinds are read by `store/log/codec.py`.

Durations (`duration`, `age`, `waited`) are seconds; `*_ms` are milliseconds. `was` is the state that the unit left, so that a
fold of counts needs nothing but the event; `in_rounds` says that a fan-out carries the event to its dependents. The subject
(campaign, unit, worker) is in the envelope, not here.
"""

from collections.abc import Iterable

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
from service.domain.events.event import Event, Fact, Recorded, Wakes
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


def declared(kinds: Iterable[type[Event]]) -> tuple[type[Event], ...]:
    """Return events by the order of their kinds, once each says what it is called and whom it wakes.

    Raises:
        TypeError: for an event that forgot one of the two; without its wake-up, claims and due work would wait for a poll.

    """
    found = tuple(kinds)
    for event in found:
        missing = [name for name in ("kind", "wakes") if name not in vars(event)]
        if missing:
            raise TypeError(f"{event.__name__} does not say its {' and '.join(missing)}")
    return tuple(sorted(found, key=lambda event: event.kind))


EVENTS: tuple[type[Event], ...] = declared(Event.__subclasses__())
KINDS: dict[str, type[Event]] = {event.kind: event for event in EVENTS}
OPENINGS: frozenset[type[Event]] = frozenset(event for event in EVENTS if Wakes.CLAIMS in event.wakes)
"""What may make work claimable."""
DEADLINES: frozenset[type[Event]] = frozenset(event for event in EVENTS if Wakes.SCHEDULER in event.wakes)
"""What may be due sooner than anything before."""


def begins_rounds(body: Event) -> bool:
    """Tell whether *body* begins a fan-out: the scheduler carries it to the dependents of the unit in rounds."""
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
    "Wakes",
    "WorkerDeregistered",
    "WorkerDraining",
    "WorkerFenced",
    "WorkerHeartbeat",
    "WorkerRegistered",
    "begins_rounds",
    "declared",
]
