"""From an event to increments: pure, and of whole numbers only, so that sums do not depend on how the log was cut."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from projections.views.measurement import Measured
from service.domain import events as e
from service.domain import ids

Increment = tuple[str, tuple[str, ...], int, int | None]
"""Family, label values, how much more, and for a histogram what was observed: microseconds, or the number itself."""

WATCHDOGS = {"idle_output": "idle_output", "max_duration": "max_duration", "idle_no_output": "idle_grace"}
NO_QUOTA = "none"


def us(seconds: float) -> int:
    """Return *seconds* in whole microseconds."""
    return round(seconds * 1_000_000)


def moved(to: str, count: int = 1) -> Increment:
    """Count units that came into state *to*."""
    return "muster_unit_transitions_total", (to,), count, None


def one(family: str, *labels: str) -> Increment:
    """Count one."""
    return family, labels, 1, None


def attempt_ended(event: e.Recorded, outcome: str, duration: float | None) -> Iterator[Increment]:
    """Count the end of an attempt, and its duration when the event tells it."""
    campaign = event.campaign or ""
    yield one("muster_attempts_total", outcome)
    yield one("muster_campaign_attempts_total", campaign, outcome)
    if duration is not None:
        yield "muster_attempt_duration_seconds", (outcome,), 1, us(duration)
        yield "muster_campaign_attempt_duration_seconds", (campaign,), 1, us(duration)


def finished(event: e.Recorded, outcome: str) -> Increment:
    """Count the end of a unit."""
    return one("muster_campaign_units_finished_total", event.campaign or "", outcome)


def lasted(event: e.Recorded, first_ready_at: datetime | None, outcome: str) -> Iterator[Increment]:
    """Count how long a unit took from its first readiness to its end; one that was never ready took no time at all."""
    if first_ready_at is not None:
        yield "muster_unit_duration_seconds", (outcome,), 1, since(first_ready_at, event)


def since(at: datetime, event: e.Recorded) -> int:
    """Return the microseconds from *at* to *event*."""
    return us((event.at - at).total_seconds())


def campaign_completed(body: e.CampaignCompleted, _event: e.Recorded) -> Iterator[Increment]:
    """A campaign ended."""
    yield one("muster_campaign_transitions_total", "failed" if body.outcome == "failed" else "completed")
    # The catalogue knows three outcomes: a partial campaign ended without a failure, as an achieved one.
    yield "muster_campaign_duration_seconds", ("failed" if body.outcome == "failed" else "achieved",), 1, us(body.duration)


def campaign_cancelled(body: e.CampaignCancelled, _event: e.Recorded) -> Iterator[Increment]:
    """A campaign was given up."""
    yield one("muster_campaign_transitions_total", "cancelled")
    if body.duration is not None:
        yield "muster_campaign_duration_seconds", ("cancelled",), 1, us(body.duration)


def breaker_reset(body: e.BreakerReset, _event: e.Recorded) -> Iterator[Increment]:
    """A breaker is armed again."""
    yield one("muster_safety_cap_resets_total", "human" if body.cause == "reset" else "success")


def units_added(body: e.UnitsAdded, _event: e.Recorded) -> Iterator[Increment]:
    """Units join."""
    blocked = sum(1 for unit in body.units if unit.waits_for)
    if blocked:
        yield moved("blocked", blocked)
    if len(body.units) > blocked:
        yield moved("ready", len(body.units) - blocked)


def unit_claimed(body: e.UnitClaimed, _event: e.Recorded) -> Iterator[Increment]:
    """A unit runs, perhaps the first of its campaign."""
    yield moved("running")
    if body.begins:
        yield one("muster_campaign_transitions_total", "started")
    yield one("muster_lease_events_total", "granted")
    yield "muster_unit_wait_seconds", (), 1, us(body.waited)


def heartbeat(_body: e.UnitHeartbeat, _event: e.Recorded) -> Iterator[Increment]:
    """A lease is renewed."""
    yield one("muster_heartbeats_total")
    yield one("muster_lease_events_total", "renewed")


def worker_heartbeat(_body: e.WorkerHeartbeat, _event: e.Recorded) -> Iterator[Increment]:
    """A worker lives."""
    yield one("muster_heartbeats_total")


def unit_completed(body: e.UnitCompleted, event: e.Recorded) -> Iterator[Increment]:
    """A unit is done."""
    yield moved("done")
    yield finished(event, "completed")
    yield from attempt_ended(event, "completed", body.duration)
    yield from lasted(event, body.first_ready_at, "completed")
    yield "muster_unit_retries", (), 1, body.attempt - 1
    if body.attempt > 1:
        yield one("muster_retries_total", "success")


def attempt_failed(body: e.AttemptFailed, event: e.Recorded) -> Iterator[Increment]:
    """An attempt failed; a silent one expired."""
    yield one("muster_attempt_failures_total", body.reason)
    yield from attempt_ended(event, "expired" if body.reason in ids.SILENT_FAILURES else "failed", body.duration)
    if body.reason in WATCHDOGS:
        yield one("muster_watchdog_fires_total", WATCHDOGS[body.reason])


def lease_expired(_body: e.LeaseExpired, _event: e.Recorded) -> Iterator[Increment]:
    """A lease ended without a word."""
    yield one("muster_lease_events_total", "expired")


def retry_scheduled(body: e.RetryScheduled, _event: e.Recorded) -> Iterator[Increment]:
    """A unit rests before its next attempt."""
    yield moved("delayed")
    yield one("muster_retries_scheduled_total")
    yield "muster_retry_delay_seconds", (), 1, body.delay_ms * 1000
    if body.after_attempt > 1:
        yield one("muster_retries_total", "failed")


def unit_quarantined(body: e.UnitQuarantined, event: e.Recorded) -> Iterator[Increment]:
    """A unit failed for good."""
    yield moved("quarantined")
    yield finished(event, "quarantined")
    yield from lasted(event, body.first_ready_at, "quarantined")
    yield one("muster_quarantines_total", body.reason)
    yield "muster_unit_retries", (), 1, max(body.attempts - 1, 0)
    yield one("muster_quarantine_screens_total", "false" if body.screen_id is None else "true")
    if body.was == "running" and body.attempts > 1:
        yield one("muster_retries_total", "exhausted")


def quarantine_cleared(body: e.QuarantineCleared, _event: e.Recorded) -> Iterator[Increment]:
    """A unit is sent back to work."""
    yield moved(body.to)
    yield one("muster_quarantine_cleared_total", "retry")


def unit_parked(body: e.UnitParked, event: e.Recorded) -> Iterator[Increment]:
    """A unit waits for quota; a worker's own park ends its attempt neutrally."""
    yield moved("parked")
    yield one("muster_parks_total", body.quota or NO_QUOTA)
    if body.token is not None:
        yield one("muster_lease_events_total", "released")
        yield from attempt_ended(event, "parked", None)


def unit_unparked(body: e.UnitUnparked, _event: e.Recorded) -> Iterator[Increment]:
    """A pause is over."""
    yield moved("ready")
    yield one("muster_unparks_total", "manual" if body.cause == "manual" else "auto")
    if body.parked is not None:
        yield "muster_park_duration_seconds", (), 1, us(body.parked)


def unit_released(body: e.UnitReleased, event: e.Recorded) -> Iterator[Increment]:
    """A claim ended neutrally."""
    yield moved("ready")
    yield one("muster_lease_events_total", "fenced" if body.cause == "fence" else "released")
    yield from attempt_ended(event, "released", None)


def unit_skipped(body: e.UnitSkipped, event: e.Recorded) -> Iterator[Increment]:
    """A dependency failed for good, or was itself skipped."""
    yield moved("skipped")
    yield finished(event, "skipped")
    yield from lasted(event, body.first_ready_at, "skipped")
    yield one("muster_skips_total", "dependency_failed" if len(body.path) <= len(("failed", "skipped")) else "dependency_skipped")


def unit_cancelled(body: e.UnitCancelled, event: e.Recorded) -> Iterator[Increment]:
    """Nobody will run a unit."""
    yield moved("cancelled")
    yield finished(event, "cancelled")
    yield from lasted(event, body.first_ready_at, "cancelled")
    if body.was == "quarantined":
        yield one("muster_quarantine_cleared_total", "discard")


def investigation_produced(body: e.InvestigationProduced, _event: e.Recorded) -> Iterator[Increment]:
    """An investigation left a fix."""
    yield one("muster_investigations_total", "produced")
    yield "muster_investigation_duration_seconds", (), 1, us(body.duration)


def investigation_empty(body: e.InvestigationEmpty, _event: e.Recorded) -> Iterator[Increment]:
    """An investigation left nothing, or took too long."""
    yield one("muster_investigations_total", "timeout" if body.why == "timeout" else "empty")
    yield "muster_investigation_duration_seconds", (), 1, us(body.duration)


def recovery_applied(body: e.RecoveryApplied, _event: e.Recorded) -> Iterator[Increment]:
    """A plan was carried out."""
    yield one("muster_recoveries_total", "applied")
    yield one("muster_campaign_transitions_total", "recovered")
    yield "muster_recovered_units_total", (), len(body.units), None


def always(*increments: Increment) -> Callable[[Any, e.Recorded], tuple[Increment, ...]]:
    """Return the measure of an event that always counts the same."""
    return lambda _body, _event: increments


MEASURES: dict[type[e.Event], Callable[[Any, e.Recorded], Iterator[Increment] | tuple[Increment, ...]]] = {
    e.CampaignCreated: always(one("muster_campaign_transitions_total", "created")),
    e.CampaignPaused: always(one("muster_campaign_transitions_total", "paused")),
    e.CampaignResumed: always(one("muster_campaign_transitions_total", "resumed")),
    e.CampaignReopened: always(one("muster_campaign_transitions_total", "reopened")),
    e.CampaignCancelled: campaign_cancelled,
    e.CampaignCompleted: campaign_completed,
    e.BreakerTripped: always(one("muster_safety_cap_trips_total")),
    e.BreakerReset: breaker_reset,
    e.UnitsAdded: units_added,
    e.UnitUnblocked: always(moved("ready")),
    e.UnitClaimed: unit_claimed,
    e.UnitHeartbeat: heartbeat,
    e.UnitCompleted: unit_completed,
    e.AttemptFailed: attempt_failed,
    e.LeaseExpired: lease_expired,
    e.RetryScheduled: retry_scheduled,
    e.RetryDue: always(moved("ready")),
    e.UnitQuarantined: unit_quarantined,
    e.QuarantineCleared: quarantine_cleared,
    e.UnitParked: unit_parked,
    e.UnitUnparked: unit_unparked,
    e.UnitReleased: unit_released,
    e.UnitSkipped: unit_skipped,
    e.UnitUnskipped: lambda body, _event: (moved(body.to),),
    e.UnitCancelled: unit_cancelled,
    e.LateResult: always(one("muster_late_results_total")),
    e.WorkerHeartbeat: worker_heartbeat,
    e.WorkerRegistered: always(one("muster_worker_registrations_total")),
    e.WorkerDeregistered: lambda body, _event: (one("muster_worker_exits_total", body.reason),),
    e.LevelChanged: lambda body, _event: (one("muster_heartbeat_level_transitions_total", body.to),),
    e.QuotaGateClosed: lambda body, _event: (one("muster_quota_gate_transitions_total", body.key, "closed"),),
    e.QuotaGateOpened: lambda body, _event: (one("muster_quota_gate_transitions_total", body.key, "open"),),
    e.InvestigationProduced: investigation_produced,
    e.InvestigationEmpty: investigation_empty,
    e.InvestigationSkipped: always(one("muster_investigations_total", "skipped")),
    e.RecoveryApplied: recovery_applied,
    e.RecoveryDeclined: always(one("muster_recoveries_total", "declined")),
    e.DiagnosticExported: lambda body, _event: (one("muster_diagnostics_total", "forced" if body.forced else "exported"),),
    e.LeaderElected: always(one("muster_leader_changes_total")),
}


def measure(event: e.Recorded) -> Iterator[Increment]:
    """Yield everything that *event* adds to the series."""
    body = event.body
    yield "muster_events_total", (body.kind,), 1, None
    counted = MEASURES.get(type(body))
    if counted is not None:
        yield from counted(body, event)


SPANS: dict[Measured, tuple[tuple[str, tuple[str, ...]], ...]] = {
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
"""The histograms of what the cards measure, and the counters of how often they do."""


def parents(event: e.Recorded) -> Iterator[tuple[str, str]]:
    """Yield what begins with *event* and has series of its own, as label and value: they exist at zero before the first count."""
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
