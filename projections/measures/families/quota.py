"""Quotas, the pool and the engine; investigations and recoveries."""

from projections.measures.family import counter, gauge, histogram

INVESTIGATION_OUTCOMES = ("produced", "empty", "timeout", "skipped")

QUOTAS = (
    counter("muster_parks_total", "Units parked; never an attempt.", "unit.parked", quota=None),
    counter("muster_unparks_total", "Parked units that are ready again.", "unit.unparked", trigger=("auto", "manual")),
    histogram(
        "muster_park_duration_seconds",
        "Time that units stayed parked.",
        "unit.unparked",
        "60 300 900 1800 3600 7200 10800 18000 28800 43200 86400 604800",
    ),
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
    gauge("muster_quota_used_ratio", "Part of the quota that is used, as last read.", quota=None, window=("current",)),
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
