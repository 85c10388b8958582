"""Alerts about failures, retries and the quarantine."""

from ops.rules.rule import Alert, Group

FAILURES = Group(
    name="muster-failures",
    rules=(
        Alert(
            name="MusterQuarantineGrowing",
            severity="warning",
            expr='sum by (job, campaign) (I[15m](muster_campaign_units_finished_total{outcome="quarantined"})) > 5',
            summary="The quarantine is growing.",
            description='{{ $value | printf "%.0f" }} units of campaign {{ $labels.campaign }} were quarantined in 15 minutes.',
            dashboard="muster-failures",
            subject="campaign",
        ),
        Alert(
            name="MusterQuarantineUnattended",
            severity="info",
            lasting="24h",
            expr='sum by (job, campaign) (F(muster_campaign_units{state="quarantined"})) > 0',
            summary="Quarantined units wait for a decision.",
            description="Campaign {{ $labels.campaign }} has had quarantined units for a day, {{ $value }} now.",
            dashboard="muster-failures",
            subject="campaign",
        ),
        Alert(
            name="MusterSkipCascade",
            severity="warning",
            expr='sum by (job) (I[15m](muster_skips_total{reason="dependency_failed"})) > 50',
            summary="Failures skip many dependents.",
            description='{{ $value | printf "%.0f" }} units were skipped in 15 minutes because one that they depend on failed.',
            dashboard="muster-failures",
        ),
        Alert(
            name="MusterScreenCaptureMissing",
            severity="info",
            expr="""
            sum by (job) (I[6h](muster_quarantine_screens_total{captured="false"}))
            / (sum by (job) (I[6h](muster_quarantine_screens_total)) >= 5) > 0.5
            """,
            summary="Quarantines arrive without the last screen.",
            description="{{ $value | humanizePercentage }} of the units quarantined in 6 hours came without their last screen.",
            dashboard="muster-failures",
        ),
        Alert(
            name="MusterRetrySuccessLow",
            severity="warning",
            lasting="10m",
            expr="job:muster_retry_success:ratio1h < 0.5 and sum by (job) (I[1h](muster_retries_total)) >= 20",
            summary="Retries mostly fail.",
            description="Only {{ $value | humanizePercentage }} of the retries of the last hour succeeded.",
            dashboard="muster-failures",
        ),
        Alert(
            name="MusterRetryStorm",
            severity="warning",
            lasting="10m",
            expr="""
            sum by (job) (I[15m](muster_retries_scheduled_total))
            / (sum by (job) (I[15m](muster_attempts_total)) >= 20) > 0.5
            """,
            summary="More than half of the attempts end in a retry.",
            description="{{ $value | humanizePercentage }} of the attempts of the last 15 minutes were followed by a retry.",
            dashboard="muster-failures",
        ),
        Alert(
            name="MusterRetriesOverdue",
            severity="critical",
            lasting="10m",
            expr="F(muster_retries_overdue) > 0",
            summary="Due retries are not released.",
            description="{{ $value }} delayed units are more than 30 seconds past their due time: the retry sweep does not run.",
            dashboard="muster-failures",
        ),
    ),
)
