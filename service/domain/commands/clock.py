"""Orders of passing time, which the scheduler gives."""

from datetime import datetime

from service.domain import ids
from service.domain.commands.command import Command


class ExpireLeases(Command, frozen=True):
    """Take back the claims among *tokens* whose lease has expired, at the earliest a full lease after *heard_since*.

    Claims of an open recovery plan are left to the plan, here and in `RevokeClaims`.
    """

    tokens: tuple[ids.Token, ...]
    heard_since: datetime


class RevokeClaims(Command, frozen=True):
    """Take back the claims among *tokens* that a watchdog ends or whose worker is dead.

    The claims of a worker that was not heard since *heard_since* stay until it is dead by its silence after that instant alone.
    """

    tokens: tuple[ids.Token, ...]
    heard_since: datetime
    tick_s: float


class ReleaseRetries(Command, frozen=True):
    """Make the delayed units of a campaign ready whose retry is due."""

    campaign: ids.CampaignName
    keys: tuple[ids.UnitKey, ...]


class ResumeParked(Command, frozen=True):
    """Make the parked units of a campaign ready whose time has come, or whose quota's gate has opened again."""

    campaign: ids.CampaignName
    keys: tuple[ids.UnitKey, ...]


class FanOutUnits(Command, frozen=True):
    """Carry the end of *units*, or their return to work, on to their next dependents."""

    units: tuple[ids.UnitId, ...]


class JudgeWorkers(Command, frozen=True):
    """Record changes of heartbeat levels; a worker without claims that is silent for *retire_s* beyond dead is deregistered."""

    workers: tuple[ids.WorkerId, ...]
    heard_since: datetime
    retire_s: float


class OpenGates(Command, frozen=True):
    """Open the gates among *quotas* whose time has come."""

    quotas: tuple[ids.QuotaKey, ...]
