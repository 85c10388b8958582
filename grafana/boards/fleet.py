"""The fleet: what runs, what is left, what fails, who works."""

from grafana.panel import (
    ANY_IS_ORANGE,
    ANY_IS_RED,
    BLUE,
    CAMPAIGN_COLUMN,
    CAMPAIGN_LINE,
    COCKPIT,
    GREEN,
    GREY,
    ORANGE,
    RED,
    WORKERS,
    Board,
    Link,
    Row,
    ask,
    bars,
    heat,
    lines,
    stat,
    states,
    table,
)

NOW = Row(
    "Now",
    (
        stat(
            "Campaigns running",
            "Campaigns whose units may be claimed right now. Zero while work is expected: look for paused campaigns below, or"
            " for an engine pause on the quota board.",
            'sum(F(muster_campaigns{state="running"}))',
            links=COCKPIT,
        ),
        stat(
            "Auto-paused",
            "Campaigns that their safety cap stopped after too many failures in a row. Open the failures first, mend the cause,"
            " then reset the breaker; resetting it blindly only burns attempts.",
            'count(F(muster_campaign_paused{reason="safety_cap"}) == 1) or vector(0)',
            limits=ANY_IS_RED,
            links=COCKPIT,
        ),
        stat(
            "Units done",
            "Units completed within the chosen time range, over all campaigns. Compare it with what you expected of the night;"
            " widen the range to see a whole run.",
            'sum(I[$__range](muster_unit_transitions_total{to="done"}))',
        ),
        stat(
            "Quarantined now",
            "Units that used up their attempts or failed for good and wait for a person. Group them by reason on the failures"
            " board, then retry or cancel them; nothing clears them by itself.",
            'sum(F(muster_units{state="quarantined"}))',
            limits=ANY_IS_ORANGE,
            links=COCKPIT,
        ),
        stat(
            "Parked now",
            "Units put aside until a quota opens; not failures, no attempt was counted. Nothing to do unless the resume time on"
            " the quota board has passed.",
            'sum(F(muster_units{state="parked"}))',
            limits=((0, BLUE),),
        ),
        stat(
            "Live workers",
            "Workers whose last heartbeat is younger than their campaign's stale limit. Fewer than you started: see who is"
            " silent on the workers board, and start more if work is waiting.",
            'sum(F(muster_workers{level=~"healthy|warn"}))',
            limits=((0, RED), (1, GREEN)),
            links=WORKERS,
        ),
        stat(
            "Dead workers",
            "Workers silent beyond their dead limit; their units are taken back after three dead ticks. Find the"
            " host on the workers board, restart it or let the units be claimed by others.",
            'sum(F(muster_workers{level="dead"}))',
            limits=ANY_IS_RED,
            links=WORKERS,
        ),
        stat(
            "Projection lag",
            "How far these metrics are behind the log. Above 30 s every other panel is out of date: go to the event log board"
            " and see which projection is stuck.",
            "max(F(muster_projection_lag_seconds))",
            unit="s",
            limits=((0, GREEN), (30, ORANGE), (300, RED)),
        ),
    ),
)

WORK = Row(
    "Work",
    (
        lines(
            "Units by state",
            "Where every unit of the fleet stands. Healthy is ready shrinking into done; a growing delayed band means retries,"
            " a growing blocked band means dependencies that do not finish.",
            ask("F(muster_units)", "{{state}}"),
            stacked=True,
            width=12,
        ),
        lines(
            "Units finished per minute",
            "The rate at which units reach an end, by kind of end. When done falls while quarantined rises, stop and read the"
            " failures before the caps do it for you.",
            ask(
                '60 * sum by (to) (R(muster_unit_transitions_total{to=~"done|quarantined|skipped|cancelled"}))',
                "{{to}}",
            ),
            width=12,
        ),
        lines(
            "Failure ratio",
            "Quarantined share of the units that ended in the last 30 minutes, fleet-wide. Above 5 % the alert of the campaign"
            " at fault fires; the failures board shows which one.",
            'sum(I[30m](muster_unit_transitions_total{to="quarantined"}))'
            ' / (sum(I[30m](muster_unit_transitions_total{to=~"done|quarantined"})) > 0)',
            unit="percentunit",
            limits=((0, GREEN), (0.05, ORANGE), (0.25, RED)),
        ),
        lines(
            "Unit transitions",
            "Every change of a unit's state per minute. Ready and running moving together without done is a loop: look for"
            " leases that expire or units that park and resume over and over.",
            ask("60 * sum by (to) (R(muster_unit_transitions_total))", "{{to}}"),
        ),
        lines(
            "Unit sojourn",
            "Time from a unit's first readiness to its end, half and 95 % of units. Compare it with the attempt duration of the"
            " campaign: what exceeds it is waiting, back-off or parking, not work.",
            ask("hq(0.5, sum by (le) (R[1h](muster_unit_duration_seconds_bucket)))", "p50"),
            ask("hq(0.95, sum by (le) (R[1h](muster_unit_duration_seconds_bucket)))", "p95"),
            unit="s",
        ),
    ),
)

CAMPAIGNS = Row(
    "Campaigns",
    (
        table(
            "Campaigns",
            "One line per campaign: its open and failed units. Sort by quarantined to find where a person is needed; the name"
            " leads to the campaign in the cockpit and to its own dashboard.",
            ask("sum by (campaign) (F(muster_campaign_progress_ratio))", "Progress", "percentunit"),
            ask('sum by (campaign) (F(muster_campaign_units{state="ready"}))', "Ready"),
            ask('sum by (campaign) (F(muster_campaign_units{state="running"}))', "Running"),
            ask('sum by (campaign) (F(muster_campaign_units{state="parked"}))', "Parked"),
            ask('sum by (campaign) (F(muster_campaign_units{state="quarantined"}))', "Quarantined"),
            ask("sum by (campaign) (F(muster_campaign_eta_timestamp_seconds)) * 1000", "ETA", "dateTimeFromNow"),
            labels={"campaign": "Campaign"},
            links=CAMPAIGN_COLUMN,
            width=16,
            height=9,
        ),
        bars(
            "Progress",
            "Done units over all units of each campaign; quarantined and skipped units never count as done. A bar that stands"
            " still while its campaign runs deserves a look at its throughput.",
            ask("F(muster_campaign_progress_ratio)", "{{campaign}}"),
            unit="percentunit",
            most=1,
            links=CAMPAIGN_LINE,
            height=9,
        ),
        states(
            "Campaign states",
            "When each campaign ran and when its safety cap held it. Red stretches are idle hours: find out who resets"
            " breakers at that time of day, or raise the cap if single failures are normal there.",
            ask(
                'max by (campaign) (F(muster_campaign_paused{reason="safety_cap"}) * 2'
                ' or F(muster_campaign_state{state="running"}))',
                "{{campaign}}",
            ),
            texts={0: ("not running", GREY), 1: ("running", GREEN), 2: ("auto-paused", RED)},
            links=CAMPAIGN_LINE,
            width=24,
            height=7,
        ),
        lines(
            "Campaign transitions",
            "Campaigns created, paused, resumed and ended per hour. Many pauses and resumes of the same hour point at a"
            " flapping cause or at a script that fights an operator.",
            ask("3600 * sum by (to) (R[30m](muster_campaign_transitions_total))", "{{to}}"),
        ),
        heat(
            "Campaign duration",
            "How long campaigns took from start to end, by the time they ended. Use it to tell whether tonight's size still"
            " fits into the night; a band that climbs from week to week needs more slots.",
            ask("sum by (le) (I[$__interval](muster_campaign_duration_seconds_bucket))", "{{le}}"),
            unit="s",
            empty="no campaign ended",
        ),
        lines(
            "Hours to the deadline",
            "Time between the predicted end and the deadline of each campaign. Below zero it will be late at this pace: give it"
            " more concurrency or workers, or tell its owner now.",
            ask(
                "(F(muster_campaign_deadline_timestamp_seconds) - F(muster_campaign_eta_timestamp_seconds)) / 3600",
                "{{campaign}}",
            ),
            unit="h",
            limits=((-1000000, RED), (0, GREEN)),
            links=CAMPAIGN_LINE,
            empty="no deadlines",
        ),
    ),
)

CAPACITY = Row(
    "Capacity",
    (
        lines(
            "Pool",
            "Slots in use against slots there are. At the line for long while units are ready: raise the pool; far below it"
            " while units are ready: too few workers or a closed quota.",
            ask("sum(F(muster_pool_active))", "in use"),
            ask("sum(F(muster_pool_capacity))", "slots"),
        ),
        lines(
            "Workers by heartbeat level",
            "Workers by the age of their last heartbeat. A slow drift from healthy to warn is load on their hosts; a sudden"
            " step to stale is a network or a machine that went away.",
            ask("F(muster_workers)", "{{level}}"),
            stacked=True,
            links=WORKERS,
        ),
        lines(
            "Queue wait",
            "Time a claimable unit waits for its claim, without back-off and parking. Seconds are normal; minutes with free"
            " slots mean that workers do not ask, with no free slots that the pool is too small.",
            ask("hq(0.5, sum by (le) (R(muster_unit_wait_seconds_bucket)))", "p50"),
            ask("hq(0.95, sum by (le) (R(muster_unit_wait_seconds_bucket)))", "p95"),
            unit="s",
        ),
    ),
)

HEALTH = Row(
    "Health",
    (
        table(
            "Firing alerts",
            "What Prometheus alerts on right now. Each name has a runbook page under ops/runbooks with meaning, impact,"
            " diagnosis and the exact call that mends it; start with the critical ones.",
            'ALERTS{alertname=~"Muster.*",alertname!="MusterWatchdog",alertstate="firing"}',
            labels={"alertname": "Alert", "severity": "Severity", "campaign": "Campaign", "instance": "Replica", "job": "Job"},
            hidden=("__name__", "alertstate", "Value"),
            links=(
                Link(
                    "Open the campaign in the cockpit", "$cockpit/campaigns/${__data.fields.campaign:percentencode}", "campaign"
                ),
            ),
            empty="nothing fires",
        ),
        lines(
            "Events per second",
            "The eight busiest kinds of event written to the log. Heartbeats should lead; when another kind does, something"
            " loops, and its name says where to look.",
            ask("topk(8, sum by (kind) (R(muster_events_total)))", "{{kind}}"),
            unit="ops",
            width=12,
        ),
    ),
)

BOARD = Board(
    uid="muster-fleet",
    title="Muster / Fleet",
    description="Overview: what runs, what is left, what fails, who works.",
    rows=(NOW, WORK, CAMPAIGNS, CAPACITY, HEALTH),
)
