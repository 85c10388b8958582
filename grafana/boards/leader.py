"""The row on the leader and its sweeps of the service board."""

from grafana.panel import BLUE, GREEN, GREY, ORANGE, RED, Row, ask, lines, stat, states

LEADER = Row(
    "Leader and sweeps",
    (
        states(
            "Leader",
            "Which replica leads, over time. There must be exactly one: a gap of more than half a minute means that leases,"
            " retries and quotas stand still; two at once is a bug to report with both logs.",
            ask("muster_leader{inst}", "{{instance}}"),
            texts={0: ("follows", GREY), 1: ("leads", GREEN)},
            width=16,
        ),
        lines(
            "Since the last sweep",
            "Time since each sweep last ended well, on whichever replica leads. Above two minutes what it does has stopped:"
            " expired leases, due retries or gates stay as they are; restart the leader if its log does not tell why.",
            ask("time() - max by (sweep) (muster_sweep_last_success_timestamp_seconds{inst})", "{{sweep}}"),
            unit="s",
            limits=((0, GREEN), (60, ORANGE), (120, RED)),
        ),
        lines(
            "Sweep duration",
            "Time that 95 % of sweeps take. Near the tick of five seconds the scheduler falls behind: look for a statement that"
            " has lost its index, or for millions of units due at once.",
            ask("hq(0.95, sum by (le,sweep) (rate(muster_sweep_duration_seconds_bucket{inst}[$__rate_interval])))", "{{sweep}}"),
            unit="s",
        ),
        lines(
            "Sweep errors",
            "Sweeps that failed, per hour. A few during a database restart are expected and repeated; a steady line is a bug or"
            " a missing right: the log of the leader has the stack.",
            ask("3600 * sum by (sweep) (rate(muster_sweep_errors_total{inst}[1h]))", "{{sweep}}"),
        ),
        stat(
            "Leader changes",
            "How often the lead went to another replica in range. One per deployment is right; more are replicas that lose"
            " their database or block their event loop for longer than the leader's lease.",
            "sum(I[$__range](muster_leader_changes_total))",
            limits=((0, GREEN), (3, ORANGE)),
            width=4,
            height=8,
        ),
        stat(
            "Diagnostic exports",
            "Diagnostic bundles made in range; `forced` ones were asked for again within a minute of another. Many of one hour"
            " mean that an operator is already investigating a problem: find out who before you start.",
            ask("sum by (result) (I[$__range](muster_diagnostics_total))", "{{result}}"),
            limits=((0, BLUE),),
            empty="none",
            width=4,
            height=8,
        ),
    ),
)
