"""Orders of a person about one unit."""

from datetime import datetime

from service.domain import ids
from service.domain.commands.command import Command


class UnitCommand(Command, frozen=True):
    """An order about one unit."""

    campaign: ids.CampaignName
    key: ids.UnitKey
    reason: str | None = None


class RetryUnit(UnitCommand, frozen=True):
    """Make a quarantined or delayed unit ready now."""


class ParkUnit(UnitCommand, frozen=True):
    """Park the unit until *resume_at*, or for *resume_after_s*."""

    resume_at: datetime | None = None
    resume_after_s: float | None = None


class UnparkUnit(UnitCommand, frozen=True):
    """Make the parked unit ready now."""


class QuarantineUnit(UnitCommand, frozen=True):
    """Set the unit aside until somebody retries it."""


class CancelUnit(UnitCommand, frozen=True):
    """End the unit; nobody runs it any more."""


class StopUnit(UnitCommand, frozen=True):
    """Take the unit back from its worker, neutrally."""
