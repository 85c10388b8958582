"""Events of campaigns and their breakers."""

from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

from service.domain import ids
from service.domain.events.event import Event, Wakes
from service.domain.policy import Policy


class CampaignCreated(Event, frozen=True):
    """A campaign exists; its policy is complete."""

    kind = "campaign.created"
    wakes = Wakes.CLAIMS
    name: ids.CampaignName
    title: str
    policy: Policy
    labels: dict[str, str]
    auto: bool
    quota: ids.QuotaKey | None
    brief: str | None
    brief_rev: int
    deadline: datetime | None


class Change(Struct, frozen=True):
    """One edited field, before and after."""

    old: Any
    new: Any


class CampaignEdited(Event, frozen=True):
    """Fields of a campaign changed; every change holds old and new."""

    kind = "campaign.edited"
    wakes = Wakes.CLAIMS
    changes: dict[str, Change]
    brief_rev: int


class CampaignPaused(Event, frozen=True):
    """No new automatic claim; running work goes on."""

    kind = "campaign.paused"
    wakes = Wakes.NOTHING
    reason: str | None
    by: str


class CampaignResumed(Event, frozen=True):
    """Automatic claims are handed out again."""

    kind = "campaign.resumed"
    wakes = Wakes.CLAIMS
    reason: str | None
    by: str


class BreakerTripped(Event, frozen=True):
    """Too many failures in a row; *failures* are their positions."""

    kind = "campaign.breaker_tripped"
    wakes = Wakes.NOTHING
    failures: tuple[int, ...]
    threshold: int


class BreakerReset(Event, frozen=True):
    """The breaker counts from zero again."""

    kind = "campaign.breaker_reset"
    wakes = Wakes.CLAIMS
    cause: Literal["reset", "manual_success"]
    by: str
    reason: str | None


class CampaignCompleted(Event, frozen=True):
    """Nothing is left to do; *units* counts them by state."""

    kind = "campaign.completed"
    wakes = Wakes.NOTHING
    outcome: ids.Outcome
    units: dict[str, int]
    duration: float


class CampaignReopened(Event, frozen=True):
    """A completed campaign has work again."""

    kind = "campaign.reopened"
    wakes = Wakes.NOTHING
    cause: Literal["units_added", "retry"]


class CampaignCancelled(Event, frozen=True, omit_defaults=True):
    """No unit of it will be run again; *duration* is the time since it began, if it has."""

    kind = "campaign.cancelled"
    wakes = Wakes.CLAIMS
    reason: str | None
    by: str
    duration: float | None = None
