"""A snapshot of a time account every few hundred events, from which the account of any later instant is computed."""

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Struct, field

from projections.views.campaign.card import CampaignCard
from projections.views.campaign.time_account import Cause, TimeAccount, cause_of_waiting
from projections.views.measurement import microseconds
from projections.views.unit.transitions import TRANSITIONS
from service.domain import events as e
from service.domain import ids
from service.domain.campaign import Counts
from service.domain.policy import Policy

EVERY = 200
"""Events of a campaign between two snapshots; an import counts for as many as it has units."""


class AccountSnapshot(Struct, kw_only=True):
    """What the time account of a campaign needs to go on from the event at *position*."""

    campaign: ids.CampaignName
    position: int
    # Snapshots are stored as JSON: `name` is what a field is called in databases of today.
    account: TimeAccount = field(name="ledger")
    counts: Counts
    quota: ids.QuotaKey | None
    closed_quotas: list[ids.QuotaKey] = field(name="closed")
    ordered: bool
    auto: bool
    paused: bool
    tripped: bool
    engine_paused: bool

    @property
    def waiting(self) -> Cause | None:
        """What holds back every ready unit now."""
        return cause_of_waiting(
            engine_paused=self.engine_paused,
            paused=self.paused,
            auto=self.auto,
            tripped=self.tripped,
            gate_closed=self.quota in self.closed_quotas,
        )

    def advance(self, at_us: int) -> None:
        """Book the time up to *at_us*."""
        self.account.advance(at_us, self.counts, self.waiting, ordered=self.ordered)

    def fold(self, event: e.Recorded, groups: dict[ids.UnitKey, int]) -> None:
        """Fold an event of the campaign, or one that concerns all; *groups* has the units outside of the default group."""
        self.advance(microseconds(event.at))
        body, transition_of = event.body, TRANSITIONS.get(type(event.body))
        if transition_of is not None and event.unit is not None:
            old, new = transition_of(body)
            self.counts.move(old, new)
            if self.account.groups:
                self.account.move(groups.get(event.unit, ids.DEFAULT_GROUP), old, new)
        elif isinstance(body, e.UnitsAdded):
            self.account.add_units(body, self.counts)
            groups.update((unit.key, unit.group) for unit in body.units)
            for unit in body.units:
                self.counts.move(None, "blocked" if unit.waits_for else "ready")
        elif isinstance(body, e.UnitsUpdated):
            groups.update(self.account.regroup(body, self.counts, lambda key: groups.get(key, ids.DEFAULT_GROUP)))
        else:
            change = SWITCHES.get(type(body))
            if change is not None:
                change(self, body)


def account_snapshot(
    card: CampaignCard, position: int, closed_quotas: list[ids.QuotaKey], *, engine_paused: bool
) -> AccountSnapshot:
    """Return the snapshot of a campaign after the event at *position*; it shares the card's account and counts."""
    return AccountSnapshot(
        campaign=card.name,
        position=position,
        account=card.time_account,
        counts=card.counts,
        quota=card.quota,
        closed_quotas=closed_quotas,
        ordered=card.policy.groups == "ordered",
        auto=card.auto,
        paused=card.paused_at is not None,
        tripped=card.tripped is not None,
        engine_paused=engine_paused,
    )


def edited(snapshot: AccountSnapshot, body: e.CampaignEdited) -> None:
    """Fields changed."""
    if "quota" in body.changes:
        snapshot.quota = body.changes["quota"].new
    if "auto" in body.changes:
        snapshot.auto = body.changes["auto"].new
    if "policy" in body.changes:
        snapshot.ordered = msgspec.convert(body.changes["policy"].new, Policy).groups == "ordered"


def switch(name: str, *, on: bool) -> Callable[[AccountSnapshot, Any], None]:
    """Return the fold of an event that turns the switch *name*."""

    def turn(snapshot: AccountSnapshot, _body: e.Event) -> None:
        setattr(snapshot, name, on)

    return turn


def gate_closed(snapshot: AccountSnapshot, body: e.QuotaGateClosed) -> None:
    """No claim passes."""
    if body.key not in snapshot.closed_quotas:
        snapshot.closed_quotas.append(body.key)


def gate_opened(snapshot: AccountSnapshot, body: e.QuotaGateOpened) -> None:
    """Claims pass again."""
    if body.key in snapshot.closed_quotas:
        snapshot.closed_quotas.remove(body.key)


SWITCHES: dict[type[e.Event], Callable[[AccountSnapshot, Any], None]] = {
    e.CampaignEdited: edited,
    e.CampaignPaused: switch("paused", on=True),
    e.CampaignResumed: switch("paused", on=False),
    e.BreakerTripped: switch("tripped", on=True),
    e.BreakerReset: switch("tripped", on=False),
    e.EnginePaused: switch("engine_paused", on=True),
    e.EngineResumed: switch("engine_paused", on=False),
    e.QuotaGateClosed: gate_closed,
    e.QuotaGateOpened: gate_opened,
}
SURROUNDINGS: tuple[type[e.Event], ...] = (e.EnginePaused, e.EngineResumed, e.QuotaGateClosed, e.QuotaGateOpened)
"""Events that concern campaigns without naming them."""
