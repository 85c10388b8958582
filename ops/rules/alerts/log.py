"""Alerts about the log and its folds."""

from ops.rules.rule import Alert, Group

LOG = Group(
    name="muster-log",
    rules=(
        Alert(
            name="MusterEventAppendFailing",
            severity="critical",
            lasting="5m",
            expr='sum by (job, reason) (rate(muster_event_append_failures_total{reason!="conflict"}[5m])) > 0',
            summary="Events cannot be appended.",
            description="Appends have been failing with {{ $labels.reason }} for 5 minutes: decisions cannot be recorded.",
            dashboard="muster-log",
        ),
        Alert(
            name="MusterEventAppendConflictsHigh",
            severity="warning",
            lasting="15m",
            expr="""
            sum by (job) (rate(muster_event_append_failures_total{reason="conflict"}[15m]))
            / sum by (job) (rate(muster_event_append_duration_seconds_count[15m])) > 0.2
            """,
            summary="Many appends conflict.",
            description="{{ $value | humanizePercentage }} as many appends conflicted as were committed in 15 minutes.",
            dashboard="muster-log",
        ),
        Alert(
            name="MusterEventAppendSlow",
            severity="warning",
            lasting="10m",
            expr="job:muster_event_append_duration_seconds:p99_5m > 0.5",
            summary="Appending events is slow.",
            description="One append in a hundred takes longer than {{ $value | humanizeDuration }}.",
            dashboard="muster-log",
        ),
        Alert(
            name="MusterProjectionLagging",
            severity="warning",
            lasting="5m",
            expr="F(muster_projection_lag_seconds) > 30",
            summary="A projection lags behind the event log.",
            description="Projection {{ $labels.projection }} is {{ $value | humanizeDuration }} behind, as are its readers.",
            dashboard="muster-log",
        ),
        Alert(
            name="MusterProjectionLagging",
            severity="critical",
            lasting="5m",
            expr="F(muster_projection_lag_seconds) > 300",
            summary="A projection lags behind the event log.",
            description="Projection {{ $labels.projection }} is {{ $value | humanizeDuration }} behind, as are its readers.",
            dashboard="muster-log",
        ),
        Alert(
            name="MusterProjectionStuck",
            severity="critical",
            lasting="5m",
            expr="""
            F(muster_projection_lag_events) > 0
            and on (job, projection) F(changes(muster_projection_position[10m])) == 0
            """,
            summary="A projection is stuck.",
            description="Projection {{ $labels.projection }} has {{ $value }} events to fold and has not moved for 10 minutes.",
            dashboard="muster-log",
        ),
        Alert(
            name="MusterProjectionErrors",
            severity="warning",
            expr="sum by (job, projection) (increase(muster_projection_errors_total[15m])) > 0",
            summary="A projection raises errors.",
            description="Pages of projection {{ $labels.projection }} failed in the last 15 minutes.",
            dashboard="muster-log",
        ),
        Alert(
            name="MusterProjectionDiverged",
            severity="critical",
            expr="sum by (job, projection) (increase(muster_projection_divergences_total[1h])) > 0",
            summary="A projection differs from a fresh fold of the log.",
            description="Rows of projection {{ $labels.projection }} are not what the log says; numbers cannot be trusted.",
            dashboard="muster-log",
        ),
        Alert(
            name="MusterFoldSkew",
            severity="warning",
            lasting="10m",
            expr="max by (job) (muster_metrics_fold_position) - min by (job) (muster_metrics_fold_position) > 5000",
            summary="Replicas export different positions of the log.",
            description="The replicas' metrics are {{ $value }} events apart: one of them serves an old snapshot.",
            dashboard="muster-log",
        ),
    ),
)
