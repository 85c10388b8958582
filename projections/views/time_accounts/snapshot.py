"""The mark: what a campaign's ledger was after so many events, from which any instant soon after is counted."""

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Struct

from projections.views.campaign.card import CampaignCard
from projections.views.campaign.time_account import DEFAULT_GROUP, Cause, TimeAccount
from projections.views.measurement import microseconds
from projections.views.unit.transitions import TRANSITIONS
from service.domain import events as e
from service.domain import ids
from service.domain.campaign import Counts
from service.domain.policy import Policy

EVERY = 200
"""Facts of a campaign between two marks; an import counts for as many as it has units."""


class AccountSnapshot(Struct, kw_only=True):
    """A campaign after the event at *position*, as far as its ledger goes on from it; *closed* are the quotas whose gates are."""

    campaign: ids.CampaignName
    position: int
    ledger: TimeAccount
    counts: Counts
    quota: ids.QuotaKey | None
    closed: list[ids.QuotaKey]
    ordered: bool
    auto: bool
    paused: bool
    tripped: bool
    engine_paused: bool

    @property
    def waiting(self) -> Cause | None:
        """What holds back every ready unit now."""
        if self.engine_paused or self.paused or not self.auto:
            return "paused"
        if self.tripped:
            return "breaker"
        return "quota" if self.quota in self.closed else None

    def until(self, at_us: int) -> None:
        """Let time go by."""
        self.ledger.until(at_us, self.counts, self.waiting, ordered=self.ordered)

    def fold(self, event: e.Recorded, groups: dict[ids.UnitKey, int]) -> None:
        """Fold an event of the campaign, or one about everything; *groups* has the units outside of the default one."""
        self.until(microseconds(event.at))
        body, step = event.body, TRANSITIONS.get(type(event.body))
        if step is not None and event.unit is not None:
            old, new = step(body)
            self.counts.move(old, new)
            if self.ledger.groups:
                self.ledger.move(groups.get(event.unit, DEFAULT_GROUP), old, new)
        elif isinstance(body, e.UnitsAdded):
            self.ledger.join(body, self.counts)
            groups.update((unit.key, unit.group) for unit in body.units)
            for unit in body.units:
                self.counts.move(None, "blocked" if unit.waits_for else "ready")
        elif isinstance(body, e.UnitsUpdated):
            groups.update(self.ledger.regroup(body, self.counts, lambda key: groups.get(key, DEFAULT_GROUP)))
        else:
            change = SWITCHES.get(type(body))
            if change is not None:
                change(self, body)


def account_snapshot(card: CampaignCard, position: int, closed: list[ids.QuotaKey], *, engine_paused: bool) -> AccountSnapshot:
    """Return the mark of a campaign as it is shown after the event at *position*."""
    return AccountSnapshot(
        campaign=card.name,
        position=position,
        ledger=card.ledger,
        counts=card.counts,
        quota=card.quota,
        closed=closed,
        ordered=card.policy.groups == "ordered",
        auto=card.auto,
        paused=card.paused_at is not None,
        tripped=card.tripped is not None,
        engine_paused=engine_paused,
    )


def edited(mark: AccountSnapshot, body: e.CampaignEdited) -> None:
    """Fields changed."""
    if "quota" in body.changes:
        mark.quota = body.changes["quota"].new
    if "auto" in body.changes:
        mark.auto = body.changes["auto"].new
    if "policy" in body.changes:
        mark.ordered = msgspec.convert(body.changes["policy"].new, Policy).groups == "ordered"


def switch(name: str, *, on: bool) -> Callable[[AccountSnapshot, Any], None]:
    """Return the fold of an event that turns a switch."""

    def turn(mark: AccountSnapshot, _body: e.Event) -> None:
        setattr(mark, name, on)

    return turn


def gate_closed(mark: AccountSnapshot, body: e.QuotaGateClosed) -> None:
    """Nothing passes."""
    if body.key not in mark.closed:
        mark.closed.append(body.key)


def gate_opened(mark: AccountSnapshot, body: e.QuotaGateOpened) -> None:
    """Claims pass again."""
    if body.key in mark.closed:
        mark.closed.remove(body.key)


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
"""What concerns campaigns without naming them."""
