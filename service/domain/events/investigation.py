"""Events of investigations: somebody looks into why a unit was quarantined.

An investigation is named by `i` and the position of its request in hexadecimal; `duration` is the time since its claim, or
since its request when nobody had claimed it.
"""

from datetime import datetime

from service.domain import ids
from service.domain.events.event import Event, Wakes


class InvestigationRequested(Event, frozen=True):
    """A quarantined unit shall be looked into; what its last attempt left behind is here, its screen by name."""

    kind = "investigation.requested"
    wakes = Wakes.CLAIMS
    reason: ids.QuarantineReason
    attempts: int
    error: str | None
    exit_code: int | None
    screen_id: str | None


class InvestigationClaimed(Event, frozen=True):
    """A worker looks into it until *until* at the latest; *waited* is the time since the request."""

    kind = "investigation.claimed"
    wakes = Wakes.NOTHING
    investigation: ids.InvestigationId
    token: ids.Token
    until: datetime
    waited: float


class InvestigationProduced(Event, frozen=True):
    """The cause was found, and *fix_unit* shall mend it."""

    kind = "investigation.produced"
    wakes = Wakes.NOTHING
    investigation: ids.InvestigationId
    fix_unit: ids.UnitKey
    root_cause: str | None
    duration: float


class InvestigationEmpty(Event, frozen=True):
    """The investigation ended without a fix."""

    kind = "investigation.empty"
    wakes = Wakes.NOTHING
    investigation: ids.InvestigationId
    root_cause: str | None
    why: ids.Emptiness
    duration: float


class InvestigationSkipped(Event, frozen=True):
    """The investigation is not needed, or no longer; without *investigation* none was requested."""

    kind = "investigation.skipped"
    wakes = Wakes.NOTHING
    investigation: ids.InvestigationId | None
    why: ids.Omission
