"""Orders about recovery plans."""

from datetime import datetime

from service.domain import ids
from service.domain.commands.command import Command


class DetectRecovery(Command, frozen=True):
    """Make a plan for *campaign* if all its claims died while the service was away, before *heard_since*."""

    campaign: ids.CampaignName
    last_position: int
    heard_since: datetime


class RecoveryCommand(Command, frozen=True):
    """A person's decision on a plan."""

    id: ids.RecoveryId


class ApplyRecovery(RecoveryCommand, frozen=True):
    """Resume the campaign: take its units back from dead claims, neutrally."""


class DeclineRecovery(RecoveryCommand, frozen=True):
    """Cancel the campaign."""


class CloseRecoveries(Command, frozen=True):
    """Close the plans among *ids* that need no decision any more; a person could decide since *heard_since*."""

    ids: tuple[ids.RecoveryId, ...]
    heard_since: datetime
