"""The time accounts of all campaigns: how each event advances them, and the rows that are stored beside the cards."""

from collections.abc import Iterable, Mapping
from copy import copy
from datetime import datetime
from functools import partial

from msgspec import Struct

from projections.views.campaign.card import CampaignCard
from projections.views.campaign.time_account import Cause
from projections.views.measurement import microseconds
from projections.views.time_accounts.snapshot import SURROUNDINGS, AccountSnapshot, account_snapshot
from projections.views.unit.transitions import TRANSITIONS, Transition
from projections.views.worker.card import WorkerCard
from service.domain import events as e
from service.domain import ids

MAX_CACHED_GROUPS = 500_000
SECOND_US = 1_000_000


class DeadTime(Struct, frozen=True):
    """The time before an event in which a dead worker held a claim; *total_us* is the sum for its campaign so far."""

    campaign: ids.CampaignName
    at_us: int
    position: int
    since_us: int
    total_us: int


class GroupMembership(Struct, frozen=True):
    """A unit that is in a group from the event at *position* on."""

    campaign: ids.CampaignName
    unit: ids.UnitKey
    position: int
    group: int


class TimeAccounts:
    """What time accounts keep in memory beside the cards: the groups of units, and rows that are not stored yet.

    Before a page is folded, the groups of the units that `units_to_load` names are loaded.
    """

    def __init__(self) -> None:
        self.groups: dict[ids.UnitId, int] = {}
        self.snapshots: list[AccountSnapshot] = []
        self.dead_times: list[DeadTime] = []
        self.memberships: list[GroupMembership] = []
        self._at: datetime | None = None
        self._at_us = 0

    def units_to_load(self, events: Iterable[e.Recorded], campaigns: Mapping[ids.CampaignName, CampaignCard]) -> set[ids.UnitId]:
        """Return the units whose group the fold of *events* needs and that is not in memory."""
        divided = {name for name, card in campaigns.items() if card.time_account.groups}
        needed = {unit for event in events if event.campaign in divided for unit in units_with_group(event)} if divided else set()
        return needed - self.groups.keys()

    def advance(self, card: CampaignCard, at: datetime, waiting: Cause | None) -> None:
        """Book the time of a campaign up to *at*; *waiting* is what holds back its ready units."""
        # Many events share one instant: converting it once for all of them is cheaper.
        if at != self._at:
            self._at, self._at_us = at, microseconds(at)
        if self._at_us > card.time_account.at_us:
            card.time_account.advance(self._at_us, card.counts, waiting, ordered=card.policy.groups == "ordered")

    def fold(
        self,
        card: CampaignCard,
        event: e.Recorded,
        transition: Transition | None,
        waiting: Cause | None,
        worker: WorkerCard | None,
    ) -> None:
        """Fold an event into the account of a campaign, before its card changes; *worker* is that of a released claim."""
        account, kind = card.time_account, type(event.body)
        self.advance(card, event.at, waiting)
        if transition is not None:
            if kind is e.UnitReleased and worker is not None:
                self._released(card, event, worker)
            if account.groups and event.unit is not None:
                account.move(self._group(card.name, event.unit), *transition)
        elif kind is e.LeaseExpired or kind in IMPORTS:
            self._rare(card, event)

    def add_snapshot(self, card: CampaignCard, position: int, closed_quotas: list[ids.QuotaKey], *, engine_paused: bool) -> None:
        """Note the account of a campaign after the event at *position*."""
        card.time_account.since_snapshot = 0
        snapshot = account_snapshot(card, position, closed_quotas, engine_paused=engine_paused)
        snapshot.account, snapshot.counts = snapshot.account.copy(), copy(snapshot.counts)
        self.snapshots.append(snapshot)

    def _released(self, card: CampaignCard, event: e.Recorded, worker: WorkerCard) -> None:
        """A claim ended neutrally; if its worker was silent, the time since its last heartbeat was no work."""
        assert isinstance(event.body, e.UnitReleased)
        if event.body.cause not in ("recovery", "fence") or worker.level == "healthy":
            return
        holding = worker.claims.get(event.body.token)
        claimed_at = event.at if holding is None else holding.claimed_at
        self._count_silence(card, event, microseconds(max(worker.last_heartbeat_at, claimed_at)))

    def _count_silence(self, card: CampaignCard, event: e.Recorded, since_us: int) -> None:
        account = card.time_account
        since_us = account.count_silence(since_us)
        if since_us < account.at_us:
            self.dead_times.append(DeadTime(card.name, account.at_us, event.position, since_us, account.silent_us))

    def _rare(self, card: CampaignCard, event: e.Recorded) -> None:
        """A worker was silent, or units were added or updated."""
        body, account = event.body, card.time_account
        if isinstance(body, e.UnitsAdded | e.UnitsUpdated):
            account.since_snapshot += len(body.units)
        if isinstance(body, e.LeaseExpired):
            self._count_silence(card, event, account.at_us - round(body.age * SECOND_US))
        elif isinstance(body, e.UnitsAdded):
            if account.add_units(body, card.counts):
                for unit in body.units:
                    self._set_group(card.name, unit.key, unit.group, event.position)
        elif isinstance(body, e.UnitsUpdated):
            for key, group in account.regroup(body, card.counts, partial(self._group, card.name)):
                self._set_group(card.name, key, group, event.position)

    def _group(self, campaign: ids.CampaignName, unit: ids.UnitKey) -> int:
        return self.groups.get((campaign, unit), ids.DEFAULT_GROUP)

    def _set_group(self, campaign: ids.CampaignName, unit: ids.UnitKey, group: int, position: int) -> None:
        """Note the group of a unit; one that never left the default group has no row."""
        if self._group(campaign, unit) != group:
            self.memberships.append(GroupMembership(campaign, unit, position, group))
        self.groups[campaign, unit] = group

    def saved(self) -> None:
        """Drop the rows that were stored; when many groups are in memory, drop them all."""
        self.snapshots.clear()
        self.dead_times.clear()
        self.memberships.clear()
        if len(self.groups) > MAX_CACHED_GROUPS:
            self.groups.clear()


IMPORTS = (e.UnitsAdded, e.UnitsUpdated)


def campaigns_concerned(event: e.Recorded, campaigns: Iterable[CampaignCard]) -> list[CampaignCard]:
    """Return the cards whose waiting units an event of the engine or of a quota may hold back or release."""
    body = event.body
    if not isinstance(body, SURROUNDINGS):
        return []
    gate = body.key if isinstance(body, e.QuotaGateClosed | e.QuotaGateOpened) else None
    return [card for card in campaigns if (card.counts.ready or card.counts.delayed) and gate in (None, card.quota)]


def units_with_group(event: e.Recorded) -> Iterable[ids.UnitId]:
    """Yield the units whose group the fold of *event* needs."""
    if event.campaign is None:
        return
    if isinstance(event.body, e.UnitsUpdated):
        yield from ((event.campaign, patch.key) for patch in event.body.units if isinstance(patch.group, int))
    elif event.unit is not None and type(event.body) in TRANSITIONS:
        yield event.campaign, event.unit
