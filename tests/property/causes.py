"""Where the time of a campaign went, folded plainly: one window, every event from the first, every unit in memory."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct, field

from projections.views.campaign.time_account import CAUSES, Cause
from projections.views.measurement import microseconds
from service.domain import events as e
from service.domain import ids
from service.domain.policy import Policy

CAUSE_OF_STATE: dict[ids.UnitState, Cause] = {
    "running": "working",
    "delayed": "backoff",
    "parked": "quota",
    "blocked": "dependency",
}
HOLDING: tuple[ids.UnitState, ...] = ("running", "delayed", "parked")
DEFAULT_GROUP = 99
SECOND_US = 1_000_000


class ExpectedAccount(Struct, kw_only=True):
    """What the time of open units from *begin_us* to *end_us* went to, by the events up to the end."""

    begin_us: int
    end_us: int
    causes: dict[Cause, int] = field(default_factory=lambda: dict.fromkeys(CAUSES, 0))
    at_us: int = 0
    counts: dict[int, Counter[ids.UnitState]] = field(default_factory=dict)
    groups: dict[ids.UnitKey, int] = field(default_factory=dict)
    aside: dict[ids.UnitKey, ids.UnitState] = field(default_factory=dict)
    claimed: dict[ids.Token, int] = field(default_factory=dict)
    silent: dict[ids.WorkerId, int] = field(default_factory=dict)
    closed: set[ids.QuotaKey] = field(default_factory=set)
    quota: ids.QuotaKey | None = None
    ordered: bool = True
    engine_paused: bool = False
    paused: bool = False
    auto: bool = True
    tripped: bool = False

    @property
    def lifetime_us(self) -> int:
        """The time that all units were open."""
        return sum(self.causes.values())

    def fold(self, event: e.Recorded) -> None:
        """Fold one event of the campaign, or one that is about everything."""
        self.until(event.at)
        change = FOLDS.get(type(event.body))
        if change is not None:
            change(self, event.body, event)

    def until(self, at: datetime) -> None:
        """Let time go by."""
        at_us = microseconds(at)
        spent = min(at_us, self.end_us) - max(self.at_us, self.begin_us)
        if spent > 0:
            for cause, units in self.status().items():
                self.causes[cause] += units * spent
        self.at_us = max(at_us, self.at_us)

    def status(self) -> Counter[Cause]:
        """Return how many units are under each cause now."""
        found: Counter[Cause] = Counter()
        lowest = min((group for group, counts in self.counts.items() if any(counts[state] for state in EARLIER)), default=0)
        for group, counts in self.counts.items():
            for state, cause in CAUSE_OF_STATE.items():
                found[cause] += counts[state]
            found[self.waiting() or ("group" if self.ordered and group > lowest else "slot")] += counts["ready"]
        return found

    def waiting(self) -> Cause | None:
        """Return what holds back every ready unit now."""
        if self.engine_paused or self.paused or not self.auto:
            return "paused"
        if self.tripped:
            return "breaker"
        return "quota" if self.quota in self.closed else None

    def move(self, event: e.Recorded, old: ids.UnitState, new: ids.UnitState) -> None:
        """Let a unit change its state."""
        assert event.unit is not None, "the envelope of a unit's event names the unit"
        counts = self.counts.setdefault(self.groups.get(event.unit, DEFAULT_GROUP), Counter())
        counts[old] -= 1
        counts[new] += 1
        if new in UNREMARKED:
            self.aside.pop(event.unit, None)
        else:
            self.aside[event.unit] = new

    def mourn(self, since_us: int) -> None:
        """Count the time since then, believed to be work, as that of a dead worker."""
        silence = min(self.at_us, self.end_us) - max(since_us, self.begin_us)
        if silence > 0:
            self.causes["working"] -= silence
            self.causes["dead_worker"] += silence


EARLIER: tuple[ids.UnitState, ...] = ("ready", *HOLDING)
UNREMARKED: tuple[ids.UnitState, ...] = ("ready", "done", "cancelled")


def created(account: ExpectedAccount, body: e.CampaignCreated, _event: e.Recorded) -> None:
    """The campaign begins."""
    account.quota, account.auto, account.ordered = body.quota, body.auto, body.policy.groups == "ordered"


def edited(account: ExpectedAccount, body: e.CampaignEdited, _event: e.Recorded) -> None:
    """Fields changed."""
    if "quota" in body.changes:
        account.quota = body.changes["quota"].new
    if "auto" in body.changes:
        account.auto = body.changes["auto"].new
    if "policy" in body.changes:
        account.ordered = msgspec.convert(body.changes["policy"].new, Policy).groups == "ordered"


def switch(name: str, *, on: bool) -> Callable[[ExpectedAccount, Any, e.Recorded], None]:
    """Return the fold of an event that turns a switch."""

    def turn(account: ExpectedAccount, _body: e.Event, _event: e.Recorded) -> None:
        setattr(account, name, on)

    return turn


def gate_closed(account: ExpectedAccount, body: e.QuotaGateClosed, _event: e.Recorded) -> None:
    """Nothing passes."""
    account.closed.add(body.key)


def gate_opened(account: ExpectedAccount, body: e.QuotaGateOpened, _event: e.Recorded) -> None:
    """Claims pass again."""
    account.closed.discard(body.key)


def units_added(account: ExpectedAccount, body: e.UnitsAdded, _event: e.Recorded) -> None:
    """Units begin to live."""
    for unit in body.units:
        if unit.group != DEFAULT_GROUP:
            account.groups[unit.key] = unit.group
        if unit.waits_for:
            account.aside[unit.key] = "blocked"
        account.counts.setdefault(unit.group, Counter())["blocked" if unit.waits_for else "ready"] += 1


def units_updated(account: ExpectedAccount, body: e.UnitsUpdated, _event: e.Recorded) -> None:
    """Units that nobody has started may change their group."""
    for unit in body.units:
        if isinstance(unit.group, int):
            state = account.aside.get(unit.key, "ready")
            account.counts[account.groups.get(unit.key, DEFAULT_GROUP)][state] -= 1
            account.counts.setdefault(unit.group, Counter())[state] += 1
            account.groups[unit.key] = unit.group


def claimed(account: ExpectedAccount, body: e.UnitClaimed, event: e.Recorded) -> None:
    """A worker works."""
    account.claimed[body.token] = account.at_us
    heard(account, body, event)
    account.move(event, "ready", "running")


def lease_expired(account: ExpectedAccount, body: e.LeaseExpired, _event: e.Recorded) -> None:
    """The worker was silent: what was believed to be work was none."""
    account.mourn(account.at_us - round(body.age * SECOND_US))


def released(account: ExpectedAccount, body: e.UnitReleased, event: e.Recorded) -> None:
    """A claim ended neutrally; one of a silent worker was none since that was heard last."""
    begun_us = account.claimed.pop(body.token, account.at_us)
    heard_us = None if event.worker is None else account.silent.get(event.worker)
    if body.cause in ("recovery", "fence") and heard_us is not None:
        account.mourn(max(heard_us, begun_us))
    account.move(event, "running", "ready")


def level_changed(account: ExpectedAccount, body: e.LevelChanged, event: e.Recorded) -> None:
    """A worker falls silent, or is heard again."""
    assert event.worker is not None, "the envelope of a worker's event names it"
    if body.to == "healthy":
        account.silent.pop(event.worker, None)
    else:
        account.silent[event.worker] = account.at_us - round(body.age * SECOND_US)


def heard(account: ExpectedAccount, _body: e.Event, event: e.Recorded) -> None:
    """A worker that was silent speaks."""
    if event.worker in account.silent:
        account.silent[event.worker] = account.at_us


def gone(account: ExpectedAccount, _body: e.WorkerDeregistered, event: e.Recorded) -> None:
    """A worker is nobody's business any more, until it comes back."""
    if event.worker is not None:
        account.silent.pop(event.worker, None)


def to(old: ids.UnitState, new: ids.UnitState) -> Callable[[ExpectedAccount, Any, e.Recorded], None]:
    """Return the fold of an event that takes units from one state to another."""

    def change(account: ExpectedAccount, _body: e.Event, event: e.Recorded) -> None:
        account.move(event, old, new)

    return change


def ended(new: ids.UnitState) -> Callable[[ExpectedAccount, Any, e.Recorded], None]:
    """Return the fold of an event that says in which state a unit was."""

    def change(account: ExpectedAccount, body: Any, event: e.Recorded) -> None:  # noqa: ANN401 - several events
        if isinstance(body, e.UnitCompleted | e.UnitParked) and body.token is not None:
            account.claimed.pop(body.token, None)
        account.move(event, body.was, new)

    return change


def returned(old: ids.UnitState) -> Callable[[ExpectedAccount, Any, e.Recorded], None]:
    """Return the fold of an event that says in which state a unit is now."""

    def change(account: ExpectedAccount, body: Any, event: e.Recorded) -> None:  # noqa: ANN401 - several events
        account.move(event, old, body.to)

    return change


FOLDS: dict[type[e.Event], Callable[[ExpectedAccount, Any, e.Recorded], None]] = {
    e.CampaignCreated: created,
    e.CampaignEdited: edited,
    e.CampaignPaused: switch("paused", on=True),
    e.CampaignResumed: switch("paused", on=False),
    e.BreakerTripped: switch("tripped", on=True),
    e.BreakerReset: switch("tripped", on=False),
    e.EnginePaused: switch("engine_paused", on=True),
    e.EngineResumed: switch("engine_paused", on=False),
    e.QuotaGateClosed: gate_closed,
    e.QuotaGateOpened: gate_opened,
    e.LevelChanged: level_changed,
    e.UnitHeartbeat: heard,
    e.WorkerHeartbeat: heard,
    e.WorkerRegistered: heard,
    e.WorkerDeregistered: gone,
    e.UnitsAdded: units_added,
    e.UnitsUpdated: units_updated,
    e.UnitClaimed: claimed,
    e.LeaseExpired: lease_expired,
    e.UnitReleased: released,
    e.UnitUnblocked: to("blocked", "ready"),
    e.RetryScheduled: to("running", "delayed"),
    e.RetryDue: to("delayed", "ready"),
    e.UnitUnparked: to("parked", "ready"),
    e.UnitCompleted: ended("done"),
    e.UnitParked: ended("parked"),
    e.UnitQuarantined: ended("quarantined"),
    e.UnitSkipped: ended("skipped"),
    e.UnitCancelled: ended("cancelled"),
    e.QuarantineCleared: returned("quarantined"),
    e.UnitUnskipped: returned("skipped"),
}
SURROUNDINGS: tuple[type[e.Event], ...] = (
    e.EnginePaused,
    e.EngineResumed,
    e.QuotaGateClosed,
    e.QuotaGateOpened,
    e.LevelChanged,
    e.UnitHeartbeat,
    e.WorkerHeartbeat,
    e.WorkerRegistered,
    e.WorkerDeregistered,
)
