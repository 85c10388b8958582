"""An investigation: a worker looks into a quarantined unit, and may leave one new unit that fixes it."""

from datetime import datetime, timedelta

from msgspec import Struct

from service.domain import ids

LEASE = timedelta(minutes=30)
"""How long one investigation may take; nothing renews it."""
SCREEN_BYTES = 16 * 1024


class Investigation(Struct, kw_only=True):
    """One investigation; only `evolve` writes it. *position* is that of its request, or of its omission."""

    id: ids.InvestigationId
    campaign: ids.CampaignName
    unit: ids.UnitKey
    position: int
    state: ids.InvestigationState
    reason: ids.QuarantineReason | None = None
    attempts: int = 0
    error: str | None = None
    exit_code: int | None = None
    screen_id: str | None = None
    requested_at: datetime
    token: ids.Token | None = None
    worker: ids.WorkerId | None = None
    claimed_at: datetime | None = None
    until: datetime | None = None
    ended_at: datetime | None = None
    fix_unit: ids.UnitKey | None = None
    root_cause: str | None = None
    why: str | None = None

    @property
    def open(self) -> bool:
        """Whether it has not ended yet."""
        return self.state in ("requested", "claimed")

    def overdue(self, at: datetime) -> bool:
        """Tell whether its time is over."""
        return self.state == "claimed" and self.until is not None and self.until <= at

    def lasted(self, at: datetime) -> float:
        """Return the seconds since its claim, or since its request when nobody claimed it."""
        return max((at - (self.claimed_at or self.requested_at)).total_seconds(), 0.0)


def investigation_id(position: int) -> ids.InvestigationId:
    """Return the name of the investigation that was requested at *position*.

    >>> investigation_id(255)
    'iff'
    """
    return ids.InvestigationId(f"i{position:x}")


def fix_key(key: ids.UnitKey) -> ids.UnitKey:
    """Return the key of the one unit that may fix the unit *key*."""
    return ids.UnitKey(f"{key}.fix")
