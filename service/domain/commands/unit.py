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
    """Send a quarantined or resting unit back to work now."""


class ParkUnit(UnitCommand, frozen=True):
    """Set the unit aside until *resume_at*."""

    resume_at: datetime | None = None


class UnparkUnit(UnitCommand, frozen=True):
    """End the pause now."""


class QuarantineUnit(UnitCommand, frozen=True):
    """Take the unit out until somebody retries it."""


class CancelUnit(UnitCommand, frozen=True):
    """Nobody shall run the unit."""


class StopUnit(UnitCommand, frozen=True):
    """Take the unit back from its worker, neutrally."""
