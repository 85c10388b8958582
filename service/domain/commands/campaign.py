"""Orders about campaigns and their imports."""

from datetime import datetime
from typing import Any

from msgspec import Raw, Struct, field

from service.domain import ids
from service.domain.commands.command import Command


class UnitSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """One unit of an import as the client sends it."""

    key: ids.UnitKey
    payload: Raw = Raw(b"null")
    group: int = ids.DEFAULT_GROUP
    priority: int = 0
    depends_on: tuple[ids.UnitKey, ...] = ()
    estimate_s: float | None = None


class CreateCampaign(Command, frozen=True):
    """Create a campaign; *policy* is a partial document, merged over the defaults."""

    name: ids.CampaignName
    title: str | None = None
    policy: dict[str, Any] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    auto: bool = True
    quota: ids.QuotaKey | None = None
    brief: str | None = None
    deadline: datetime | None = None
    units: tuple[UnitSpec, ...] = ()


class EditCampaign(Command, frozen=True):
    """Change the fields of *patch*; with *if_match*, only at that version."""

    name: ids.CampaignName
    patch: dict[str, Any]
    if_match: int | None = None


class PauseCampaign(Command, frozen=True):
    """Stop new automatic claims."""

    name: ids.CampaignName
    reason: str | None = None


class ResumeCampaign(Command, frozen=True):
    """Allow automatic claims again."""

    name: ids.CampaignName
    reason: str | None = None


class CancelCampaign(Command, frozen=True):
    """End the campaign, and cancel its units that are not final."""

    name: ids.CampaignName
    reason: str | None = None


class CancelRest(Command, frozen=True):
    """Cancel the next open units of a campaign that was cancelled before."""

    name: ids.CampaignName
    keys: tuple[ids.UnitKey, ...]


class ResetBreaker(Command, frozen=True):
    """Re-arm the breaker, and count failures from zero."""

    name: ids.CampaignName
    reason: str | None = None


class AddUnits(Command, frozen=True):
    """Import units, an upsert by key."""

    campaign: ids.CampaignName
    units: tuple[UnitSpec, ...]


class ClearQuarantine(Command, frozen=True):
    """Send the quarantined units *keys* back to work under one *bulk_id*."""

    campaign: ids.CampaignName
    keys: tuple[ids.UnitKey, ...]
    bulk_id: str
    brief: str | None = None
    reason: str | None = None
