"""Workers, their heartbeats and leases."""

from typing import get_args

from projections.measures.family import counter, gauge, histogram, info
from service.domain import ids

LEVELS: tuple[str, ...] = get_args(ids.Level)

WORKERS = (
    gauge("muster_workers", "Watched workers by heartbeat level.", "T", level=LEVELS),
    info("muster_worker_info", "What a worker is; joins it to its host.", "worker host version pool"),
    gauge("muster_worker_last_heartbeat_timestamp_seconds", "When a worker was last heard.", worker=None),
    gauge("muster_worker_heartbeat_level", "Heartbeat level: 0 healthy, 1 warn, 2 stale, 3 dead.", "T", worker=None),
    gauge("muster_worker_leases", "Units that a worker holds.", worker=None),
    counter("muster_heartbeats_total", "Heartbeats accepted.", "unit.heartbeat worker.heartbeat"),
    histogram(
        "muster_heartbeat_interval_seconds",
        "Time between a heartbeat and the last word of the same worker before it; beats of one moment count once.",
        "unit.heartbeat worker.heartbeat",
        "1 2 5 10 15 20 30 45 60 90 120 300 600",
        exponential=True,
    ),
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
    gauge(
        "muster_leases_overdue",
        "Leases that are over and not taken back yet, but those that an open recovery plan is about.",
        "T",
    ),
)
