"""A recovery: the plan for a campaign whose claims all died while the service was away."""

from datetime import datetime, timedelta

from msgspec import Struct

from service.domain import ids
from service.domain.policy import Policy
from service.domain.unit import Claim

PATIENCE = timedelta(minutes=10)
"""How long a plan waits for a person; after that the policy of the campaign decides."""


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
        """Whether a person may still decide."""
        return self.state == "open"

    def about(self, claim: Claim) -> bool:
        """Tell whether *claim* belongs to the plan: it was there at the detection, and nothing was heard of it since."""
        return claim.campaign == self.campaign and claim.beat_at < self.detected_at

    def outlived(self, at: datetime, heard_since: datetime) -> bool:
        """Tell whether the plan has waited long enough; the time in which the service was away does not count."""
        return max(self.detected_at, heard_since) + PATIENCE <= at


def recovery_id(position: int) -> ids.RecoveryId:
    """Return the name of the plan that was made at *position*.

    >>> recovery_id(255)
    'rff'
    """
    return ids.RecoveryId(f"r{position:x}")


def abandoned(claim: Claim, policy: Policy, at: datetime, heard_since: datetime) -> bool:
    """Tell whether *claim* died while the service was away, before *heard_since*.

    After that a living worker has `warn_s`, or half a lease if that is shorter, to send its next heartbeat.
    """
    silent = claim.lease_until <= at and claim.beat_at < heard_since
    return silent and heard_since + timedelta(seconds=min(claim.lease_s / 2, policy.heartbeat.warn_s)) <= at
