"""The ledgers of all campaigns: how each event brings that of its campaign on, and what is written beside the cards."""

from collections.abc import Iterable, Mapping
from copy import copy
from datetime import datetime
from functools import partial
from typing import Protocol

from msgspec import Struct

from projections.views.campaign.card import CampaignCard
from projections.views.campaign.time_account import DEFAULT_GROUP, Cause
from projections.views.engine import EngineCard
from projections.views.measurement import microseconds
from projections.views.quota.card import QuotaCard
from projections.views.time_accounts.snapshot import EVERY, SURROUNDINGS, AccountSnapshot, account_snapshot
from projections.views.unit.transitions import TRANSITIONS, Transition
from projections.views.worker.card import WorkerCard
from service.domain import events as e
from service.domain import ids

MOST_GROUPED = 500_000
SECOND_US = 1_000_000

UnitId = tuple[ids.CampaignName, ids.UnitKey]


class DeadTime(Struct, frozen=True):
    """The time before an event in which a worker held a claim and was gone; *total_us* sums all of its campaign so far."""

    campaign: ids.CampaignName
    at_us: int
    position: int
    since_us: int
    total_us: int


class GroupMembership(Struct, frozen=True):
    """A unit that is in a group from an event on."""

    campaign: ids.CampaignName
    unit: ids.UnitKey
    position: int
    group: int


class SurroundingCards(Protocol):
    """The cards that a ledger looks at beside its own."""

    engine: EngineCard
    campaigns: dict[ids.CampaignName, CampaignCard]
    workers: dict[ids.WorkerId, WorkerCard]
    quotas: dict[ids.QuotaKey, QuotaCard]


class TimeAccounts:
    """What is in memory of ledgers beside the cards: the groups of units, and what is not written yet.

    Before a page is folded, what `unknown` names is brought from where it is stored, if it is there.
    """

    def __init__(self) -> None:
        self.groups: dict[UnitId, int] = {}
        self.marks: list[AccountSnapshot] = []
        self.silences: list[DeadTime] = []
        self.grouped: list[GroupMembership] = []
        self._at: datetime | None = None
        self._at_us = 0

    def unknown(self, events: Iterable[e.Recorded], campaigns: Mapping[ids.CampaignName, CampaignCard]) -> set[UnitId]:
        """Return the units whose group the fold of *events* asks for and that are not in memory."""
        divided = {name for name, card in campaigns.items() if card.ledger.groups}
        asked = {unit for event in events if event.campaign in divided for unit in units_to_place(event)} if divided else set()
        return asked - self.groups.keys()

    def take(self, card: CampaignCard, event: e.Recorded, step: Transition | None, around: SurroundingCards) -> None:
        """Bring the ledger of a campaign up to an event and the *step* that it is, before its card takes the event."""
        ledger, kind = card.ledger, type(event.body)
        ledger.facts += 1
        if ledger.facts > EVERY:
            self.mark(card, event.position - 1, around)
        self.pass_time(card, event.at, around)
        if step is not None:
            if kind is e.UnitReleased:
                self._released(card, event, around)
            if ledger.groups and event.unit is not None:
                ledger.move(self._group(card.name, event.unit), *step)
        elif kind is e.LeaseExpired or kind in IMPORTS:
            self._rare(card, event)

    def pass_time(self, card: CampaignCard, at: datetime, around: SurroundingCards) -> None:
        """Let time go by in a campaign."""
        if at != self._at:
            self._at, self._at_us = at, microseconds(at)
        if self._at_us > card.ledger.at_us:
            waiting = held_back(card, around) if card.counts.ready else None
            card.ledger.until(self._at_us, card.counts, waiting, ordered=card.policy.groups == "ordered")

    def begin(self, card: CampaignCard, event: e.Recorded, around: SurroundingCards) -> None:
        """Begin the ledger of a campaign."""
        card.ledger.at_us = microseconds(event.at)
        self.mark(card, event.position, around)

    def turn(self, event: e.Recorded, around: SurroundingCards) -> list[CampaignCard]:
        """Bring those ledgers up to an event that may hold back, or let go, what waits in many campaigns; return their cards."""
        body = event.body
        if not isinstance(body, SURROUNDINGS):
            return []
        gate = body.key if isinstance(body, e.QuotaGateClosed | e.QuotaGateOpened) else None
        waiting = [card for card in around.campaigns.values() if card.counts.ready or card.counts.delayed]
        concerned = [card for card in waiting if gate in (None, card.quota)]
        for card in concerned:
            self.pass_time(card, event.at, around)
        return concerned

    def mark(self, card: CampaignCard, position: int, around: SurroundingCards) -> None:
        """Mark where the ledger of a campaign stands."""
        card.ledger.facts = 0
        closed = sorted(key for key, quota in around.quotas.items() if quota.reason is not None)
        mark = account_snapshot(card, position, closed, engine_paused=around.engine.paused_at is not None)
        mark.ledger, mark.counts = mark.ledger.copy(), copy(mark.counts)
        self.marks.append(mark)

    def _released(self, card: CampaignCard, event: e.Recorded, around: SurroundingCards) -> None:
        """A claim ended neutrally; one of a silent worker was no work since that was heard last."""
        assert isinstance(event.body, e.UnitReleased)
        worker = around.workers.get(event.worker) if event.worker is not None else None
        if event.body.cause not in ("recovery", "fence") or worker is None or worker.level == "healthy":
            return
        holding = worker.claims.get(event.body.token)
        begun_at = event.at if holding is None else holding.claimed_at
        self._mourn(card, event, microseconds(max(worker.last_heartbeat_at, begun_at)))

    def _mourn(self, card: CampaignCard, event: e.Recorded, since_us: int) -> None:
        since_us = card.ledger.mourn(since_us)
        if since_us < card.ledger.at_us:
            self.silences.append(DeadTime(card.name, card.ledger.at_us, event.position, since_us, card.ledger.silent_us))

    def _rare(self, card: CampaignCard, event: e.Recorded) -> None:
        """A worker was silent, or units came or changed."""
        body, ledger = event.body, card.ledger
        if isinstance(body, e.UnitsAdded | e.UnitsUpdated):
            ledger.facts += len(body.units)
        if isinstance(body, e.LeaseExpired):
            self._mourn(card, event, ledger.at_us - round(body.age * SECOND_US))
        elif isinstance(body, e.UnitsAdded):
            if ledger.join(body, card.counts):
                for unit in body.units:
                    self._place(card.name, unit.key, unit.group, event.position)
        elif isinstance(body, e.UnitsUpdated):
            for key, group in ledger.regroup(body, card.counts, partial(self._group, card.name)):
                self._place(card.name, key, group, event.position)

    def _group(self, campaign: ids.CampaignName, unit: ids.UnitKey) -> int:
        return self.groups.get((campaign, unit), DEFAULT_GROUP)

    def _place(self, campaign: ids.CampaignName, unit: ids.UnitKey, group: int, position: int) -> None:
        """Note the group of a unit; who was never in another than the default one is not noted."""
        if self._group(campaign, unit) != group:
            self.grouped.append(GroupMembership(campaign, unit, position, group))
        self.groups[campaign, unit] = group

    def saved(self) -> None:
        """Forget what was written; when many groups are in memory, forget them all."""
        self.marks.clear()
        self.silences.clear()
        self.grouped.clear()
        if len(self.groups) > MOST_GROUPED:
            self.groups.clear()


IMPORTS = (e.UnitsAdded, e.UnitsUpdated)


def held_back(card: CampaignCard, around: SurroundingCards) -> Cause | None:
    """Return what holds back every ready unit of a campaign now."""
    if around.engine.paused_at is not None or card.paused_at is not None or not card.auto:
        return "paused"
    if card.tripped is not None:
        return "breaker"
    quota = around.quotas.get(card.quota) if card.quota is not None else None
    return None if quota is None or quota.reason is None else "quota"


def units_to_place(event: e.Recorded) -> Iterable[UnitId]:
    """Yield the units whose group the fold of *event* asks for."""
    if event.campaign is None:
        return
    if isinstance(event.body, e.UnitsUpdated):
        yield from ((event.campaign, patch.key) for patch in event.body.units if isinstance(patch.group, int))
    elif event.unit is not None and type(event.body) in TRANSITIONS:
        yield event.campaign, event.unit
