"""Alerts about the processes, the leader and what leaves the service as a number."""

from ops.rules.rule import Alert, Group

SERVICE = Group(
    name="muster-service",
    rules=(
        Alert(
            name="MusterDbPoolExhausted",
            severity="warning",
            lasting="5m",
            expr="""
            max by (job, instance) (muster_db_pool_connections{state="used"})
            / on (job, instance) max by (job, instance) (muster_db_pool_connections_max) > 0.95
            """,
            summary="The database pool is full.",
            description="{{ $labels.instance }} uses {{ $value | humanizePercentage }} of its database connections.",
            dashboard="muster-service",
            subject="instance",
        ),
        Alert(
            name="MusterEventLoopBlocked",
            severity="warning",
            lasting="5m",
            expr="hq(0.99, sum by (job, instance, le) (rate(muster_event_loop_lag_seconds_bucket[5m]))) > 0.25",
            summary="The event loop is blocked.",
            description="The event loop of {{ $labels.instance }} is {{ $value | humanizeDuration }} late one time in a hundred.",
            dashboard="muster-service",
            subject="instance",
        ),
        Alert(
            name="MusterNoLeader",
            severity="critical",
            lasting="2m",
            expr="sum by (job) (muster_leader) == 0",
            summary="No replica is leader.",
            description="No replica of job {{ $labels.job }} leads: leases, retries, quotas and heartbeats are not swept.",
            dashboard="muster-service",
        ),
        Alert(
            name="MusterSplitBrain",
            severity="critical",
            lasting="1m",
            expr="sum by (job) (muster_leader) > 1",
            summary="More than one replica claims to be leader.",
            description="{{ $value }} replicas of job {{ $labels.job }} claim to lead.",
            dashboard="muster-service",
        ),
        Alert(
            name="MusterSweepStale",
            severity="critical",
            lasting="2m",
            expr="(time() - max by (job, sweep) (muster_sweep_last_success_timestamp_seconds)) > 120",
            summary="A sweep has stopped.",
            description="The sweep {{ $labels.sweep }} last succeeded {{ $value | humanizeDuration }} ago.",
            dashboard="muster-service",
        ),
        Alert(
            name="MusterRestarting",
            severity="warning",
            expr='changes(process_start_time_seconds{job=~"muster.*"}[30m]) > 3',
            summary="A replica keeps restarting.",
            description="{{ $labels.instance }} has started {{ $value }} times in 30 minutes.",
            dashboard="muster-service",
            subject="instance",
        ),
        Alert(
            name="MusterOtlpExportFailing",
            severity="warning",
            lasting="10m",
            expr="""
            sum by (job) (increase(muster_otlp_exports_total{result="failure"}[10m])) > 0
            unless on (job) sum by (job) (increase(muster_otlp_exports_total{result="success"}[10m])) > 0
            """,
            summary="OTLP export fails.",
            description="Every OTLP export of the last 10 minutes failed.",
            dashboard="muster-log",
        ),
        Alert(
            name="MusterOtlpPointsRejected",
            severity="warning",
            expr='sum by (job) (increase(muster_otlp_points_total{result="rejected"}[15m])) > 0',
            summary="The OTLP receiver rejects data points.",
            description='The receiver refused {{ $value | printf "%.0f" }} data points in 15 minutes.',
            dashboard="muster-log",
        ),
        Alert(
            name="MusterMetricsCollectFailing",
            severity="warning",
            expr="sum by (job, instance) (increase(muster_metrics_collect_errors_total[10m])) > 0",
            summary="Collecting metrics fails.",
            description="{{ $labels.instance }} has answered scrapes without the metrics of the fleet.",
            dashboard="muster-log",
            subject="instance",
        ),
        Alert(
            name="MusterSeriesDropped",
            severity="info",
            lasting="30m",
            expr="F(muster_metrics_dropped_entities) > 0",
            summary="Campaigns or workers are left out of the metrics.",
            description="{{ $value }} entities of kind {{ $labels.entity }} are over the cap and have no series of their own.",
            dashboard="muster-log",
        ),
        Alert(
            name="MusterWatchdog",
            severity="none",
            expr="vector(1)",
            summary="Dead man's switch.",
            description="Always firing; when it stops arriving, Prometheus or Alertmanager is down.",
            dashboard="muster-fleet",
        ),
    ),
)
