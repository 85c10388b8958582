"""Events of recoveries: what to do with a campaign whose claims all died while the service was away.

A recovery is named by `r` and the position of its detection in hexadecimal.
"""

from service.domain import ids
from service.domain.events.event import Event, Wakes


class RecoveryDetected(Event, frozen=True):
    """Every claim of the campaign is dead: *resumable* are its units, *preserved* counts what is done and stays done.

    *last_position* is the position of the last fact of the campaign.
    """

    kind = "recovery.detected"
    wakes = Wakes.NOTHING
    resumable: tuple[ids.UnitKey, ...]
    preserved: int
    last_position: int


class RecoveryApplied(Event, frozen=True):
    """A person resumes the campaign: *units* are taken back from dead claims, neutrally."""

    kind = "recovery.applied"
    wakes = Wakes.NOTHING
    recovery: ids.RecoveryId
    units: tuple[ids.UnitKey, ...]
    by: str


class RecoveryDeclined(Event, frozen=True):
    """A person ends the campaign."""

    kind = "recovery.declined"
    wakes = Wakes.NOTHING
    recovery: ids.RecoveryId
    by: str


class RecoveryClosed(Event, frozen=True):
    """The plan ended without a decision: a worker is back, nothing is left to decide, or ten minutes passed."""

    kind = "recovery.closed"
    wakes = Wakes.SCHEDULER
    recovery: ids.RecoveryId
