"""Alerts about workers and their leases."""

from ops.rules.rule import Alert, Group

WORKERS = Group(
    name="muster-workers",
    rules=(
        Alert(
            name="MusterWorkerDead",
            severity="warning",
            expr="F(muster_worker_heartbeat_level) == 3",
            summary="A worker is dead.",
            description="Worker {{ $labels.worker }} has been silent beyond the dead threshold, or said so itself.",
            dashboard="muster-workers",
            subject="worker",
        ),
        Alert(
            name="MusterManyWorkersDead",
            severity="critical",
            lasting="2m",
            expr='sum by (job) (F(muster_workers{level="dead"})) / (job:muster_workers:sum >= 5) > 0.2',
            summary="More than a fifth of the workers is dead.",
            description="{{ $value | humanizePercentage }} of the workers are dead.",
            dashboard="muster-workers",
        ),
        Alert(
            name="MusterWorkersStale",
            severity="warning",
            lasting="5m",
            expr='sum by (job) (F(muster_workers{level="stale"})) / (job:muster_workers:sum > 0) > 0.1',
            summary="More than a tenth of the workers is stale.",
            description="{{ $value | humanizePercentage }} of the workers are stale.",
            dashboard="muster-workers",
        ),
        Alert(
            name="MusterNoHealthyWorkers",
            severity="critical",
            lasting="5m",
            expr="""
            sum by (job) (F(muster_units{state="ready"})) > 0
            unless on (job) (sum by (job) (F(muster_workers{level=~"healthy|warn"})) > 0)
            """,
            summary="There is work and no live worker.",
            description="{{ $value }} units are ready and no worker is healthy or warn.",
            dashboard="muster-workers",
        ),
        Alert(
            name="MusterHeartbeatFlapping",
            severity="info",
            lasting="15m",
            expr="""
            sum by (job) (I[15m](muster_heartbeat_level_transitions_total{to=~"warn|stale"}))
            > 3 * (job:muster_workers:sum >= 1)
            """,
            summary="Heartbeat levels flap.",
            description='Workers went warn or stale {{ $value | printf "%.0f" }} times in 15 minutes, over three times each.',
            dashboard="muster-workers",
        ),
        Alert(
            name="MusterLeasesExpiring",
            severity="warning",
            lasting="5m",
            expr="""
            sum by (job) (I[15m](muster_lease_events_total{event="expired"}))
            / (sum by (job) (I[15m](muster_lease_events_total{event="granted"})) >= 20) > 0.1
            """,
            summary="Leases expire instead of being released.",
            description="{{ $value | humanizePercentage }} as many leases expired as were granted in 15 minutes.",
            dashboard="muster-workers",
        ),
        Alert(
            name="MusterLeaseReaperStuck",
            severity="critical",
            lasting="5m",
            expr="F(muster_leases_overdue) > 0",
            summary="Expired leases are not reaped.",
            description="{{ $value }} leases have expired and are not taken back; their units cannot be claimed again.",
            dashboard="muster-workers",
        ),
    ),
)
