"""What each family folds, written down for the proof from the specification and the list of events."""

from ops.prove.formula import Term
from service.domain.events import KINDS

LATE = ("lease_expired", "heartbeat_dead")
FAILED = "unit.attempt_failed"
DONE = "unit.completed"
GONE = "unit.quarantined"
WATCHDOGS = (("idle_output", "idle_output"), ("max_duration", "max_duration"), ("idle_no_output", "idle_grace"))


def ends(*before: str, outcomes: bool = True, observed: str = "") -> tuple[Term, ...]:
    """Return the ends of attempts, with *before* as the first labels."""

    def under(outcome: str) -> tuple[str, ...]:
        return (*before, f"'{outcome}'") if outcomes else before

    timed = (
        Term(DONE, under("completed"), observed=observed),
        Term(FAILED, under("expired"), where=((".reason", LATE),), observed=observed),
        Term(FAILED, under("failed"), without=((".reason", LATE),), observed=observed),
    )
    if observed:
        return timed
    parked = Term("unit.parked", under("parked"), without=((".token", (None,)),))
    return (*timed, Term("unit.released", under("released")), parked)


def lasted(kind: str, outcome: str) -> Term:
    """Return the ends of one *kind* of the units that were ever ready."""
    return Term(kind, (f"'{outcome}'",), without=((".first_ready_at", (None,)),), observed="~first_ready_at")


def moves() -> tuple[Term, ...]:
    """Return every change of a unit's state."""
    to = {
        "ready": "unit.unblocked unit.retry_due unit.unparked unit.released", "running": "unit.claimed", "done": DONE,
        "delayed": "unit.retry_scheduled", "quarantined": GONE, "parked": "unit.parked", "skipped": "unit.skipped",
        "cancelled": "unit.cancelled",
    }  # fmt: skip
    simple = (Term(kinds, (f"'{state}'",)) for state, kinds in to.items())
    told = Term("unit.quarantine_cleared unit.unskipped", (".to",))
    ready = Term("units.added", ("'ready'",), where=(("@waits_for", (None, "0")),), each="units")
    return (*simple, told, ready, Term("units.added", ("'blocked'",), without=(("@waits_for", (None, "0")),), each="units"))


FAMILIES: dict[str, tuple[Term, ...]] = {
    "muster_campaign_transitions_total": (
        *(Term(f"campaign.{step}", (f"'{step}'",)) for step in ("created", "paused", "resumed", "reopened", "cancelled")),
        Term("unit.claimed", ("'started'",), where=((".begins", ("true",)),)),
        Term("recovery.applied", ("'recovered'",)),
        Term("campaign.completed", ("'completed'",), where=((".outcome", ("achieved", "partial")),)),
        Term("campaign.completed", ("'failed'",), where=((".outcome", ("failed",)),)),
    ),
    "muster_campaign_units_finished_total": (
        Term(DONE, ("campaign", "'completed'")), Term(GONE, ("campaign", "'quarantined'")),
        Term("unit.skipped", ("campaign", "'skipped'")), Term("unit.cancelled", ("campaign", "'cancelled'")),
    ),
    "muster_campaign_attempts_total": ends("campaign"),
    "muster_campaign_attempt_duration_seconds": ends("campaign", outcomes=False, observed=".duration"),
    "muster_campaign_duration_seconds": (
        Term("campaign.completed", ("'achieved'",), where=((".outcome", ("achieved", "partial")),), observed=".duration"),
        Term("campaign.completed", ("'failed'",), where=((".outcome", ("failed",)),), observed=".duration"),
        Term("campaign.cancelled", ("'cancelled'",), without=((".duration", (None,)),), observed=".duration"),
    ),
    "muster_safety_cap_trips_total": (Term("campaign.breaker_tripped"),),
    "muster_safety_cap_resets_total": (
        Term("campaign.breaker_reset", ("'human'",), where=((".cause", ("reset",)),)),
        Term("campaign.breaker_reset", ("'success'",), without=((".cause", ("reset",)),)),
    ),
    "muster_unit_transitions_total": moves(),
    "muster_attempts_total": ends(),
    "muster_attempt_failures_total": (Term(FAILED, (".reason",)),),
    "muster_attempt_duration_seconds": ends(observed=".duration"),
    "muster_unit_wait_seconds": (Term("unit.claimed", observed=".waited"),),
    "muster_unit_duration_seconds": (
        lasted(DONE, "completed"), lasted(GONE, "quarantined"), lasted("unit.skipped", "skipped"),
        lasted("unit.cancelled", "cancelled"),
    ),
    "muster_unit_retries": (
        Term(DONE, observed=".attempt", scale=1, less=1),
        Term(GONE, without=((".attempts", ("0",)),), observed=".attempts", scale=1, less=1),
        Term(GONE, where=((".attempts", ("0",)),)),
    ),
    "muster_late_results_total": (Term("unit.late_result"),),
    "muster_watchdog_fires_total": tuple(Term(FAILED, (f"'{name}'",), where=((".reason", (why,)),)) for why, name in WATCHDOGS),
    "muster_retries_scheduled_total": (Term("unit.retry_scheduled"),),
    "muster_retries_total": (
        Term(DONE, ("'success'",), without=((".attempt", ("1",)),)),
        Term("unit.retry_scheduled", ("'failed'",), without=((".after_attempt", ("1",)),)),
        Term(GONE, ("'exhausted'",), where=((".was", ("running",)),), without=((".attempts", ("0", "1")),)),
    ),
    "muster_retry_delay_seconds": (Term("unit.retry_scheduled", observed=".delay_ms", scale=1000),),
    "muster_quarantines_total": (Term(GONE, (".reason",)),),
    "muster_quarantine_cleared_total": (
        Term("unit.quarantine_cleared", ("'retry'",)),
        Term("unit.cancelled", ("'discard'",), where=((".was", ("quarantined",)),)),
    ),
    "muster_quarantine_screens_total": (
        Term(GONE, ("'false'",), where=((".screen_id", (None,)),)), Term(GONE, ("'true'",), without=((".screen_id", (None,)),)),
    ),
    "muster_heartbeats_total": (Term("unit.heartbeat worker.heartbeat"),),
    "muster_heartbeat_level_transitions_total": (Term("worker.level_changed", (".to",)),),
    "muster_worker_registrations_total": (Term("worker.registered"),),
    "muster_worker_exits_total": (Term("worker.deregistered", (".reason",)),),
    "muster_lease_events_total": (
        Term("unit.claimed", ("'granted'",)), Term("unit.heartbeat", ("'renewed'",)), Term("unit.lease_expired", ("'expired'",)),
        Term("unit.parked", ("'released'",), without=((".token", (None,)),)),
        Term("unit.released", ("'fenced'",), where=((".cause", ("fence",)),)),
        Term("unit.released", ("'released'",), without=((".cause", ("fence",)),)),
    ),
    "muster_recoveries_total": (Term("recovery.applied", ("'applied'",)), Term("recovery.declined", ("'declined'",))),
    "muster_recovered_units_total": (Term("recovery.applied", size="units"),),
    "muster_parks_total": (Term("unit.parked", (".quota|'none'",)),),
    "muster_unparks_total": (
        Term("unit.unparked", ("'manual'",), where=((".cause", ("manual",)),)),
        Term("unit.unparked", ("'auto'",), without=((".cause", ("manual",)),)),
    ),
    "muster_park_duration_seconds": (Term("unit.unparked", without=((".parked", (None,)),), observed=".parked"),),
    "muster_quota_gate_transitions_total": (
        Term("quota.gate_closed", (".key", "'closed'")), Term("quota.gate_opened", (".key", "'open'")),
    ),
    "muster_investigations_total": (
        Term("investigation.produced", ("'produced'",)), Term("investigation.skipped", ("'skipped'",)),
        Term("investigation.empty", ("'timeout'",), where=((".why", ("timeout",)),)),
        Term("investigation.empty", ("'empty'",), without=((".why", ("timeout",)),)),
    ),
    "muster_investigation_duration_seconds": (Term("investigation.produced investigation.empty", observed=".duration"),),
    "muster_diagnostics_total": (
        Term("diagnostic.exported", ("'forced'",), where=((".forced", ("true",)),)),
        Term("diagnostic.exported", ("'exported'",), without=((".forced", ("true",)),)),
    ),
    "muster_skips_total": (
        Term("unit.skipped", ("'dependency_failed'",), where=(("#path", ("1", "2")),)),
        Term("unit.skipped", ("'dependency_skipped'",), without=(("#path", ("1", "2")),)),
    ),
    "muster_events_total": (Term(" ".join(KINDS), ("kind",)),),
    "muster_leader_changes_total": (Term("leader.elected"),),
}  # fmt: skip
