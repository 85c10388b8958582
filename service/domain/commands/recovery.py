"""Orders about investigations, recoveries and diagnostics."""

from datetime import datetime

from msgspec import Raw, Struct

from service.domain import ids
from service.domain.commands.command import Command


class Fix(Struct, frozen=True):
    """The unit that shall mend another; *key* is only what its sender believes it to be."""

    key: ids.UnitKey | None = None
    payload: Raw = Raw(b"null")


class ConcludeInvestigation(Command, frozen=True):
    """Somebody looked: the cause, and the unit that mends it if there is one."""

    id: ids.InvestigationId
    fix: Fix | None = None
    root_cause: str | None = None


class EndInvestigations(Command, frozen=True):
    """End those among *ids* whose time is over, or whose campaign is cancelled."""

    ids: tuple[ids.InvestigationId, ...]


class DetectRecovery(Command, frozen=True):
    """Make a plan for *campaign* if all its claims died while nobody could be heard, before *heard_since*."""

    campaign: ids.CampaignName
    last_position: int
    heard_since: datetime


class RecoveryCommand(Command, frozen=True):
    """A person's decision on a plan."""

    id: ids.RecoveryId


class ApplyRecovery(RecoveryCommand, frozen=True):
    """Let the campaign go on: take its units from dead claims, neutrally."""


class DeclineRecovery(RecoveryCommand, frozen=True):
    """Let the campaign end."""


class CloseRecoveries(Command, frozen=True):
    """Close the plans among *ids* that nobody need decide any more; since *heard_since*, a person could have."""

    ids: tuple[ids.RecoveryId, ...]
    heard_since: datetime


class ExportDiagnostic(Command, frozen=True):
    """Note that somebody takes a bundle with that digest; twice within a minute only with *force*."""

    campaign: ids.CampaignName
    sha256: str
    force: bool = False
