"""What one process tells of itself."""

from projections.measures.family import process

SWEEPS = ("reaper", "retry", "quota", "heartbeat", "inquiry", "retention")

PROCESS = (
    process(
        "histogram",
        "muster_event_append_duration_seconds",
        "Time of one batch of the Writer, from lock to commit.",
        ".001 .0025 .005 .01 .025 .05 .1 .25 .5 1 2.5 5",
    ),
    process("histogram", "muster_event_append_batch_events", "Events of one batch of the Writer.", "1 2 5 10 20 50 100 200 500"),
    process(
        "counter",
        "muster_event_append_failures_total",
        "Batches that failed.",
        reason=("conflict", "db_unavailable", "timeout", "invalid", "other"),
    ),
    process("counter", "muster_projection_events_total", "Events that this process folded.", projection=("views",)),
    process(
        "histogram",
        "muster_projection_batch_duration_seconds",
        "Time of one page of the projector.",
        ".001 .005 .01 .05 .1 .5 1 5",
        projection=("views",),
    ),
    process("counter", "muster_projection_errors_total", "Pages of the projector that failed.", projection=("views",)),
    process("counter", "muster_projection_divergences_total", "Rows that differed from a fresh fold.", projection=("views",)),
    process(
        "histogram",
        "muster_projection_notify_latency_seconds",
        "Time from a commit of this process to its fold, on the leader.",
        ".005 .01 .025 .05 .1 .25 .5 1 2.5 5 10",
    ),
    process("counter", "muster_http_requests_total", "Requests answered.", method=None, route=None, code=None),
    process(
        "histogram",
        "muster_http_request_duration_seconds",
        "Time of a request.",
        ".005 .01 .025 .05 .1 .25 .5 1 2.5 5 10",
        method=None,
        route=None,
    ),
    process("gauge", "muster_http_requests_in_flight", "Requests being answered."),
    process(
        "counter", "muster_http_rate_limited_total", "Requests refused for their number.", scope=("token", "address", "route")
    ),
    process(
        "counter",
        "muster_auth_failures_total",
        "Requests refused for who asked.",
        reason=("missing", "unknown", "expired", "revoked", "forbidden"),
    ),
    process("gauge", "muster_stream_clients", "Open event streams."),
    process("counter", "muster_stream_messages_total", "Events sent on streams, and those lost.", result=("sent", "dropped")),
    process("gauge", "muster_db_pool_connections", "Connections of the pool.", state=("used", "idle")),
    process("gauge", "muster_db_pool_connections_max", "Connections that the pool may open."),
    process("histogram", "muster_db_pool_acquire_seconds", "Wait for a connection.", ".0005 .001 .005 .01 .05 .1 .5 1 5"),
    process(
        "histogram",
        "muster_db_operation_duration_seconds",
        "Time of a statement, by the file that names it.",
        ".001 .005 .01 .05 .1 .5 1 5",
        operation=None,
    ),
    process("counter", "muster_db_errors_total", "Statements that failed, by the class of their SQLSTATE.", sqlstate_class=None),
    process("histogram", "muster_event_loop_lag_seconds", "Delay of the event loop.", ".001 .005 .01 .05 .1 .25 .5 1 5"),
    process("gauge", "muster_leader", "1 while this replica leads."),
    process(
        "gauge",
        "muster_sweep_last_success_timestamp_seconds",
        "When a sweep last ended well.",
        sweep=SWEEPS,
    ),
    process("histogram", "muster_sweep_duration_seconds", "Time of a sweep.", ".001 .01 .05 .1 .5 1 5 30", sweep=SWEEPS),
    process("counter", "muster_sweep_errors_total", "Sweeps that failed.", sweep=SWEEPS),
    process("info", "muster_build_info", "What this process is.", version=None, commit=None, schema=None, python=None),
    process("gauge", "muster_metrics_series", "Series in the last exposition.", scope=("fleet", "process")),
    process("gauge", "muster_metrics_collect_duration_seconds", "Time to collect the last exposition."),
    process("counter", "muster_metrics_collect_errors_total", "Expositions without the fleet's part."),
    process(
        "counter",
        "muster_otlp_exports_total",
        "Exports over OTLP, of metrics and of traces.",
        result=("success", "partial", "failure"),
    ),
    process(
        "counter",
        "muster_otlp_points_total",
        "Points and spans that the receiver took, and refused.",
        result=("accepted", "rejected"),
    ),
    process("histogram", "muster_otlp_export_duration_seconds", "Time of an export.", ".005 .01 .025 .05 .1 .25 .5 1 2.5 5 10"),
    process("gauge", "muster_otlp_last_success_timestamp_seconds", "When an export last went well; 0 before the first."),
)
