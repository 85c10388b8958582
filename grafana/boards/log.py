"""Event log, projections and export: the log, the folds and what leaves the house."""

from grafana.boards.export import EXPORT
from grafana.panel import ANY_IS_RED, GREEN, ORANGE, RED, Board, Row, ask, lines, stat, table

LOG = Row(
    "Event log",
    (
        lines(
            "Events per second",
            "Every kind of event written to the log. The log only grows by these: if the disk fills, the kind on top tells what"
            " to send less often, most times the heartbeats.",
            ask("sum by (kind) (R(muster_events_total))", "{{kind}}"),
            unit="ops",
        ),
        lines(
            "Append duration",
            "Time of one batch of the Writer, from lock to commit: half and 99 %. It bounds how fast anything can be decided;"
            " above 500 ms look at the disk of Postgres, commits wait for its fsync.",
            ask("hq(0.5, sum by (le) (rate(muster_event_append_duration_seconds_bucket{inst}[$__rate_interval])))", "p50"),
            ask("hq(0.99, sum by (le) (rate(muster_event_append_duration_seconds_bucket{inst}[$__rate_interval])))", "p99"),
            unit="s",
        ),
        lines(
            "Append failures",
            "Batches that could not be appended, by reason. Conflicts are retried and harmless in small numbers; database"
            " unavailable and timeouts are answered with 503, so clients try again: mend the database.",
            ask("sum by (reason) (rate(muster_event_append_failures_total{inst}[$__rate_interval]))", "{{reason}}"),
            unit="ops",
        ),
        lines(
            "Head of the log",
            "Position of the newest event. It never falls: if it did, a replica reads another or a restored database; stop all"
            " replicas and run `muster verify` before anything is written.",
            "max(F(muster_event_store_position))",
        ),
        lines(
            "Size on disk",
            "Bytes of the log, the state and the views with their indexes. Plan the disk from the slope of the last week; a"
            " view that grows faster than the log has bloated and wants a vacuum.",
            ask("F(muster_event_store_size_bytes)", "{{relation}}"),
            unit="bytes",
        ),
        lines(
            "Events per append",
            "How many events one commit carries: half and 95 %. Growing batches are how the Writer keeps up under load; at the"
            " largest bucket it is at its limit, and append duration decides what comes next.",
            ask("hq(0.5, sum by (le) (rate(muster_event_append_batch_events_bucket{inst}[$__rate_interval])))", "p50"),
            ask("hq(0.95, sum by (le) (rate(muster_event_append_batch_events_bucket{inst}[$__rate_interval])))", "p95"),
        ),
    ),
)

PROJECTIONS = Row(
    "Projections",
    (
        lines(
            "Lag",
            "Age of the oldest event that a projection has not folded yet; zero when it has caught up. Above 30 s pages and"
            " metrics are old; when it grows steadily the projector is stuck on one event: its log names the position.",
            ask("F(muster_projection_lag_seconds)", "{{projection}}"),
            unit="s",
            limits=((0, GREEN), (30, ORANGE), (300, RED)),
        ),
        lines(
            "Lag in events",
            "How many events are still to fold. A hill after an import is normal and shrinks by tens of thousands a second; a"
            " plateau is a projector that no longer runs.",
            ask("F(muster_projection_lag_events)", "{{projection}}"),
        ),
        lines(
            "Events applied",
            "Events folded per second by each projection. It should follow the events written; only one replica folds at a"
            " time, so a sum beyond the log's rate is a rebuild under way.",
            ask("sum by (projection) (rate(muster_projection_events_total{inst}[$__rate_interval]))", "{{projection}}"),
            unit="ops",
        ),
        lines(
            "Batch duration",
            "Time that 95 % of the pages of the projector take. It is what a page shown after a change has to wait for; if it"
            " rises with the size of the fleet, a view rewrites more rows than it should.",
            ask(
                "hq(0.95, sum by (le,projection)"
                " (rate(muster_projection_batch_duration_seconds_bucket{inst}[$__rate_interval])))",
                "{{projection}}",
            ),
            unit="s",
        ),
        lines(
            "Commit to applied",
            "Time from the commit of an event to its being visible: half and 99 %. Around the poll interval instead of"
            " milliseconds, the notifications do not arrive: a pooler between service and Postgres swallows LISTEN.",
            ask("hq(0.5, sum by (le) (rate(muster_projection_notify_latency_seconds_bucket{inst}[$__rate_interval])))", "p50"),
            ask("hq(0.99, sum by (le) (rate(muster_projection_notify_latency_seconds_bucket{inst}[$__rate_interval])))", "p99"),
            unit="s",
        ),
        stat(
            "Divergences and errors",
            "Rows of a view that differed from a fresh fold of the log, and pages that failed, in range. Both must be zero:"
            " rebuild the view with `muster rebuild` and report the position, the log itself is unharmed.",
            ask("sum(increase(muster_projection_divergences_total{inst}[$__range]))", "divergences"),
            ask("sum(increase(muster_projection_errors_total{inst}[$__range]))", "errors"),
            limits=ANY_IS_RED,
            width=8,
            height=8,
        ),
        table(
            "Checkpoints",
            "Where each projection stands: its generation, position and events to go. The generation grows by one with each"
            " swapped rebuild; compare positions before you trust two boards with each other.",
            ask("max by (projection) (F(muster_projection_generation))", "Generation"),
            ask("max by (projection) (F(muster_projection_position))", "Position"),
            ask("max by (projection) (F(muster_projection_lag_events))", "Events to go"),
            labels={"projection": "Projection"},
            width=8,
        ),
        lines(
            "Rebuild",
            "How far a rebuild beside the running view has come; absent while none runs. It swaps by itself at 100 %; if it"
            " stands still, look at the log of the replica that was asked for it.",
            ask("F(muster_projection_rebuild_ratio)", "{{projection}}"),
            unit="percentunit",
            most=1,
            empty="no rebuild",
        ),
        lines(
            "Fold position per replica",
            "The position of the snapshot that each replica exports. The lines lie on each other: one that trails is a replica"
            " whose scrape is stale, so take it out of the balancer and look at its database connection.",
            ask("muster_metrics_fold_position{inst}", "{{instance}}"),
        ),
    ),
)

BOARD = Board(
    uid="muster-log",
    title="Muster / Event log, projections and export",
    description="The log, the folds and what leaves the house.",
    rows=(LOG, PROJECTIONS, EXPORT),
    chooses="instance",
)
