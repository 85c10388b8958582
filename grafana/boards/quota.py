"""Quota, parking and pool: parking is not failure; what quotas cost and when capacity comes back."""

from grafana.panel import BLUE, COCKPIT, GREEN, ORANGE, RED, Board, Row, ask, heat, lines, stat

NOW = Row(
    "Now",
    (
        stat(
            "Parked units",
            "Units that wait for a quota to open. No attempt was counted and nothing failed; do not retry them by hand, they"
            " resume by themselves at the time shown beside.",
            "sum(F(muster_quota_parked_units))",
            limits=((0, BLUE),),
            links=COCKPIT,
        ),
        stat(
            "Next auto-resume",
            "When the first closed gate opens again. If that time has passed and units stay parked, the scheduler is stuck; a"
            " forced tick (`POST /v1/engine/tick` with `force`) opens every gate at once.",
            "min(F(muster_quota_resume_timestamp_seconds)) * 1000",
            unit="dateTimeFromNow",
            empty="no gate is closed",
        ),
        stat(
            "Parked for",
            "How long the longest closed gate has been closed. Beyond the provider's usual window (often five hours) its reset"
            " time was misread or its account is blocked: ask the provider, then post a fresh reading.",
            "time() - min(F(muster_quota_parked_since_timestamp_seconds))",
            unit="s",
            limits=((0, BLUE), (21600, ORANGE)),
            empty="no gate is closed",
        ),
        stat(
            "Engine",
            "The pause switch of the whole installation. On means paused: no unit of any campaign is claimed, running ones"
            " finish. Resume it in the cockpit or with `POST /v1/engine/resume` once the reason is gone.",
            "max(F(muster_engine_paused))",
            unit="bool_on_off",
            texts={0: ("running", GREEN), 1: ("paused", RED)},
            links=COCKPIT,
        ),
    ),
)

QUOTA = Row(
    "Quota",
    (
        lines(
            "Used share of each quota",
            "Utilisation as the meter last reported it. A slope that meets 100 % before the reset tells when the fleet will"
            " park: lower the concurrency now to spread what is left over the night.",
            ask("F(muster_quota_used_ratio)", "{{quota}}"),
            unit="percentunit",
            limits=((0, GREEN), (0.9, ORANGE), (1, RED)),
        ),
        lines(
            "Parked units per quota",
            "Units parked behind each quota. One quota with all of them while others stand at zero: move a campaign to another"
            " account, its `quota` can be edited while it runs.",
            ask("F(muster_quota_parked_units)", "{{quota}}"),
            stacked=True,
        ),
        lines(
            "Parks and resumes",
            "Units parked, by quota, and resumed, by trigger, per hour. Parks and resumes that chase each other are a gate that"
            " opens too early: check the reset time that workers report.",
            ask("3600 * sum by (quota) (R[10m](muster_parks_total))", "parked: {{quota}}"),
            ask("3600 * sum by (trigger) (R[10m](muster_unparks_total))", "resumed: {{trigger}}"),
        ),
        heat(
            "Park duration",
            "How long parked units rested. One sharp band is the provider's window; a tail beyond it is units that waited"
            " for a person after a gate without a resume time, such as a failed login.",
            ask("sum by (le) (I[$__interval](muster_park_duration_seconds_bucket))", "{{le}}"),
            unit="s",
            empty="nothing resumed",
        ),
        lines(
            "Resume overdue",
            "Time past the planned resume while units are still parked. Anything above a few seconds is the scheduler or the"
            " leader: see since the last sweep on the service board, then force a tick.",
            ask(
                "(time() - F(muster_quota_resume_timestamp_seconds)) and on (quota) (F(muster_quota_parked_units) > 0)",
                "{{quota}}",
            ),
            unit="s",
            limits=((-1000000, GREEN), (0, ORANGE), (900, RED)),
            empty="nothing is parked",
        ),
        lines(
            "Gate changes",
            "Gates that opened and closed, per hour and quota. One that flaps is a quota driven at its limit: lower the"
            " threshold of its policy or the ramp, so that work flows steadily instead of in gulps.",
            ask("3600 * sum by (quota, to) (R[1h](muster_quota_gate_transitions_total))", "{{quota}} {{to}}"),
        ),
    ),
)

POOL = Row(
    "Pool",
    (
        lines(
            "Pool use",
            "Used share of each pool's slots. At 100 % for half an hour with ready units, a larger pool would finish sooner;"
            " raise it with `PATCH /v1/engine` if quota and machines allow.",
            ask("F(muster_pool_active) / F(muster_pool_capacity)", "{{pool}}"),
            unit="percentunit",
            limits=((0, GREEN), (1, ORANGE)),
            most=1,
        ),
        lines(
            "Ready units and free slots",
            "Work that could run and room for it. Both above zero for minutes is the one bad picture: workers do not claim, a"
            " gate is closed, or a campaign's concurrency is the limit.",
            ask('sum(F(muster_units{state="ready"}))', "ready"),
            ask("sum(F(muster_pool_capacity)) - sum(F(muster_pool_active))", "free slots"),
        ),
        lines(
            "Unit wait",
            "Time a claimable unit waits for its claim: half, 95 % and 99 % of units. The gap between the lines is unfairness:"
            " a few units wait long because of labels, groups or priorities.",
            ask("hq(0.5, sum by (le) (R(muster_unit_wait_seconds_bucket)))", "p50"),
            ask("hq(0.95, sum by (le) (R(muster_unit_wait_seconds_bucket)))", "p95"),
            ask("hq(0.99, sum by (le) (R(muster_unit_wait_seconds_bucket)))", "p99"),
            unit="s",
        ),
    ),
)

BOARD = Board(
    uid="muster-quota",
    title="Muster / Quota, parking and pool",
    description="Parking is not failure: how much capacity quotas cost and when it comes back.",
    rows=(NOW, QUOTA, POOL),
)
