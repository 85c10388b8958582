"""Failures, retries and quarantine: why units fail, whether retries help, what waits for a person."""

from grafana.boards.waves import WAVES
from grafana.panel import (
    ANY_IS_ORANGE,
    ANY_IS_RED,
    CAMPAIGN_LINE,
    FAILURES_LINE,
    GREEN,
    ORANGE,
    RED,
    YELLOW,
    Board,
    Link,
    Row,
    ask,
    bars,
    gauge,
    heat,
    lines,
    pie,
    stat,
    table,
)

NOW = Row(
    "Now",
    (
        stat(
            "Quarantined in range",
            "Units that were quarantined within the chosen time range. Each needs a person's decision: group them by reason"
            " below, mend the common cause, then retry them all at once.",
            "sum(I[$__range](muster_quarantines_total))",
            limits=ANY_IS_ORANGE,
        ),
        stat(
            "Skipped in range",
            "Units ended unrun because one that they depend on failed. They come back by themselves when that one is retried,"
            " so never import them again.",
            "sum(I[$__range](muster_skips_total))",
            limits=((0, GREEN), (1, YELLOW)),
        ),
        gauge(
            "Retry success",
            "Part of the retries in range that ended well. Above half, retrying pays; below, the errors are not transient: list"
            " them in `retryable_errors` so that hopeless ones are quarantined at once.",
            'sum(I[$__range](muster_retries_total{result="success"})) / (sum(I[$__range](muster_retries_total)) > 0)',
            unit="percentunit",
            limits=((0, RED), (0.5, ORANGE), (0.75, GREEN)),
            most=1,
            empty="no retries",
        ),
        stat(
            "Safety cap trips",
            "How often a campaign was stopped by failures in a row within the range. Each trip is named by an annotation; look"
            " for the failures just before it, they are listed in the event.",
            "sum(I[$__range](muster_safety_cap_trips_total))",
            limits=ANY_IS_RED,
        ),
        stat(
            "Retries overdue",
            "Units whose back-off ended more than 30 s ago and that are not ready yet. Above zero the leader's retry sweep is"
            " stuck: see leader and sweeps on the service board, or force a tick.",
            "sum(F(muster_retries_overdue))",
            limits=ANY_IS_RED,
        ),
        stat(
            "Screens captured",
            "Part of the quarantined units that left their last screen. Without it the cause is guesswork: make the worker send"
            " `screen` with its heartbeats and failures.",
            'sum(I[$__range](muster_quarantine_screens_total{captured="true"}))'
            " / (sum(I[$__range](muster_quarantine_screens_total)) > 0)",
            unit="percentunit",
            limits=((0, RED), (0.5, ORANGE), (0.9, GREEN)),
            empty="no quarantines",
        ),
    ),
)

FAILURES = Row(
    "Failures",
    (
        lines(
            "Failed attempts by reason",
            "Why attempts fail, per hour. Crash and error: read the screen; lease expired: the worker vanished; idle and launch"
            " failures: the command itself; max duration: the unit is too large.",
            ask("3600 * sum by (reason) (R[10m](muster_attempt_failures_total))", "{{reason}}"),
        ),
        lines(
            "Failure ratio per campaign",
            "Quarantined share of the units that ended in the last 30 minutes, per campaign. A single campaign up here has a"
            " problem of its own; all of them together have a common one: the quota, the network, a tool.",
            ask(
                'sum by (campaign) (I[30m](muster_campaign_units_finished_total{campaign=~"$campaign",outcome="quarantined"}))'
                ' / (sum by (campaign) (I[30m](muster_campaign_units_finished_total{campaign=~"$campaign",'
                'outcome=~"completed|quarantined"})) > 0)',
                "{{campaign}}",
            ),
            unit="percentunit",
            limits=((0, GREEN), (0.05, ORANGE), (0.25, RED)),
            links=FAILURES_LINE,
        ),
        pie(
            "Sub-task states",
            "How the units that ended in range ended: completed, quarantined, skipped, cancelled. A slice of skipped larger"
            " than that of quarantined is a cascade: one failed unit cost many others.",
            ask('sum by (outcome) (I[$__range](muster_campaign_units_finished_total{campaign=~"$campaign"}))', "{{outcome}}"),
        ),
        lines(
            "Consecutive failures",
            "Failures in a row of each campaign, the number that its safety cap compares (3 unless set otherwise). One that"
            " climbs without a success between will stop soon: read the latest error before it does.",
            ask('F(muster_campaign_consecutive_failures{campaign=~"$campaign"})', "{{campaign}}"),
            limits=((0, GREEN), (3, RED)),
            links=FAILURES_LINE,
        ),
        lines(
            "Safety cap trips and resets",
            "How often breakers trip, and who arms them again, per hour. Resets by a human without a success after them mean"
            " that the cause is still there; stop resetting and read.",
            ask("3600 * sum(R[1h](muster_safety_cap_trips_total))", "trips"),
            ask("3600 * sum by (by) (R[1h](muster_safety_cap_resets_total))", "reset by {{by}}"),
        ),
        lines(
            "Watchdogs",
            "Attempts ended by a watchdog, per hour: output that stands still, too long a run, too many idle observations. If"
            " the ended work was good, raise that limit of the policy; if not, the tool hangs.",
            ask("3600 * sum by (watchdog) (R[1h](muster_watchdog_fires_total))", "{{watchdog}}"),
        ),
        heat(
            "Skip cascade size",
            "How many dependents one failure took with it. Large cascades make a single flaky unit expensive: give it more"
            " attempts, or set `on_dependency_failure` to `run` where dependents can do without it.",
            ask("sum by (le) (I[$__interval](muster_skip_cascade_units_bucket))", "{{le}}"),
            empty="no cascades",
            width=24,
            height=6,
        ),
    ),
)

RETRIES = Row(
    "Retries",
    (
        lines(
            "Retries by result",
            "Second and later attempts per hour: success, failed and to be tried again, exhausted for good. Exhausted close to"
            " failed means that retries only delay the verdict.",
            ask("3600 * sum by (result) (R[10m](muster_retries_total))", "{{result}}"),
        ),
        lines(
            "Retry success ratio",
            "Part of the retries of the last hour that ended well. A fall from its usual height is the earliest sign that a"
            " transient error has become a lasting one.",
            'sum(I[1h](muster_retries_total{result="success"})) / (sum(I[1h](muster_retries_total)) > 0)',
            unit="percentunit",
            limits=((0, RED), (0.5, GREEN)),
        ),
        heat(
            "Backoff delay",
            "Delays before retries, jitter included. It should spread, not gather in one bucket; everything at the maximum means"
            " attempts so late that raising `max_delay_ms` gains nothing.",
            ask("sum by (le) (I[$__interval](muster_retry_delay_seconds_bucket))", "{{le}}"),
            unit="s",
        ),
        bars(
            "Retries per finished unit",
            "How many retries the units that ended in range had needed. Most belong at zero; a second heap at the maximum is"
            " the units that cannot succeed and should be refused early.",
            ask("sum by (le) (I[$__range](muster_unit_retries_bucket))", "{{le}}"),
        ),
        lines(
            "Retried share of attempts",
            "Part of all attempts of the last 30 minutes that end in a retry. Above half the fleet mostly repeats itself: pause"
            " the campaign that leads the failures until its cause is found.",
            "sum(I[30m](muster_retries_scheduled_total)) / (sum(I[30m](muster_attempts_total)) > 0)",
            unit="percentunit",
            limits=((0, GREEN), (0.5, RED)),
        ),
        lines(
            "Waiting for a retry",
            "Units that rest before their next attempt. They return by themselves; many at once after an outage come back in a"
            " wave, which the jitter spreads.",
            ask('F(muster_campaign_units{campaign=~"$campaign",state="delayed"})', "{{campaign}}"),
            links=CAMPAIGN_LINE,
        ),
    ),
)

QUARANTINE = Row(
    "Quarantine",
    (
        lines(
            "Quarantined units",
            "Units that wait for a person, per campaign. A line that only climbs is work without an owner: give the campaign an"
            " owner, or retry by reason from its failures page.",
            ask('F(muster_campaign_units{campaign=~"$campaign",state="quarantined"})', "{{campaign}}"),
            links=FAILURES_LINE,
        ),
        lines(
            "Quarantines by reason",
            "Why units are given up, per hour. Max attempts: retries did not help; not retryable: the error list said so;"
            " heartbeat dead: the worker died and policy forbids a second try; max claims: a poison unit.",
            ask("3600 * sum by (reason) (R[10m](muster_quarantines_total))", "{{reason}}"),
        ),
        lines(
            "Cleared",
            "Units that left quarantine per hour, retried or discarded. Nothing here while the quarantine grows: reserve time"
            " for it, each day of waiting makes the cause harder to find.",
            ask("3600 * sum by (action) (R[1h](muster_quarantine_cleared_total))", "{{action}}"),
        ),
        lines(
            "Time in quarantine",
            "How long units waited for their decision, half and 95 % of those cleared in range. If it exceeds a working day,"
            " route the digest alert to a person who can decide.",
            ask("hq(0.5, sum by (le) (I[$__range](muster_quarantine_age_seconds_bucket)))", "p50"),
            ask("hq(0.95, sum by (le) (I[$__range](muster_quarantine_age_seconds_bucket)))", "p95"),
            unit="s",
            empty="nothing cleared",
        ),
        lines(
            "Investigations",
            "Investigations that ended per hour, by outcome, and the time that 95 % of them took. Without results they only use"
            " quota: switch `investigate` off for that campaign, or give them a better brief.",
            ask("3600 * sum by (outcome) (R[1h](muster_investigations_total))", "{{outcome}}"),
            ask("hq(0.95, sum by (le) (R[6h](muster_investigation_duration_seconds_bucket)))", "p95 of their time", "s"),
            links=(Link("Open the investigations", "$cockpit/investigations"),),
            empty="none ran",
        ),
        table(
            "Where to look",
            "Campaigns with quarantined units, most first. Click the name for the failed units grouped by reason with their"
            " last screens, two clicks from the number to the cause.",
            ask(
                'sort_desc(sum by (campaign) (F(muster_campaign_units{campaign=~"$campaign",state="quarantined"})) > 0)',
                "Quarantined",
            ),
            labels={"campaign": "Campaign"},
            links=(
                Link(
                    "Open its failures in the cockpit",
                    "$cockpit/campaigns/${__data.fields.campaign:percentencode}/failures",
                    "campaign",
                ),
            ),
            empty="nothing is quarantined",
            width=8,
        ),
    ),
)

BOARD = Board(
    uid="muster-failures",
    title="Muster / Failures, retries and quarantine",
    description="Why units fail, whether retries help, what waits in quarantine.",
    rows=(NOW, FAILURES, RETRIES, QUARANTINE, WAVES),
    chooses="campaign",
)
