"""Units, their attempts, their retries, the quarantine."""

from typing import get_args

from projections.measures.family import ATTEMPT_ENDS, ATTEMPT_OUTCOMES, UNIT_OUTCOMES, counter, gauge, histogram
from service.domain import ids

ATTEMPT_SECONDS = "1 5 10 30 60 120 300 600 1200 1800 3600 7200 14400 28800"
WAIT_SECONDS = ".1 1 5 15 60 300 900 1800 3600 7200 14400 43200 86400"
CLEARINGS = ("retry", "discard", "accept")

UNITS = (
    gauge("muster_units", "Units of all campaigns by state.", state=ids.UNIT_STATES),
    counter(
        "muster_unit_transitions_total",
        "Changes of a unit's state.",
        "units.added unit.unblocked unit.claimed unit.completed unit.retry_scheduled unit.retry_due unit.quarantined"
        " unit.quarantine_cleared unit.parked unit.unparked unit.released unit.skipped unit.unskipped unit.cancelled",
        to=ids.UNIT_STATES,
    ),
    counter("muster_attempts_total", "Attempts that ended.", ATTEMPT_ENDS, outcome=ATTEMPT_OUTCOMES),
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
        exemplars=True,
        exponential=True,
        outcome=ATTEMPT_OUTCOMES,
    ),
    histogram(
        "muster_unit_wait_seconds",
        "Time a ready unit waited for its claim.",
        "unit.claimed",
        WAIT_SECONDS,
        exemplars=True,
        exponential=True,
    ),
    histogram(
        "muster_unit_duration_seconds",
        "Time from a unit's first readiness to its end; one that was never ready is not counted.",
        "unit.completed unit.quarantined unit.skipped unit.cancelled",
        "10 60 300 900 1800 3600 7200 14400 28800 86400 259200 604800",
        exponential=True,
        outcome=UNIT_OUTCOMES,
    ),
    histogram(
        "muster_unit_retries",
        "Retries of the units that were done or failed for good.",
        "unit.completed unit.quarantined",
        "0 1 2 3 5 10",
    ),
    counter(
        "muster_skips_total",
        "Units skipped.",
        "unit.skipped",
        reason=("dependency_failed", "dependency_skipped", "operator"),
    ),
    histogram(
        "muster_skip_cascade_units",
        "Dependents skipped at one stroke; counted with the campaign's next event.",
        "unit.skipped",
        "1 2 5 10 20 50 100 200 500 1000",
    ),
    counter("muster_late_results_total", "Reports under a superseded token, kept and refused.", "unit.late_result"),
    counter(
        "muster_watchdog_fires_total",
        "Attempts ended by a watchdog.",
        "unit.attempt_failed",
        watchdog=("idle_output", "post_result", "max_duration", "idle_grace"),
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
    gauge("muster_retries_overdue", "Delayed units that were due more than 30 seconds ago.", "T"),
    counter("muster_quarantines_total", "Units quarantined.", "unit.quarantined", reason=get_args(ids.QuarantineReason)),
    counter(
        "muster_quarantine_cleared_total",
        "Units that left the quarantine.",
        "unit.quarantine_cleared unit.cancelled",
        action=CLEARINGS,
    ),
    histogram(
        "muster_quarantine_age_seconds",
        "Time that units stayed in quarantine.",
        "unit.quarantine_cleared unit.cancelled",
        "60 600 3600 14400 43200 86400 259200 604800",
        action=CLEARINGS,
    ),
    counter(
        "muster_quarantine_screens_total",
        "Quarantined units with and without their last screen.",
        "unit.quarantined",
        captured=("true", "false"),
    ),
)
