"""A model of the log for tests: one record for each unit and each campaign, independent of the core."""

from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import datetime
from typing import Any

from msgspec import Struct, field

from service.domain import events as e
from service.domain.policy import Policy

OPEN = ("blocked", "ready", "delayed", "parked", "running")
CLOSED = ("quarantined", "skipped", "cancelled")
WAITING = ("ready", "delayed", "parked", "running")
"""States in which a unit holds later groups back."""


class UnitModel(Struct):
    """What the log says of one unit; *campaign* counts its state."""

    campaign: "CampaignModel"
    group: int
    parents: tuple[str, ...]
    state: str = ""
    attempts: int = 0
    claims: int = 0
    fence: int = 0
    token: str | None = None
    held: bool = False
    given_up: bool = False
    run_without: bool = False

    def become(self, state: str) -> None:
        """Count the unit out of its state and into another."""
        for one, change in (self.state, -1), (state, +1):
            self.campaign.states[one] += change
            self.campaign.waiting[self.group] += change * (one in WAITING)
        self.state = state

    def give_up(self) -> None:
        """Let dependents run without this unit, where the policy says so now."""
        self.given_up = self.given_up or (
            self.campaign.policy.on_dependency_failure == "run" and self.campaign.ended != "cancelled"
        )
        self.run_without = self.run_without or self.given_up


class CampaignModel(Struct):
    """What the log says of one campaign; *waiting* counts by group the units that hold later ones back.

    *asked* are the units of an open plan of which nothing was heard since.
    """

    policy: Policy
    auto: bool
    quota: str | None
    units: dict[str, UnitModel] = field(default_factory=dict)
    states: Counter[str] = field(default_factory=Counter)
    waiting: Counter[int] = field(default_factory=Counter)
    paused: bool = False
    ended: str | None = None
    failures: list[int] = field(default_factory=list)
    tripped: bool = False
    asked: set[str] = field(default_factory=set)

    def count(self, *states: str) -> int:
        """Count units in *states*."""
        return sum(self.states[state] for state in states)


class LogModel:
    """All campaigns, the engine, the gates and the levels, event by event."""

    def __init__(self, takers: "Takers") -> None:
        self.takers = takers
        self.position = 0
        self.at: datetime | None = None
        self.campaigns: dict[str, CampaignModel] = {}
        self.tokens: dict[str, tuple[str, str]] = {}
        self.pool = 1000
        self.engine_paused = False
        self.shut: set[str] = set()
        self.levels: dict[str, str] = defaultdict(lambda: "healthy")
        self.unfit: set[str] = set()

    @property
    def in_use(self) -> int:
        """The slots in use."""
        return sum(campaign.count("running") for campaign in self.campaigns.values())

    def take(self, event: e.Recorded) -> None:
        """Check one event and count it."""
        self.position += 1
        assert event.position == self.position, "positions have no holes"
        assert self.at is None or event.at >= self.at, "time does not go back"
        self.at = event.at
        taker = self.takers.get(type(event.body))
        if taker is not None:
            taker(self, event, event.body)

    def campaign(self, event: e.Recorded) -> CampaignModel:
        """Return the campaign of *event*."""
        assert event.campaign is not None
        return self.campaigns[event.campaign]

    def unit(self, event: e.Recorded) -> UnitModel:
        """Return the unit of *event*."""
        assert event.unit is not None
        return self.campaign(event).units[event.unit]


def waited_for(campaign: CampaignModel, key: str) -> bool:
    """Tell whether somebody who depends on *key* waits for it."""
    parent = campaign.units[key]
    return parent.state != "done" and not parent.given_up


Takers = dict[type[e.Event], Callable[[LogModel, e.Recorded, Any], None]]
