"""Events of recoveries: what to do with a campaign whose workers all went while the service was away.

A recovery is named by `r` and the position of its detection in hexadecimal.
"""

from service.domain import ids
from service.domain.events.event import Event, Wakes


class RecoveryDetected(Event, frozen=True):
    """Every claim of the campaign is dead: *resumable* are its units, *preserved* counts what is done and stays done.

    *last_position* is where the campaign's last fact stands.
    """

    kind = "recovery.detected"
    wakes = Wakes.NOTHING
    resumable: tuple[ids.UnitKey, ...]
    preserved: int
    last_position: int


class RecoveryApplied(Event, frozen=True):
    """Somebody wants the campaign to go on: *units* are taken from dead claims, neutrally."""

    kind = "recovery.applied"
    wakes = Wakes.NOTHING
    recovery: ids.RecoveryId
    units: tuple[ids.UnitKey, ...]
    by: str


class RecoveryDeclined(Event, frozen=True):
    """Somebody wants the campaign to end."""

    kind = "recovery.declined"
    wakes = Wakes.NOTHING
    recovery: ids.RecoveryId
    by: str


class RecoveryClosed(Event, frozen=True):
    """Nobody decided in time: every unit of the plan has moved on by itself."""

    kind = "recovery.closed"
    wakes = Wakes.SCHEDULER
    recovery: ids.RecoveryId
