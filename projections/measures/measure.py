"""What an event adds to the series: pure, and whole numbers only, so that sums do not depend on how the log was cut."""

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from projections.measures.event_measures import (
    EventMeasures,
    Increments,
    Key,
    attempt_durations,
    attempt_ended,
    counted,
    entered,
    one,
    unit_duration,
    unit_ended,
    us,
)
from projections.views.measurement import Measured
from service.domain import events as e
from service.domain import ids

WATCHDOGS = {"idle_output": "idle_output", "max_duration": "max_duration", "idle_no_output": "idle_grace"}
NO_QUOTA = "none"
CACHED_INCREMENTS = 4096
NOTHING: EventMeasures = ((), ())


def campaign_completed(body: e.CampaignCompleted, _event: e.Recorded) -> EventMeasures:
    """A campaign ended."""
    failed = body.outcome == "failed"
    # The catalogue has three outcomes: a partial campaign ended without a failure, as an achieved one did.
    return (
        (one("muster_campaign_transitions_total", "failed" if failed else "completed"),),
        ((("muster_campaign_duration_seconds", ("failed" if failed else "achieved",)), us(body.duration)),),
    )


def campaign_cancelled(body: e.CampaignCancelled, _event: e.Recorded) -> EventMeasures:
    """A campaign was cancelled; it has a duration if it had begun."""
    return (
        (one("muster_campaign_transitions_total", "cancelled"),),
        () if body.duration is None else ((("muster_campaign_duration_seconds", ("cancelled",)), us(body.duration)),),
    )


def breaker_reset(body: e.BreakerReset, _event: e.Recorded) -> EventMeasures:
    """A breaker is closed again."""
    return counted(one("muster_safety_cap_resets_total", "human" if body.cause == "reset" else "success"))


def units_added(body: e.UnitsAdded, _event: e.Recorded) -> EventMeasures:
    """Units are added, blocked or ready."""
    blocked = sum(1 for unit in body.units if unit.waits_for)
    counts = {"blocked": blocked, "ready": len(body.units) - blocked}
    return counted(*(entered(state, count) for state, count in counts.items() if count))


CLAIMED: Increments = (entered("running"), one("muster_lease_events_total", "granted"))
FIRST_CLAIMED: Increments = (*CLAIMED, one("muster_campaign_transitions_total", "started"))


def unit_claimed(body: e.UnitClaimed, _event: e.Recorded) -> EventMeasures:
    """A unit runs, perhaps as the first of its campaign."""
    waited = (("muster_unit_wait_seconds", ()), us(body.waited))
    return (FIRST_CLAIMED if body.begins else CLAIMED), (waited,)


@lru_cache(CACHED_INCREMENTS)
def completions(campaign: str) -> Increments:
    """Count a unit that is done."""
    ended = one("muster_campaign_units_finished_total", campaign, "completed")
    return entered("done"), ended, *attempt_ended(campaign, "completed")


@lru_cache(CACHED_INCREMENTS)
def completed_retries(campaign: str) -> Increments:
    """Count a unit that is done by a retry."""
    return *completions(campaign), one("muster_retries_total", "success")


def unit_completed(body: e.UnitCompleted, event: e.Recorded) -> EventMeasures:
    """A unit is done."""
    observations = (
        *attempt_durations(event, "completed", body.duration),
        *unit_duration(event, body.first_ready_at, "completed"),
        (("muster_unit_retries", ()), body.attempt - 1),
    )
    return (completed_retries if body.attempt > 1 else completions)(event.campaign or ""), observations


@lru_cache(CACHED_INCREMENTS)
def failures(campaign: str, reason: str) -> Increments:
    """Count an attempt that failed; one whose worker was silent counts as expired."""
    watchdog = (one("muster_watchdog_fires_total", WATCHDOGS[reason]),) if reason in WATCHDOGS else ()
    return one("muster_attempt_failures_total", reason), *attempt_ended(campaign, failure_outcome(reason)), *watchdog


def failure_outcome(reason: str) -> str:
    """Return the outcome of an attempt that failed."""
    return "expired" if reason in ids.SILENT_FAILURES else "failed"


def attempt_failed(body: e.AttemptFailed, event: e.Recorded) -> EventMeasures:
    """An attempt failed."""
    durations = attempt_durations(event, failure_outcome(body.reason), body.duration)
    return failures(event.campaign or "", body.reason), durations


RETRY_SCHEDULED: Increments = (entered("delayed"), one("muster_retries_scheduled_total"))
RETRY_FAILED: Increments = (*RETRY_SCHEDULED, one("muster_retries_total", "failed"))


def retry_scheduled(body: e.RetryScheduled, _event: e.Recorded) -> EventMeasures:
    """A unit waits for its next attempt; if this attempt was a retry itself, the retry failed."""
    delay = (("muster_retry_delay_seconds", ()), body.delay_ms * 1000)
    return (RETRY_FAILED if body.after_attempt > 1 else RETRY_SCHEDULED), (delay,)


def unit_quarantined(body: e.UnitQuarantined, event: e.Recorded) -> EventMeasures:
    """A unit failed for good."""
    exhausted = body.was == "running" and body.attempts > 1
    increments = (
        entered("quarantined"),
        unit_ended(event, "quarantined"),
        one("muster_quarantines_total", body.reason),
        one("muster_quarantine_screens_total", "false" if body.screen_id is None else "true"),
        *((one("muster_retries_total", "exhausted"),) if exhausted else ()),
    )
    retries = (("muster_unit_retries", ()), max(body.attempts - 1, 0))
    return increments, (*unit_duration(event, body.first_ready_at, "quarantined"), retries)


def quarantine_cleared(body: e.QuarantineCleared, _event: e.Recorded) -> EventMeasures:
    """A unit is retried."""
    return counted(entered(body.to), one("muster_quarantine_cleared_total", "retry"))


def unit_parked(body: e.UnitParked, event: e.Recorded) -> EventMeasures:
    """A unit is parked; a park by its worker ends the attempt neutrally."""
    increments = entered("parked"), one("muster_parks_total", body.quota or NO_QUOTA)
    if body.token is None:
        return counted(*increments)
    return counted(*increments, one("muster_lease_events_total", "released"), *attempt_ended(event.campaign or "", "parked"))


def unit_unparked(body: e.UnitUnparked, _event: e.Recorded) -> EventMeasures:
    """A park is over."""
    trigger = "manual" if body.cause == "manual" else "auto"
    return (
        (entered("ready"), one("muster_unparks_total", trigger)),
        () if body.parked is None else ((("muster_park_duration_seconds", ()), us(body.parked)),),
    )


def unit_released(body: e.UnitReleased, event: e.Recorded) -> EventMeasures:
    """A claim ended neutrally."""
    lease = one("muster_lease_events_total", "fenced" if body.cause == "fence" else "released")
    return counted(entered("ready"), lease, *attempt_ended(event.campaign or "", "released"))


def unit_skipped(body: e.UnitSkipped, event: e.Recorded) -> EventMeasures:
    """A dependency failed for good, or was skipped itself: then the path to the cause is longer than two units."""
    reason = "dependency_failed" if len(body.path) <= len(("failed", "skipped")) else "dependency_skipped"
    return (
        (entered("skipped"), unit_ended(event, "skipped"), one("muster_skips_total", reason)),
        unit_duration(event, body.first_ready_at, "skipped"),
    )


def unit_cancelled(body: e.UnitCancelled, event: e.Recorded) -> EventMeasures:
    """A unit will never run again."""
    discarded = (one("muster_quarantine_cleared_total", "discard"),) if body.was == "quarantined" else ()
    return (
        (entered("cancelled"), unit_ended(event, "cancelled"), *discarded),
        unit_duration(event, body.first_ready_at, "cancelled"),
    )


def investigation_produced(body: e.InvestigationProduced, _event: e.Recorded) -> EventMeasures:
    """An investigation produced a fix."""
    return investigation_ended("produced", body.duration)


def investigation_empty(body: e.InvestigationEmpty, _event: e.Recorded) -> EventMeasures:
    """An investigation produced nothing, or took too long."""
    return investigation_ended("timeout" if body.why == "timeout" else "empty", body.duration)


def investigation_ended(outcome: str, duration: float) -> EventMeasures:
    """Count the end of an investigation, and observe how long it took."""
    return (one("muster_investigations_total", outcome),), ((("muster_investigation_duration_seconds", ()), us(duration)),)


def recovery_applied(body: e.RecoveryApplied, _event: e.Recorded) -> EventMeasures:
    """A recovery plan was applied."""
    return counted(
        one("muster_recoveries_total", "applied"),
        one("muster_campaign_transitions_total", "recovered"),
        (("muster_recovered_units_total", ()), len(body.units)),
    )


MeasureOf = Callable[[Any, e.Recorded], EventMeasures]


def always(*increments: tuple[Key, int]) -> MeasureOf:
    """Return the measure of an event that always counts the same."""
    measures = (increments, ())
    return lambda _body, _event: measures


def counting(increment_of: Callable[[Any], tuple[Key, int]]) -> MeasureOf:
    """Return the measure of an event that increments one counter, with labels from its body."""
    return lambda body, _event: counted(increment_of(body))


MEASURES: dict[type[e.Event], MeasureOf] = {
    e.CampaignCreated: always(one("muster_campaign_transitions_total", "created")),
    e.CampaignPaused: always(one("muster_campaign_transitions_total", "paused")),
    e.CampaignResumed: always(one("muster_campaign_transitions_total", "resumed")),
    e.CampaignReopened: always(one("muster_campaign_transitions_total", "reopened")),
    e.CampaignCancelled: campaign_cancelled,
    e.CampaignCompleted: campaign_completed,
    e.BreakerTripped: always(one("muster_safety_cap_trips_total")),
    e.BreakerReset: breaker_reset,
    e.UnitsAdded: units_added,
    e.UnitUnblocked: always(entered("ready")),
    e.UnitClaimed: unit_claimed,
    e.UnitHeartbeat: always(one("muster_heartbeats_total"), one("muster_lease_events_total", "renewed")),
    e.UnitCompleted: unit_completed,
    e.AttemptFailed: attempt_failed,
    e.LeaseExpired: always(one("muster_lease_events_total", "expired")),
    e.RetryScheduled: retry_scheduled,
    e.RetryDue: always(entered("ready")),
    e.UnitQuarantined: unit_quarantined,
    e.QuarantineCleared: quarantine_cleared,
    e.UnitParked: unit_parked,
    e.UnitUnparked: unit_unparked,
    e.UnitReleased: unit_released,
    e.UnitSkipped: unit_skipped,
    e.UnitUnskipped: counting(lambda body: entered(body.to)),
    e.UnitCancelled: unit_cancelled,
    e.LateResult: always(one("muster_late_results_total")),
    e.WorkerHeartbeat: always(one("muster_heartbeats_total")),
    e.WorkerRegistered: always(one("muster_worker_registrations_total")),
    e.WorkerDeregistered: counting(lambda body: one("muster_worker_exits_total", body.reason)),
    e.LevelChanged: counting(lambda body: one("muster_heartbeat_level_transitions_total", body.to)),
    e.QuotaGateClosed: counting(lambda body: one("muster_quota_gate_transitions_total", body.key, "closed")),
    e.QuotaGateOpened: counting(lambda body: one("muster_quota_gate_transitions_total", body.key, "open")),
    e.InvestigationProduced: investigation_produced,
    e.InvestigationEmpty: investigation_empty,
    e.InvestigationSkipped: always(one("muster_investigations_total", "skipped")),
    e.RecoveryApplied: recovery_applied,
    e.RecoveryDeclined: always(one("muster_recoveries_total", "declined")),
    e.DiagnosticExported: counting(lambda body: one("muster_diagnostics_total", "forced" if body.forced else "exported")),
    e.LeaderElected: always(one("muster_leader_changes_total")),
}


def measure(event: e.Recorded) -> EventMeasures:
    """Return what *event* adds to the series, beside its count by kind."""
    measures = MEASURES.get(type(event.body))
    return NOTHING if measures is None else measures(event.body, event)


def kind_key(kind: type[e.Event]) -> Key:
    """Return the counter that every event of *kind* increments."""
    return "muster_events_total", (kind.kind,)


MEASUREMENTS: dict[Measured, tuple[Key, ...]] = {
    "beat": (("muster_heartbeat_interval_seconds", ()),),
    "retried": (("muster_quarantine_age_seconds", ("retry",)),),
    "discarded": (("muster_quarantine_age_seconds", ("discard",)),),
    "accepted": (("muster_quarantine_age_seconds", ("accept",)),),
    "cascade": (("muster_skip_cascade_units", ()),),
    "wave": (("muster_wave_units", ()),),
    "complete": (("muster_wave_duration_seconds", ("complete",)), ("muster_waves_total", ("complete",))),
    "partial": (("muster_wave_duration_seconds", ("partial",)), ("muster_waves_total", ("partial",))),
    "failed": (("muster_wave_duration_seconds", ("failed",)), ("muster_waves_total", ("failed",))),
}
"""The series that each measurement of the cards goes to: histograms observe it, counters count one."""


def label_values_of(event: e.Recorded) -> Iterator[tuple[str, str]]:
    """Yield the open labels that first get a value with *event*: their series exist at zero before the first count."""
    match event.body:
        case e.CampaignCreated(name=name, quota=quota):
            yield "campaign", name
            yield "quota", quota or NO_QUOTA
        case e.CampaignEdited(changes=changes):
            if "quota" in changes:
                yield "quota", changes["quota"].new or NO_QUOTA
        case e.QuotaRead(key=key) | e.QuotaReadFailed(key=key) | e.QuotaGateClosed(key=key) | e.QuotaPolicyChanged(key=key):
            yield "quota", key
        case _:
            return
