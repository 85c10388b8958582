"""Alerts about the pool, quotas and parking."""

from ops.rules.rule import Alert, Group

QUOTA = Group(
    name="muster-quota",
    rules=(
        Alert(
            name="MusterPoolSaturated",
            severity="info",
            lasting="30m",
            expr="job:muster_pool_active:ratio >= 1",
            summary="The pool is full.",
            description="{{ $value | humanizePercentage }} of the pool's slots have been in use for half an hour.",
            dashboard="muster-quota",
        ),
        Alert(
            name="MusterDispatchBottleneck",
            severity="warning",
            lasting="30m",
            expr="""
            job:muster_pool_active:ratio < 0.2
            and on (job) sum by (job) (F(muster_units{state="ready"})) > 10
            """,
            summary="Slots are idle although work is ready.",
            description="Only {{ $value | humanizePercentage }} of the pool's slots are used while more than 10 units are ready.",
            dashboard="muster-quota",
        ),
        Alert(
            name="MusterQuotaParkedTooLong",
            severity="warning",
            expr="(time() - F(muster_quota_parked_since_timestamp_seconds)) > 6 * 3600",
            summary="Units have been parked on a quota for more than 6 hours.",
            description="The gate of quota {{ $labels.quota }} has been closed for {{ $value | humanizeDuration }}.",
            dashboard="muster-quota",
        ),
        Alert(
            name="MusterQuotaResumeOverdue",
            severity="critical",
            lasting="5m",
            expr="""
            (time() - F(muster_quota_resume_timestamp_seconds)) > 900
            and on (job, quota) F(muster_quota_parked_units) > 0
            """,
            summary="Auto-resume did not happen.",
            description="Quota {{ $labels.quota }} was to resume {{ $value | humanizeDuration }} ago and units are still parked.",
            dashboard="muster-quota",
        ),
        Alert(
            name="MusterParkingChurn",
            severity="info",
            lasting="15m",
            expr="""
            sum by (job, quota) (I[1h](muster_parks_total)) > 10 * F(muster_quota_parked_units)
            and sum by (job, quota) (I[1h](muster_parks_total)) > 100
            """,
            summary="Units are parked and resumed in a loop.",
            description='{{ $value | printf "%.0f" }} parks on quota {{ $labels.quota }} in an hour, more than ten for each'
            " parked unit.",
            dashboard="muster-quota",
        ),
    ),
)
