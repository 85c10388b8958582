"""One campaign: progress, ETA, waves, failures, parking."""

from grafana.panel import (
    CAMPAIGN_CHOSEN,
    FAILURES_CHOSEN,
    GREEN,
    ORANGE,
    RED,
    Board,
    Row,
    ask,
    gauge,
    heat,
    lines,
    pie,
    stat,
    states,
    table,
)

CARD = Row(
    "Card",
    (
        gauge(
            "Progress",
            "Done units over all units, the number on the campaign's card. It can stop short of 100 %: quarantined and skipped"
            " units are never done, retry them to get there.",
            'F(muster_campaign_progress_ratio{campaign="$campaign"})',
            unit="percentunit",
            most=1,
            links=CAMPAIGN_CHOSEN,
        ),
        stat(
            "State",
            "Whether units of this campaign may be claimed. Paused or cancelled by surprise: the timeline in the cockpit names"
            " who did it and why, and has the button to resume.",
            ask('sum by (state) (F(muster_campaign_state{campaign="$campaign"}))', "{{state}}"),
            links=CAMPAIGN_CHOSEN,
            instant=True,
            width=4,
        ),
        stat(
            "ETA",
            "Predicted end at the present throughput, parked time left out. It is absent rather than wrong while nothing was"
            " finished yet or the campaign stands still; then look at throughput and state.",
            'F(muster_campaign_eta_timestamp_seconds{campaign="$campaign"}) * 1000',
            unit="dateTimeFromNow",
            empty="unknown",
            width=4,
        ),
        stat(
            "Deadline",
            "When the campaign is to be finished, if its owner set that. When the ETA lies behind it, raise the concurrency or"
            " add workers; the deadline itself is changed in the cockpit's edit form.",
            'F(muster_campaign_deadline_timestamp_seconds{campaign="$campaign"}) * 1000',
            unit="dateTimeFromNow",
            empty="none",
            width=4,
        ),
        stat(
            "Consecutive failures",
            "Failed attempts since the last success; at the cap (3 unless set otherwise) no unit is claimed any more. One below"
            " the cap, read the latest error before the next attempt fails too.",
            'F(muster_campaign_consecutive_failures{campaign="$campaign"})',
            limits=((0, GREEN), (1, ORANGE), (3, RED)),
            links=FAILURES_CHOSEN,
            width=4,
        ),
        stat(
            "Since last progress",
            "Time since a unit was last done. Beyond half an hour with ready or running units the campaign is stalled: compare"
            " with the usual attempt duration, then look at its workers.",
            'time() - F(muster_campaign_last_progress_timestamp_seconds{campaign="$campaign"})',
            unit="s",
            limits=((0, GREEN), (900, ORANGE), (1800, RED)),
            width=4,
        ),
        table(
            "About",
            "Identity of the campaign: id, project and kind, when it started and ended, and its safety cap. Use the id to find"
            " it in logs and traces, where its name may have changed.",
            ask('sum by (campaign, campaign_id, project, kind) (F(muster_campaign_info{campaign="$campaign"}))'),
            ask(
                'sum by (campaign) (F(muster_campaign_started_timestamp_seconds{campaign="$campaign"})) * 1000',
                "Started",
                "dateTimeAsIso",
            ),
            ask(
                'sum by (campaign) (F(muster_campaign_finished_timestamp_seconds{campaign="$campaign"})) * 1000',
                "Ended",
                "dateTimeAsIso",
            ),
            ask('sum by (campaign) (F(muster_campaign_safety_cap{campaign="$campaign"}))', "Safety cap"),
            labels={"campaign": "Campaign", "campaign_id": "Id", "project": "Project", "kind": "Kind"},
            hidden=("Value #A",),
            width=24,
            height=4,
        ),
    ),
)

PROGRESS = Row(
    "Progress",
    (
        lines(
            "Units by state",
            "Where the campaign's units stand. Blocked that never shrinks points at a quarantined dependency, parked at a"
            " closed quota, ready without running at missing workers.",
            ask('F(muster_campaign_units{campaign="$campaign"})', "{{state}}"),
            stacked=True,
            links=CAMPAIGN_CHOSEN,
            width=12,
        ),
        lines(
            "Throughput",
            "Units done per minute: counted, and as the ETA is computed from it (a sliding window without time that was parked,"
            " paused or held back; idle time counts). When the counted line falls below the other, expect the ETA to move away.",
            ask('60 * sum(R(muster_campaign_units_finished_total{campaign="$campaign",outcome="completed"}))', "counted"),
            ask('60 * F(muster_campaign_throughput_units_per_second{campaign="$campaign"})', "for the ETA"),
            width=12,
        ),
        lines(
            "Predicted end over time",
            "What the ETA said at each moment, against the deadline. A flat line is a trustworthy prediction; one that climbs"
            " as fast as the clock, or faster, means that nothing gets done.",
            ask('F(muster_campaign_eta_timestamp_seconds{campaign="$campaign"}) * 1000', "ETA"),
            ask('F(muster_campaign_deadline_timestamp_seconds{campaign="$campaign"}) * 1000', "deadline"),
            unit="dateTimeAsIso",
        ),
        lines(
            "Workers and leases",
            "Workers that hold a lease here, and units running. Fewer than the campaign's concurrency while units are ready:"
            " workers are missing, or other campaigns take the pool.",
            ask('F(muster_campaign_workers{campaign="$campaign"})', "workers"),
            ask('F(muster_campaign_units{campaign="$campaign",state="running"})', "running"),
        ),
        lines(
            "Oldest ready unit",
            "How long the oldest claimable unit has waited. A line that grows without end means that no worker fits its labels,"
            " or that an earlier group never drains; ask the cockpit to explain that unit.",
            'time() - F(muster_campaign_oldest_ready_timestamp_seconds{campaign="$campaign"})',
            unit="s",
            empty="nothing waits",
        ),
        lines(
            "Wave",
            "The wave (the level of dependencies) that runs now. Long plateaus are waves that wait for their slowest unit:"
            " split that unit, or loosen its dependencies.",
            'F(muster_campaign_wave{campaign="$campaign"})',
            width=24,
            height=5,
        ),
    ),
)

FAILURES = Row(
    "Attempts and failures",
    (
        lines(
            "Attempts by outcome",
            "How attempts end, per minute. Failed: read the error; expired: the worker vanished; parked: the quota; released:"
            " an operator stopped or drained it, which costs no attempt.",
            ask('60 * sum by (outcome) (R(muster_campaign_attempts_total{campaign="$campaign"}))', "{{outcome}}"),
            links=FAILURES_CHOSEN,
        ),
        heat(
            "Attempt duration",
            "Distribution of the time from claim to end. A second band near the maximum is a hang that a watchdog ends: lower"
            " the limit of idle output so that it costs minutes instead of hours.",
            ask('sum by (le) (I[$__interval](muster_campaign_attempt_duration_seconds_bucket{campaign="$campaign"}))', "{{le}}"),
            unit="s",
        ),
        lines(
            "Attempt duration quantiles",
            "Half and 95 % of attempts end within this time. Set the lease well above the time between heartbeats and the"
            " maximum duration well above the 95 % line, else good work is cut off.",
            ask('hq(0.5, sum by (le) (R[30m](muster_campaign_attempt_duration_seconds_bucket{campaign="$campaign"})))', "p50"),
            ask('hq(0.95, sum by (le) (R[30m](muster_campaign_attempt_duration_seconds_bucket{campaign="$campaign"})))', "p95"),
            unit="s",
        ),
        lines(
            "Failure ratio",
            "Quarantined share of the units that ended in the last 30 minutes. Above 5 % (and 20 units) an alert fires; pause"
            " the campaign if the same error repeats, it will not get better by itself.",
            'sum(I[30m](muster_campaign_units_finished_total{campaign="$campaign",outcome="quarantined"}))'
            ' / (sum(I[30m](muster_campaign_units_finished_total{campaign="$campaign",outcome=~"completed|quarantined"})) > 0)',
            unit="percentunit",
            limits=((0, GREEN), (0.05, ORANGE), (0.25, RED)),
            links=FAILURES_CHOSEN,
        ),
        pie(
            "Finished units",
            "How the units that are over ended, since the campaign began. A large skipped share comes from few quarantined"
            " units that many depend on: retry those first.",
            ask('sum by (outcome) (F(muster_campaign_units_finished_total{campaign="$campaign"}))', "{{outcome}}"),
            links=FAILURES_CHOSEN,
        ),
        states(
            "Safety cap",
            "When the campaign was paused and for which reason. For `safety_cap` mend the cause and reset the breaker; for"
            " `operator` ask who paused it; `quota` and `engine` end with their own gate.",
            ask('F(muster_campaign_paused{campaign="$campaign"})', "{{reason}}"),
            texts={0: ("runs", GREEN), 1: ("paused", RED)},
            links=CAMPAIGN_CHOSEN,
            empty="never paused",
            width=8,
        ),
    ),
)

BOARD = Board(
    uid="muster-campaign",
    title="Muster / Campaign",
    description="One campaign: progress, ETA, waves, failures, parking.",
    rows=(CARD, PROGRESS, FAILURES),
    chooses="campaign",
    many=False,
)
