"""A campaign, its counts by state and by group: their rows, as decisions read them."""

from datetime import datetime

import msgspec
from msgspec import Struct

from service.domain import ids
from service.domain.policy import Policy


class Counts(Struct, gc=False):
    """How many units are in each state."""

    blocked: int = 0
    ready: int = 0
    delayed: int = 0
    parked: int = 0
    running: int = 0
    done: int = 0
    quarantined: int = 0
    skipped: int = 0
    cancelled: int = 0

    @property
    def total(self) -> int:
        """All units."""
        return self.open + self.done + self.quarantined + self.skipped + self.cancelled

    @property
    def open(self) -> int:
        """Units that still have to end."""
        return self.blocked + self.ready + self.delayed + self.parked + self.running

    def move(self, old: ids.UnitState | None, new: ids.UnitState) -> None:
        """Count one unit out of *old* (None: it is new) and into *new*."""
        if old is not None:
            setattr(self, old, getattr(self, old) - 1)
        setattr(self, new, getattr(self, new) + 1)


class GroupCounts(Struct, gc=False):
    """A group of a campaign: *ready* units wait for a worker; *held* ones do not, and still hold later groups back."""

    campaign: ids.CampaignName
    group: int
    ready: int = 0
    held: int = 0


class Campaign(Struct):
    """One campaign; only `evolve` writes it. Its fields stand in the order in which the store reads them.

    *failures* are the positions of its consecutive failures, newest last; *open_fanouts* counts its units whose end has not yet
    reached all that depend on them.
    """

    name: ids.CampaignName
    title: str
    policy: Policy
    labels: dict[str, str]
    auto: bool
    quota: ids.QuotaKey | None
    brief: str | None
    brief_rev: int
    deadline: datetime | None
    version: int
    created_at: datetime
    started_at: datetime | None = None
    completed_at: datetime | None = None
    cancelled_at: datetime | None = None
    outcome: ids.Outcome | None = None
    paused_at: datetime | None = None
    paused_by: str | None = None
    paused_reason: str | None = None
    consecutive: int = 0
    failures: list[int] = msgspec.field(default_factory=list)
    tripped: int | None = None
    last_claim: int = 0
    exported_at: datetime | None = None
    open_fanouts: int = 0
    counts: Counts = msgspec.field(default_factory=Counts)

    @property
    def state(self) -> ids.CampaignState:
        """The one word for what it does."""
        if self.cancelled_at is not None:
            return "cancelled"
        if self.completed_at is not None:
            return "completed"
        return "running" if self.paused_at is None else "paused"

    @property
    def over(self) -> bool:
        """Whether it has ended (a completed one may be reopened)."""
        return self.cancelled_at is not None or self.completed_at is not None
