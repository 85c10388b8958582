"""Campaigns and their breakers."""

from typing import get_args

from projections.measures.family import ATTEMPT_ENDS, ATTEMPT_OUTCOMES, UNIT_OUTCOMES, counter, gauge, histogram, info
from service.domain import ids

CAMPAIGN_STEPS = ("created", "started", "paused", "resumed", "recovered", "completed", "failed", "reopened", "cancelled")
WAVE_ENDS = "unit.completed unit.quarantined unit.skipped unit.cancelled"
WAVE_OUTCOMES = ("complete", "partial", "failed")
CAMPAIGN_SECONDS = "60 300 900 3600 7200 14400 28800 57600 86400 172800 345600 604800"

CAMPAIGNS = (
    counter(
        "muster_campaign_transitions_total",
        "Campaign lifecycle transitions.",
        "campaign.created unit.claimed campaign.paused campaign.resumed recovery.applied campaign.completed campaign.reopened"
        " campaign.cancelled",
        to=CAMPAIGN_STEPS,
    ),
    gauge("muster_campaigns", "Campaigns by state.", state=get_args(ids.CampaignState)),
    info(
        "muster_campaign_info", "What a campaign is; joins its name to its project and kind.", "campaign campaign_id project kind"
    ),
    gauge("muster_campaign_state", "1 for the current state of a campaign.", campaign=None, state=get_args(ids.CampaignState)),
    gauge("muster_campaign_units", "Units of a campaign by state.", campaign=None, state=ids.UNIT_STATES),
    counter(
        "muster_campaign_units_finished_total",
        "Units that ended, per campaign.",
        "unit.completed unit.quarantined unit.skipped unit.cancelled",
        campaign=None,
        outcome=UNIT_OUTCOMES,
    ),
    counter(
        "muster_campaign_attempts_total",
        "Attempts that ended, per campaign.",
        ATTEMPT_ENDS,
        campaign=None,
        outcome=ATTEMPT_OUTCOMES,
    ),
    histogram(
        "muster_campaign_attempt_duration_seconds",
        "Time from claim to the end of an attempt, per campaign.",
        "unit.completed unit.attempt_failed",
        "30 120 600 1800 3600 7200 14400",
        exemplars=True,
        campaign=None,
    ),
    gauge("muster_campaign_progress_ratio", "Done units over all units of a campaign.", campaign=None),
    gauge(
        "muster_campaign_throughput_units_per_second",
        "Units done per second, without time parked, paused or held back.",
        "T",
        campaign=None,
    ),
    gauge("muster_campaign_eta_timestamp_seconds", "Expected end of the campaign; absent when unknown.", "T", campaign=None),
    gauge("muster_campaign_deadline_timestamp_seconds", "Deadline of a campaign; absent when none.", campaign=None),
    gauge("muster_campaign_started_timestamp_seconds", "First claim of a campaign.", campaign=None),
    gauge("muster_campaign_finished_timestamp_seconds", "End of a campaign; absent while open.", campaign=None),
    gauge("muster_campaign_last_progress_timestamp_seconds", "Last unit done, the start when none.", campaign=None),
    gauge("muster_campaign_oldest_ready_timestamp_seconds", "Since when the oldest ready unit waits.", campaign=None),
    gauge("muster_campaign_workers", "Workers that hold a lease in the campaign.", campaign=None),
    histogram(
        "muster_campaign_duration_seconds",
        "Time from start to end of campaigns.",
        "campaign.completed campaign.cancelled",
        CAMPAIGN_SECONDS,
        outcome=("achieved", "failed", "cancelled"),
    ),
)

BREAKERS = (
    gauge("muster_campaign_consecutive_failures", "Failures in a row, which the safety cap limits.", campaign=None),
    gauge("muster_campaign_safety_cap", "Failures in a row that stop a campaign.", campaign=None),
    gauge(
        "muster_campaign_paused",
        "1 while paused for that reason.",
        campaign=None,
        reason=("operator", "safety_cap", "quota", "engine"),
    ),
    gauge("muster_campaign_paused_since_timestamp_seconds", "Since when it is paused; absent unless paused.", campaign=None),
    counter("muster_safety_cap_trips_total", "Campaigns stopped by too many failures in a row.", "campaign.breaker_tripped"),
    counter("muster_safety_cap_resets_total", "Breakers armed again.", "campaign.breaker_reset", by=("human", "success")),
)

WAVES = (
    counter("muster_waves_total", "Waves that ended.", WAVE_ENDS, outcome=WAVE_OUTCOMES),
    histogram(
        "muster_wave_duration_seconds",
        "Time from the first claim of a wave to its last unit.",
        WAVE_ENDS,
        "1 5 15 30 60 120 300 600 1800 3600 7200 14400",
        exponential=True,
        outcome=WAVE_OUTCOMES,
    ),
    histogram("muster_wave_units", "Units of a wave at its first claim.", "unit.claimed", "1 2 5 10 20 50 100 200 500 1000"),
    gauge("muster_campaign_wave", "The last wave of a campaign that began; absent before the first.", campaign=None),
)
