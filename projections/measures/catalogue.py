"""Every metric once, as data: exporters, fold, documents and tests read it; nothing registers a metric elsewhere."""

from typing import get_args

from projections.measures.family import Family, counter, gauge, histogram, process
from service.domain import ids
from service.domain.events import EVENTS

KINDS = tuple(event.kind for event in EVENTS)
LEVELS: tuple[str, ...] = get_args(ids.Level)
ATTEMPT_OUTCOMES = ("completed", "failed", "expired", "released", "parked", "cancelled")
ENDINGS = ("completed", "quarantined", "skipped", "cancelled")
INVESTIGATION_OUTCOMES = ("produced", "empty", "timeout", "skipped")
CAMPAIGN_STEPS = ("created", "paused", "resumed", "completed", "failed", "reopened", "cancelled")
ATTEMPT_SECONDS = "1 5 10 30 60 120 300 600 1200 1800 3600 7200 14400 28800"
CAMPAIGN_SECONDS = "60 300 900 3600 7200 14400 28800 57600 86400 172800 345600 604800"
WAIT_SECONDS = ".1 1 5 15 60 300 900 1800 3600 7200 14400 43200 86400"
ENDED = "unit.completed unit.attempt_failed unit.released unit.parked unit.cancelled"

CAMPAIGNS = (
    counter(
        "muster_campaign_transitions_total",
        "Campaign lifecycle transitions.",
        "campaign.created campaign.paused campaign.resumed campaign.completed campaign.reopened campaign.cancelled",
        to=CAMPAIGN_STEPS,
    ),
    gauge("muster_campaigns", "Campaigns by state.", state=get_args(ids.CampaignState)),
    gauge("muster_campaign_state", "1 for the current state of a campaign.", campaign=None, state=get_args(ids.CampaignState)),
    gauge("muster_campaign_units", "Units of a campaign by state.", campaign=None, state=ids.UNIT_STATES),
    counter(
        "muster_campaign_units_finished_total",
        "Units that ended, per campaign.",
        "unit.completed unit.quarantined unit.skipped unit.cancelled",
        campaign=None,
        outcome=ENDINGS,
    ),
    counter(
        "muster_campaign_attempts_total", "Attempts that ended, per campaign.", ENDED, campaign=None, outcome=ATTEMPT_OUTCOMES
    ),
    histogram(
        "muster_campaign_attempt_duration_seconds",
        "Time from claim to the end of an attempt, per campaign.",
        "unit.completed unit.attempt_failed",
        "30 120 600 1800 3600 7200 14400",
        campaign=None,
    ),
    gauge("muster_campaign_progress_ratio", "Done units over all units of a campaign.", campaign=None),
    gauge("muster_campaign_throughput_units_per_second", "Units done per second of active time.", "T", campaign=None),
    gauge("muster_campaign_eta_timestamp_seconds", "Expected end of the campaign; absent when unknown.", "T", campaign=None),
    gauge("muster_campaign_deadline_timestamp_seconds", "Deadline of a campaign; absent when none.", campaign=None),
    gauge("muster_campaign_started_timestamp_seconds", "First claim of a campaign.", campaign=None),
    gauge("muster_campaign_finished_timestamp_seconds", "End of a campaign; absent while open.", campaign=None),
    gauge("muster_campaign_last_progress_timestamp_seconds", "Last unit done, the start when none.", campaign=None),
    gauge("muster_campaign_workers", "Workers that hold a lease in the campaign.", campaign=None),
    histogram(
        "muster_campaign_duration_seconds",
        "Time from start to end of campaigns.",
        "campaign.completed",
        CAMPAIGN_SECONDS,
        outcome=get_args(ids.Outcome),
    ),
)

BREAKERS = (
    gauge("muster_campaign_consecutive_failures", "Failures in a row, which the safety cap limits.", campaign=None),
    gauge("muster_campaign_safety_cap", "Failures in a row that stop a campaign.", campaign=None),
    gauge(
        "muster_campaign_paused",
        "1 while paused for that reason.",
        campaign=None,
        reason=("operator", "safety_cap", "quota", "engine"),
    ),
    gauge("muster_campaign_paused_since_timestamp_seconds", "Since when it is paused; absent unless paused.", campaign=None),
    counter("muster_safety_cap_trips_total", "Campaigns stopped by too many failures in a row.", "campaign.breaker_tripped"),
    counter("muster_safety_cap_resets_total", "Breakers armed again.", "campaign.breaker_reset", by=("human", "success")),
)

UNITS = (
    gauge("muster_units", "Units of all campaigns by state.", state=ids.UNIT_STATES),
    counter(
        "muster_unit_transitions_total",
        "Changes of a unit's state.",
        "units.added unit.unblocked unit.claimed unit.completed unit.retry_scheduled unit.retry_due unit.quarantined"
        " unit.quarantine_cleared unit.parked unit.unparked unit.released unit.skipped unit.unskipped unit.cancelled",
        to=ids.UNIT_STATES,
    ),
    counter("muster_attempts_total", "Attempts that ended.", ENDED, outcome=ATTEMPT_OUTCOMES),
    counter(
        "muster_attempt_failures_total",
        "Failed attempts by reason.",
        "unit.attempt_failed",
        reason=get_args(ids.FailureReason),
    ),
    histogram(
        "muster_attempt_duration_seconds",
        "Time from claim to the end of an attempt.",
        "unit.completed unit.attempt_failed",
        ATTEMPT_SECONDS,
        outcome=ATTEMPT_OUTCOMES,
    ),
    histogram("muster_unit_wait_seconds", "Time a ready unit waited for its claim.", "unit.claimed", WAIT_SECONDS),
    counter(
        "muster_skips_total",
        "Units skipped.",
        "unit.skipped",
        reason=("dependency_failed", "dependency_skipped", "operator"),
    ),
    counter("muster_late_results_total", "Reports under a superseded token, kept and refused.", "unit.late_result"),
    counter(
        "muster_watchdog_fires_total",
        "Attempts ended by a watchdog.",
        "unit.attempt_failed",
        watchdog=("idle_output", "max_duration", "idle_grace"),
    ),
)

RETRIES = (
    counter("muster_retries_scheduled_total", "Retries scheduled after a failed attempt.", "unit.retry_scheduled"),
    counter(
        "muster_retries_total",
        "Attempts with number two or more that succeeded, failed, or failed for good.",
        "unit.completed unit.retry_scheduled unit.quarantined",
        result=("success", "failed", "exhausted"),
    ),
    histogram(
        "muster_retry_delay_seconds",
        "Rest before a retry, jitter included.",
        "unit.retry_scheduled",
        ".5 1 2 5 10 30 60 120 300 600 1800 3600",
    ),
    counter("muster_quarantines_total", "Units quarantined.", "unit.quarantined", reason=get_args(ids.QuarantineReason)),
    counter(
        "muster_quarantine_cleared_total",
        "Units that left the quarantine.",
        "unit.quarantine_cleared unit.cancelled",
        action=("retry", "discard"),
    ),
    counter(
        "muster_quarantine_screens_total",
        "Quarantined units with and without their last screen.",
        "unit.quarantined",
        captured=("true", "false"),
    ),
)

WORKERS = (
    gauge("muster_workers", "Watched workers by heartbeat level.", level=LEVELS),
    gauge("muster_worker_last_heartbeat_timestamp_seconds", "When a worker was last heard.", worker=None),
    gauge("muster_worker_heartbeat_level", "Heartbeat level: 0 healthy, 1 warn, 2 stale, 3 dead.", worker=None),
    gauge("muster_worker_leases", "Units that a worker holds.", worker=None),
    counter("muster_heartbeats_total", "Heartbeats accepted.", "unit.heartbeat worker.heartbeat"),
    counter("muster_heartbeat_level_transitions_total", "Changes of a heartbeat level.", "worker.level_changed", to=LEVELS),
    gauge("muster_heartbeat_staleness_max_seconds", "Silence of the quietest watched worker.", "T"),
    counter("muster_worker_registrations_total", "Workers that said who they are.", "worker.registered"),
    counter("muster_worker_exits_total", "Workers that went.", "worker.deregistered", reason=("clean", "dead", "retired")),
    gauge("muster_leases", "Live leases."),
    counter(
        "muster_lease_events_total",
        "What happened to leases.",
        "unit.claimed unit.heartbeat unit.released unit.lease_expired worker.fenced",
        event=("granted", "renewed", "released", "expired", "fenced"),
    ),
    gauge("muster_leases_overdue", "Leases that are over and not yet taken back.", "T"),
)

QUOTAS = (
    counter("muster_parks_total", "Units parked; never an attempt.", "unit.parked", quota=None),
    counter("muster_unparks_total", "Parked units that are ready again.", "unit.unparked", trigger=("auto", "manual")),
    counter(
        "muster_quota_gate_transitions_total",
        "Gates that opened or closed.",
        "quota.gate_closed quota.gate_opened",
        quota=None,
        to=("open", "closed"),
    ),
    gauge("muster_quota_parked_units", "Units parked in the campaigns of a quota.", quota=None),
    gauge("muster_quota_parked_since_timestamp_seconds", "Since when a gate is closed; absent while open.", quota=None),
    gauge("muster_quota_resume_timestamp_seconds", "When a closed gate opens by itself; absent when never.", quota=None),
    gauge("muster_quota_used_ratio", "Part of the quota that is used, as last read.", quota=None),
    gauge("muster_pool_capacity", "Slots of the pool.", pool=("default",)),
    gauge("muster_pool_active", "Slots in use.", pool=("default",)),
    gauge("muster_engine_paused", "1 while the engine is paused."),
)

INQUIRIES = (
    counter(
        "muster_investigations_total",
        "Investigations that ended, or that none was made of.",
        "investigation.produced investigation.empty investigation.skipped",
        outcome=INVESTIGATION_OUTCOMES,
    ),
    histogram(
        "muster_investigation_duration_seconds",
        "Time from the claim of an investigation to its end.",
        "investigation.produced investigation.empty",
        "10 30 60 120 300 600 1200 1800",
    ),
    counter(
        "muster_recoveries_total",
        "Recovery plans that somebody decided on.",
        "recovery.applied recovery.declined",
        result=("applied", "declined"),
    ),
    counter("muster_recovered_units_total", "Units taken from dead claims by a recovery.", "recovery.applied"),
    counter("muster_diagnostics_total", "Bundles taken.", "diagnostic.exported", result=("exported", "forced")),
)

LOG = (
    counter("muster_events_total", "Events of the log by kind.", " ".join(KINDS), kind=KINDS),
    counter("muster_leader_changes_total", "Times that a replica took the lead.", "leader.elected"),
    gauge("muster_event_store_position", "Last position of the log."),
    gauge("muster_projection_position", "Position up to which a projection is folded.", projection=("views",)),
    gauge("muster_projection_lag_events", "Events that a projection has still to fold.", projection=("views",)),
    gauge("muster_projection_lag_seconds", "Age of the oldest event not yet folded.", "T", projection=("views",)),
    gauge("muster_projection_generation", "Grows by one with each swapped rebuild.", projection=("views",)),
    gauge("muster_metrics_fold_position", "Position of the snapshot in this very exposition."),
)

PROCESS = (
    process(
        "histogram",
        "muster_event_append_duration_seconds",
        "Time of one batch of the Writer, from lock to commit.",
        ".001 .0025 .005 .01 .025 .05 .1 .25 .5 1 2.5 5",
    ),
    process("histogram", "muster_event_append_batch_events", "Events of one batch of the Writer.", "1 2 5 10 20 50 100 200 500"),
    process(
        "counter",
        "muster_event_append_failures_total",
        "Batches that failed.",
        reason=("conflict", "db_unavailable", "timeout", "invalid", "other"),
    ),
    process("counter", "muster_projection_events_total", "Events that this process folded.", projection=("views",)),
    process(
        "histogram",
        "muster_projection_batch_duration_seconds",
        "Time of one page of the projector.",
        ".001 .005 .01 .05 .1 .5 1 5",
        projection=("views",),
    ),
    process("counter", "muster_projection_errors_total", "Pages of the projector that failed.", projection=("views",)),
    process("counter", "muster_projection_divergences_total", "Rows that differed from a fresh fold.", projection=("views",)),
    process("counter", "muster_http_requests_total", "Requests answered.", method=None, route=None, code=None),
    process(
        "histogram",
        "muster_http_request_duration_seconds",
        "Time of a request.",
        ".005 .01 .025 .05 .1 .25 .5 1 2.5 5 10",
        method=None,
        route=None,
    ),
    process("gauge", "muster_http_requests_in_flight", "Requests being answered."),
    process("gauge", "muster_stream_clients", "Open event streams."),
    process("gauge", "muster_db_pool_connections", "Connections of the pool.", state=("used", "idle")),
    process("gauge", "muster_db_pool_connections_max", "Connections that the pool may open."),
    process("histogram", "muster_event_loop_lag_seconds", "Delay of the event loop.", ".001 .005 .01 .05 .1 .25 .5 1 5"),
    process("gauge", "muster_leader", "1 while this replica leads."),
    process(
        "gauge",
        "muster_sweep_last_success_timestamp_seconds",
        "When a sweep last ended well.",
        sweep=None,
    ),
    process("histogram", "muster_sweep_duration_seconds", "Time of a sweep.", ".001 .01 .05 .1 .5 1 5 30", sweep=None),
    process("counter", "muster_sweep_errors_total", "Sweeps that failed.", sweep=None),
    process("info", "muster_build_info", "What this process is.", version=None, schema=None, python=None),
    process("gauge", "muster_metrics_collect_duration_seconds", "Time to collect the last exposition."),
    process("counter", "muster_metrics_collect_errors_total", "Expositions without the fleet's part."),
)

CATALOGUE: dict[str, Family] = {
    family.name: family
    for families in (CAMPAIGNS, BREAKERS, UNITS, RETRIES, WORKERS, QUOTAS, INQUIRIES, LOG, PROCESS)
    for family in families
}
FOLDED: tuple[Family, ...] = tuple(family for family in CATALOGUE.values() if family.scope == "F")
