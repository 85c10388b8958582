"""The campaign's card: counts by state, switches, breaker, throughput, and the fold that keeps it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct, field

from projections.views.campaign.durations import Durations
from projections.views.campaign.failure_groups import FailureGroup
from projections.views.campaign.throughput import Throughput
from projections.views.campaign.time_account import TimeAccount
from projections.views.campaign.timeline import Timeline
from projections.views.measurement import microseconds
from projections.views.unit.transitions import TRANSITIONS
from service.domain import events as e
from service.domain import ids
from service.domain.campaign import Counts
from service.domain.policy import Policy
from service.domain.recovery import recovery_id

MAX_DECISIONS = 50


class CampaignCard(Struct, kw_only=True):
    """One campaign, folded from its events; only the folds of this package write it.

    *tripped* is the position of the event that tripped the breaker, *fails* how many failures it counted. *decisions* are the
    positions of the last decisions on the campaign as a whole, *failures* the quarantined units by shape of error. *waves* is the
    number of waves, *waves_left* how many of them have open units, *wave* the last one that began. *cascade* counts the units
    that the current run of skips has skipped so far. *plan* is the open recovery plan, if any. Whether the clock of *throughput*
    runs also depends on the engine and on the quota, so `active_clock.update_clock` starts and stops it.
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
    created_at: datetime
    version: int = 1
    started_at: datetime | None = None
    completed_at: datetime | None = None
    cancelled_at: datetime | None = None
    outcome: ids.Outcome | None = None
    paused_at: datetime | None = None
    paused_by: str | None = None
    paused_reason: str | None = None
    consecutive: int = 0
    tripped: int | None = None
    tripped_at: datetime | None = None
    fails: int = 0
    cascade: int = 0
    plan: ids.RecoveryId | None = None
    resume_at: datetime | None = None
    done_at: datetime | None = None
    counts: Counts = field(default_factory=Counts)
    quarantined_by_reason: dict[str, int] = field(default_factory=dict)
    # Cards are stored as JSON: `name` is what a field is called in databases of today.
    throughput: Throughput = field(default_factory=Throughput, name="pace")
    time_account: TimeAccount = field(default_factory=TimeAccount, name="ledger")
    timeline: Timeline = field(default_factory=Timeline, name="course")
    durations: Durations = field(default_factory=Durations)
    failures: list[FailureGroup] = field(default_factory=list)
    decisions: list[int] = field(default_factory=list)
    waves: int = 1
    waves_left: int = 0
    wave: int = 0
    position: int = 0

    @property
    def state(self) -> ids.CampaignState:
        """Its state in one word."""
        if self.cancelled_at is not None:
            return "cancelled"
        if self.completed_at is not None:
            return "completed"
        return "running" if self.paused_at is None else "paused"

    def move(self, old: ids.UnitState | None, new: ids.UnitState, at: datetime) -> None:
        """Count one unit out of state *old* (None if it is new) and into *new*."""
        self.counts.move(old, new)
        if new == "done":
            at_us = microseconds(at)
            if self.paused_at is None:
                self.throughput.count_done(at_us)
            self.timeline.count_done(at_us)
            self.done_at = at
        if old == "parked" and self.counts.parked == 0:
            self.resume_at = None

    def note_decision(self, position: int) -> None:
        """Remember the position of a decision; only the last ones are kept."""
        self.decisions.append(position)
        del self.decisions[:-MAX_DECISIONS]


def opened(body: e.CampaignCreated, event: e.Recorded) -> CampaignCard:
    """Return the card of a campaign that begins."""
    return CampaignCard(
        name=body.name,
        title=body.title,
        policy=body.policy,
        labels=dict(body.labels),
        auto=body.auto,
        quota=body.quota,
        brief=body.brief,
        brief_rev=body.brief_rev,
        deadline=body.deadline,
        created_at=event.at,
        position=event.position,
        decisions=[event.position],
    )


def edited(card: CampaignCard, body: e.CampaignEdited, _event: e.Recorded) -> None:
    """Fields changed."""
    hints = {"policy": Policy, "deadline": datetime | None}
    for name, change in body.changes.items():
        hint = hints.get(name)
        setattr(card, name, change.new if hint is None else msgspec.convert(change.new, hint))
    card.brief_rev = body.brief_rev
    card.version += 1


def paused(card: CampaignCard, body: e.CampaignPaused, event: e.Recorded) -> None:
    """Automatic claims stop."""
    card.paused_at, card.paused_by, card.paused_reason = event.at, body.by, body.reason
    card.version += 1


def resumed(card: CampaignCard, _body: e.CampaignResumed, _event: e.Recorded) -> None:
    """Automatic claims resume."""
    card.paused_at = card.paused_by = card.paused_reason = None
    card.version += 1


def breaker_tripped(card: CampaignCard, body: e.BreakerTripped, event: e.Recorded) -> None:
    """The breaker is open."""
    card.tripped, card.tripped_at, card.fails = event.position, event.at, len(body.failures)
    card.version += 1


def breaker_reset(card: CampaignCard, _body: e.BreakerReset, _event: e.Recorded) -> None:
    """The breaker is closed and counts from zero."""
    card.tripped, card.tripped_at, card.fails, card.consecutive = None, None, 0, 0
    card.version += 1


def completed(card: CampaignCard, body: e.CampaignCompleted, event: e.Recorded) -> None:
    """No unit is open any more."""
    card.completed_at, card.outcome = event.at, body.outcome
    card.version += 1


def reopened(card: CampaignCard, _body: e.CampaignReopened, _event: e.Recorded) -> None:
    """A unit is open again."""
    card.completed_at = card.outcome = None
    card.version += 1


def cancelled(card: CampaignCard, _body: e.CampaignCancelled, event: e.Recorded) -> None:
    """No unit will run again."""
    card.cancelled_at = event.at
    card.version += 1


def units_added(card: CampaignCard, body: e.UnitsAdded, _event: e.Recorded) -> None:
    """Units join, blocked or ready."""
    blocked = sum(1 for unit in body.units if unit.waits_for)
    card.counts.blocked += blocked
    card.counts.ready += len(body.units) - blocked


def unit_claimed(card: CampaignCard, _body: e.UnitClaimed, event: e.Recorded) -> None:
    """The first claim starts the campaign and its timeline."""
    if card.started_at is None:
        card.started_at = event.at
        card.timeline.begin(microseconds(event.at))


def unit_completed(card: CampaignCard, body: e.UnitCompleted, _event: e.Recorded) -> None:
    """The run of failures ends."""
    card.consecutive = 0
    card.durations.observe(body.duration)


def attempt_failed(card: CampaignCard, _body: e.AttemptFailed, event: e.Recorded) -> None:
    """One more failure in a row; the next event says whether the unit is retried or quarantined."""
    card.timeline.count_failed(microseconds(event.at))
    if card.policy.breaker.counts == "attempts":
        card.consecutive += 1


def unit_quarantined(card: CampaignCard, body: e.UnitQuarantined, _event: e.Recorded) -> None:
    """A unit waits in quarantine until a person retries it."""
    if card.policy.breaker.counts == "units" and body.reason != "manual":
        card.consecutive += 1
    card.quarantined_by_reason[body.reason] = card.quarantined_by_reason.get(body.reason, 0) + 1


def unquarantined(card: CampaignCard, reason: str) -> None:
    """Count one unit less under *reason*."""
    left = card.quarantined_by_reason[reason] - 1
    if left:
        card.quarantined_by_reason[reason] = left
    else:
        del card.quarantined_by_reason[reason]


def unit_parked(card: CampaignCard, body: e.UnitParked, _event: e.Recorded) -> None:
    """A unit is parked; only a park by its worker (with a token) is about the quota, one by a person is not."""
    if body.token is not None:
        card.resume_at = body.resume_at


def recovery_detected(card: CampaignCard, _body: e.RecoveryDetected, event: e.Recorded) -> None:
    """All claims are dead, and a recovery plan waits for a decision."""
    card.plan = recovery_id(event.position)


def recovery_ended(card: CampaignCard, _body: e.Event, _event: e.Recorded) -> None:
    """The plan was applied or declined, or closed by itself."""
    card.plan = None


def no_change(_card: CampaignCard, _body: e.Event, _event: e.Recorded) -> None:
    """Nothing but the transition of the unit, if there is one, and the time account."""


Change = Callable[[CampaignCard, Any, e.Recorded], None]

FOLDS: dict[type[e.Event], Change] = {
    **dict.fromkeys(TRANSITIONS, no_change),
    e.CampaignEdited: edited,
    e.CampaignPaused: paused,
    e.CampaignResumed: resumed,
    e.BreakerTripped: breaker_tripped,
    e.BreakerReset: breaker_reset,
    e.CampaignCompleted: completed,
    e.CampaignReopened: reopened,
    e.CampaignCancelled: cancelled,
    e.UnitsAdded: units_added,
    e.UnitsUpdated: no_change,
    e.LeaseExpired: no_change,
    e.RecoveryDetected: recovery_detected,
    e.RecoveryApplied: recovery_ended,
    e.RecoveryDeclined: recovery_ended,
    e.RecoveryClosed: recovery_ended,
    e.UnitClaimed: unit_claimed,
    e.UnitCompleted: unit_completed,
    e.AttemptFailed: attempt_failed,
    e.UnitQuarantined: unit_quarantined,
    e.UnitParked: unit_parked,
}
