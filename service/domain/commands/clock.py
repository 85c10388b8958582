"""What passing time orders, through the watcher; what the service notes of itself."""

from datetime import datetime

from service.domain import ids
from service.domain.commands.command import Command


class ExpireLeases(Command, frozen=True):
    """Take back the claims among *tokens* that lapsed; none is judged before a full lease since *heard_since*.

    One that an open plan is about is left to the plan; so it is with those that are revoked.
    """

    tokens: tuple[ids.Token, ...]
    heard_since: datetime


class RevokeClaims(Command, frozen=True):
    """Take back the claims among *tokens* whose watchdog or dead worker says so.

    Of a worker that was not heard since *heard_since*, none before it is dead by that silence alone.
    """

    tokens: tuple[ids.Token, ...]
    heard_since: datetime
    tick_s: float


class ReleaseRetries(Command, frozen=True):
    """Make the rested units of a campaign ready."""

    campaign: ids.CampaignName
    keys: tuple[ids.UnitKey, ...]


class ResumeParked(Command, frozen=True):
    """Make the parked units of a campaign ready whose time has come, or whose quota's gate has opened again."""

    campaign: ids.CampaignName
    keys: tuple[ids.UnitKey, ...]


class FanOutUnits(Command, frozen=True):
    """Let the next of many dependents know what became of *units*."""

    units: tuple[tuple[ids.CampaignName, ids.UnitKey], ...]


class JudgeWorkers(Command, frozen=True):
    """Note whose heartbeat level changed; workers silent for *retire_s* beyond dead and without claims are gone."""

    workers: tuple[ids.WorkerId, ...]
    heard_since: datetime
    retire_s: float


class OpenGates(Command, frozen=True):
    """Open the gates among *quotas* whose time has come."""

    quotas: tuple[ids.QuotaKey, ...]


class NoteSwap(Command, frozen=True):
    """Note that a rebuild is put in place, which series of which families are smaller in it, and what it mends of the state."""

    generation: int
    families: dict[str, tuple[tuple[str, ...], ...]]
    mended: str | None = None


class ElectLeader(Command, frozen=True):
    """Note which replica leads."""

    replica: str
