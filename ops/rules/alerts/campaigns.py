"""Alerts about one campaign."""

from ops.rules.rule import Alert, Group

CAMPAIGNS = Group(
    name="muster-campaigns",
    rules=(
        Alert(
            name="MusterCampaignFailureRateHigh",
            severity="warning",
            lasting="5m",
            expr="campaign:muster_unit_failure:ratio30m > 0.05 and campaign:muster_units_finished:increase30m >= 20",
            summary="More than 5% of finished units were quarantined.",
            description="{{ $value | humanizePercentage }} of the units that campaign {{ $labels.campaign }} finished in the last"
            " 30 minutes ended in quarantine.",
            dashboard="muster-failures",
            subject="campaign",
        ),
        Alert(
            name="MusterCampaignFailureRateCritical",
            severity="critical",
            lasting="5m",
            expr="campaign:muster_unit_failure:ratio30m > 0.25 and campaign:muster_units_finished:increase30m >= 20",
            summary="More than a quarter of finished units were quarantined.",
            description="{{ $value | humanizePercentage }} of the units that campaign {{ $labels.campaign }} finished in the last"
            " 30 minutes ended in quarantine: it spends attempts with little to show.",
            dashboard="muster-failures",
            subject="campaign",
        ),
        Alert(
            name="MusterSafetyCapTripped",
            severity="warning",
            expr='F(muster_campaign_paused{reason="safety_cap"}) == 1',
            summary="Campaign auto-paused after consecutive failures.",
            description="The breaker of campaign {{ $labels.campaign }} has tripped; no unit is handed out until a person resets"
            " it or a manual run succeeds.",
            dashboard="muster-campaign",
            subject="campaign",
        ),
        Alert(
            name="MusterCampaignStalled",
            severity="warning",
            lasting="5m",
            expr="""
            (time() - F(muster_campaign_last_progress_timestamp_seconds)) > 1800
            and on (job, campaign) F(muster_campaign_state{state="running"}) == 1
            and on (job, campaign) (sum by (job, campaign) (F(muster_campaign_units{state=~"ready|running"})) > 0)
            """,
            summary="A running campaign with work to do makes no progress.",
            description="Campaign {{ $labels.campaign }} has finished no unit for {{ $value | humanizeDuration }} although units"
            " are ready or running.",
            dashboard="muster-campaign",
            subject="campaign",
        ),
        Alert(
            name="MusterCampaignStarved",
            severity="warning",
            lasting="15m",
            expr="""
            sum by (job, campaign) (F(muster_campaign_units{state="ready"})) > 0
            unless on (job, campaign) (sum by (job, campaign) (F(muster_campaign_units{state="running"})) > 0)
            and on (job, campaign) F(muster_campaign_state{state="running"}) == 1
            """,
            summary="No worker claims the ready units of a running campaign.",
            description="Campaign {{ $labels.campaign }} has {{ $value }} ready units and none running.",
            dashboard="muster-campaign",
            subject="campaign",
        ),
        Alert(
            name="MusterCampaignEtaPastDeadline",
            severity="warning",
            lasting="15m",
            expr="""
            (F(muster_campaign_eta_timestamp_seconds)
            - on (job, campaign) F(muster_campaign_deadline_timestamp_seconds)) > 0
            """,
            summary="The ETA is past the deadline.",
            description="At its present throughput campaign {{ $labels.campaign }} ends {{ $value | humanizeDuration }} after its"
            " deadline.",
            dashboard="muster-campaign",
            subject="campaign",
        ),
        Alert(
            name="MusterCampaignDeadlineMissed",
            severity="critical",
            expr="""
            (time() - F(muster_campaign_deadline_timestamp_seconds)) > 0
            and on (job, campaign) F(muster_campaign_state{state=~"running|paused"}) == 1
            """,
            summary="The deadline has passed and the campaign is not finished.",
            description="Campaign {{ $labels.campaign }} is {{ $value | humanizeDuration }} past its deadline and still open.",
            dashboard="muster-campaign",
            subject="campaign",
        ),
        Alert(
            name="MusterCampaignPausedTooLong",
            severity="info",
            expr="(time() - F(muster_campaign_paused_since_timestamp_seconds)) > 86400",
            summary="A campaign has been paused for more than a day.",
            description="Campaign {{ $labels.campaign }} has been paused for {{ $value | humanizeDuration }}.",
            dashboard="muster-campaign",
            subject="campaign",
        ),
    ),
)
