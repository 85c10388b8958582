"""The row on export of the event log board."""

from grafana.panel import ANY_IS_ORANGE, GREEN, ORANGE, RED, Row, ask, lines, stat, table

EXPORT = Row(
    "Export",
    (
        lines(
            "OTLP exports",
            "Pushes to the collector by result. Failures cost nothing but the push: check endpoint and certificate in the"
            " settings; partial ones mean that the collector refuses some points.",
            ask("sum by (result) (rate(muster_otlp_exports_total{inst}[$__rate_interval]))", "{{result}}"),
            unit="ops",
        ),
        lines(
            "OTLP data points",
            "Points that the collector accepted and rejected, as its answer says. Rejected points are lost over there, not"
            " here: read the collector's log, names or types usually clash with an older series.",
            ask("sum by (result) (rate(muster_otlp_points_total{inst}[$__rate_interval]))", "{{result}}"),
            unit="ops",
        ),
        lines(
            "OTLP export duration",
            "Time that 95 % of pushes take. They run beside the event loop and never delay a claim, but one longer than the"
            " push interval is skipped: bring the collector closer or push less often.",
            ask("hq(0.95, sum by (le) (rate(muster_otlp_export_duration_seconds_bucket{inst}[$__rate_interval])))", "p95"),
            unit="s",
        ),
        lines(
            "Since the last OTLP success",
            "Time since a push last went well. Longer than a few intervals: dashboards fed by the collector are old, those fed"
            " by the scrape are not; mend the collector, the next push carries the totals.",
            "time() - (max(muster_otlp_last_success_timestamp_seconds{inst}) > 0)",
            unit="s",
            empty="never pushed",
        ),
        lines(
            "Scrape cost",
            "Time to collect one exposition, per replica. Above a second Prometheus may time out: scrape `scope=process`"
            " everywhere and `scope=fleet` once, or lower the caps of campaigns and workers.",
            ask("max by (instance) (muster_metrics_collect_duration_seconds{inst})", "{{instance}}"),
            unit="s",
        ),
        lines(
            "Series exposed",
            "Series in the exposition by scope. Growth without more campaigns or workers is a label that escaped its closed"
            " list: report it, and drop the family in the scrape configuration until it is mended.",
            ask("sum by (scope) (muster_metrics_series{inst})", "{{scope}}"),
        ),
        stat(
            "Entities over the cap",
            "Campaigns and workers left out of the labelled series because there are too many. The fleet's totals stay right;"
            " raise the cap if Prometheus can bear the series, else use the cockpit for the rest.",
            ask("F(muster_metrics_dropped_entities)", "{{entity}}"),
            limits=ANY_IS_ORANGE,
            width=6,
            height=6,
        ),
        stat(
            "Fold positions apart",
            "Distance between the positions that the replicas export. Some hundreds are the time between two scrapes; thousands"
            " for minutes mean that one replica shows the past: find it in fold position per replica.",
            "max(muster_metrics_fold_position{inst}) - min(muster_metrics_fold_position{inst})",
            limits=((0, GREEN), (1000, ORANGE), (5000, RED)),
            width=6,
            height=6,
        ),
        table(
            "Build",
            "What runs on each replica: version, commit, schema and Python. Two versions side by side are right only during a"
            " deployment; two schemas never are, an older replica then refuses to start.",
            "muster_build_info{inst}",
            labels={"instance": "Replica", "version": "Version", "commit": "Commit", "schema": "Schema", "python": "Python"},
            hidden=("__name__", "Value", "job"),
            height=6,
        ),
    ),
)
