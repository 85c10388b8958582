"""A recovery: the plan for a campaign whose workers all went while the service was away."""

from datetime import datetime, timedelta

from msgspec import Struct

from service.domain import ids
from service.domain.policy import Policy
from service.domain.unit import Claim


class Recovery(Struct, kw_only=True):
    """One plan; only `evolve` writes it. *resumable* are the units that dead claims held when it was made."""

    id: ids.RecoveryId
    campaign: ids.CampaignName
    resumable: list[ids.UnitKey]
    preserved: int
    last_position: int
    state: ids.RecoveryState
    detected_at: datetime
    ended_at: datetime | None = None
    by: str | None = None

    @property
    def open(self) -> bool:
        """Whether somebody may still decide."""
        return self.state == "open"


def named(position: int) -> ids.RecoveryId:
    """Return the name of the plan that was made at *position*.

    >>> named(255)
    'rff'
    """
    return ids.RecoveryId(f"r{position:x}")


def abandoned(claim: Claim, policy: Policy, at: datetime, heard_since: datetime) -> bool:
    """Tell whether *claim* died while nobody could be heard, and is not yet taken back.

    A worker that lives gets the time of a warning, or half a lease if that is less, to be heard again.
    """
    silent = claim.lease_until <= at and claim.beat_at < heard_since
    patience = min(claim.lease_s / 2, policy.heartbeat.warn_s)
    return silent and heard_since + timedelta(seconds=patience) <= at < heard_since + timedelta(seconds=claim.lease_s)
