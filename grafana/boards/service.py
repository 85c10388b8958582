"""Service and SLO: requests, error budget, database, event loop, processes, leader."""

from grafana.boards.leader import LEADER
from grafana.panel import GREEN, ORANGE, RED, Board, Row, ask, heat, lines, stat, table

# Scrapes, probes and endless streams say nothing about how fast and how well a request is answered.
SERVED = 'route!~"/metrics|/healthz|/readyz|.*/stream"'

SLO = Row(
    "SLO",
    (
        stat(
            "Availability (range)",
            "Part of the requests in range that were not answered with 5xx; the objective is 99.9 %. Below it, find the route"
            " under errors per second and hold back releases until the budget has grown again.",
            f'1 - (sum(increase(muster_http_requests_total{{{SERVED},code=~"5.."}}[$__range])) or vector(0))'
            f" / sum(increase(muster_http_requests_total{{{SERVED}}}[$__range]))",
            unit="percentunit",
            limits=((0, RED), (0.999, GREEN)),
            width=5,
            height=8,
        ),
        stat(
            "Fast answers (range)",
            "Part of the requests in range that were answered within 250 ms; the objective is 99 %. Below it, look at the event"
            " loop lag and the wait for a connection before blaming the database.",
            f'sum(increase(muster_http_request_duration_seconds_bucket{{{SERVED},le="0.25"}}[$__range]))'
            f" / sum(increase(muster_http_request_duration_seconds_count{{{SERVED}}}[$__range]))",
            unit="percentunit",
            limits=((0, RED), (0.99, GREEN)),
            width=5,
            height=8,
        ),
        lines(
            "Error budget burn",
            "How many times faster than allowed the error budget is used, over one hour and over six. Above 14.4 (1 h) or 6 (6"
            " h) an alert pages; between 1 and 6 mend it today.",
            ask("job:muster_http_errors:ratio_rate1h / 0.001", "1 h"),
            ask("job:muster_http_errors:ratio_rate6h / 0.001", "6 h"),
            limits=((0, GREEN), (1, ORANGE), (14.4, RED)),
            width=14,
        ),
    ),
)

REQUESTS = Row(
    "Requests",
    (
        lines(
            "Requests per second",
            "Requests by method and route template. Reports and claims should lead; a cockpit or API route on top of them is a"
            " client that polls where it could use the event stream.",
            ask("sum by (method, route) (rate(muster_http_requests_total{inst}[$__rate_interval]))", "{{method}} {{route}}"),
            unit="reqps",
        ),
        lines(
            "Errors per second",
            "Requests answered with 4xx and 5xx. Few 409 and 412 are the normal language of claims and edits; 401 and 403 are a"
            " token; 503 is the database away; any 500 is a bug to report with its log line.",
            ask(
                'sum by (code, route) (rate(muster_http_requests_total{code=~"[45].."}[$__rate_interval]))', "{{code}} {{route}}"
            ),
            unit="reqps",
        ),
        lines(
            "Duration",
            "Time to answer: half, 95 % and 99 % of requests. Long polls of claims lift the upper lines on purpose; if the half"
            " line rises, every client waits: go to event loop and database.",
            ask("hq(0.5, sum by (le) (rate(muster_http_request_duration_seconds_bucket{inst}[$__rate_interval])))", "p50"),
            ask("hq(0.95, sum by (le) (rate(muster_http_request_duration_seconds_bucket{inst}[$__rate_interval])))", "p95"),
            ask("hq(0.99, sum by (le) (rate(muster_http_request_duration_seconds_bucket{inst}[$__rate_interval])))", "p99"),
            unit="s",
        ),
        table(
            "Routes",
            "Each route with its rate and the time that 99 % of its requests stay under. Sort by time to find the slow one and"
            " by rate to find the costly one; a slow and frequent route is the first to improve.",
            ask("sum by (method, route) (rate(muster_http_requests_total{inst}[5m]))", "Rate", "reqps"),
            ask("hq(0.99, sum by (method, route, le) (rate(muster_http_request_duration_seconds_bucket{inst}[5m])))", "p99", "s"),
            labels={"method": "Method", "route": "Route"},
        ),
        heat(
            "Duration heatmap",
            "All answers by the time they took. Two separate bands are two kinds of request and harmless; one band that"
            " thickens upwards under load is a queue in front of the service.",
            ask("sum by (le) (increase(muster_http_request_duration_seconds_bucket{inst}[$__interval]))", "{{le}}"),
            unit="s",
            width=12,
        ),
        lines(
            "Refused",
            "Requests refused per minute, by rate limit and by failed authentication. A steady line of one reason is a client"
            " with an old token or a loop without back-off: find it by its address in the log.",
            ask("60 * sum by (scope) (rate(muster_http_rate_limited_total{inst}[$__rate_interval]))", "rate limit: {{scope}}"),
            ask("60 * sum by (reason) (rate(muster_auth_failures_total{inst}[$__rate_interval]))", "auth: {{reason}}"),
            width=12,
        ),
        lines(
            "Live stream messages",
            "Messages sent to and dropped for open event streams. Dropped ones belong to readers slower than the log: they"
            " resume by themselves, but a client that always drops should filter its stream.",
            ask("sum by (result) (rate(muster_stream_messages_total{inst}[$__rate_interval]))", "{{result}}"),
            unit="ops",
            width=12,
        ),
    ),
)

DATABASE = Row(
    "Database",
    (
        lines(
            "Pool",
            "Connections in use and idle against the maximum. Used at the line means requests queue for a connection:"
            " raise the pool if Postgres has room, or find the slow statement that holds them.",
            ask("sum by (state) (muster_db_pool_connections{inst})", "{{state}}"),
            ask("sum(muster_db_pool_connections_max{inst})", "maximum"),
            width=6,
        ),
        lines(
            "Wait for a connection",
            "Time that 99 % of requests wait at most for a connection, per replica. More than some milliseconds adds to every"
            " answer; a single replica above the others is overloaded, balance its clients.",
            ask(
                "hq(0.99, sum by (le,instance) (rate(muster_db_pool_acquire_seconds_bucket{inst}[$__rate_interval])))",
                "{{instance}}",
            ),
            unit="s",
            width=6,
        ),
        lines(
            "Statements",
            "Time that 95 % of the executions of each named statement stay under. The names are those in the `.sql` files:"
            " EXPLAIN the one that climbs while its rate does not, it has lost its index or its table has bloated.",
            ask(
                "hq(0.95, sum by (le,operation) (rate(muster_db_operation_duration_seconds_bucket{inst}[$__rate_interval])))",
                "{{operation}}",
            ),
            unit="s",
            width=6,
        ),
        lines(
            "Database errors",
            "Errors by class of SQLSTATE. 08 and 57 are connections and shutdowns, retried by themselves; 40 is a conflict; 53"
            " is a full disk or too many connections and needs action now; 23 and 42 are bugs.",
            ask("sum by (sqlstate_class) (rate(muster_db_errors_total{inst}[$__rate_interval]))", "{{sqlstate_class}}"),
            unit="ops",
            width=6,
        ),
    ),
)

PROCESS = Row(
    "Process",
    (
        lines(
            "Event loop lag",
            "How late the event loop runs its callbacks, 99 % of them, per replica. Above 250 ms everything is slow at once and"
            " heartbeats are late: something computes on the loop; take a profile with py-spy before restarting.",
            ask(
                "hq(0.99, sum by (le,instance) (rate(muster_event_loop_lag_seconds_bucket{inst}[$__rate_interval])))",
                "{{instance}}",
            ),
            unit="s",
            width=6,
        ),
        lines(
            "CPU",
            "Processor cores used by each replica. One event loop cannot use more than one: a replica near 1.0 is full, so"
            " start another one rather than a larger machine.",
            ask("rate(process_cpu_seconds_total{inst}[$__rate_interval])", "{{instance}}"),
            width=6,
        ),
        lines(
            "Memory",
            "Resident memory of each replica. It should level off within an hour; a line that only climbs is a leak: note when"
            " it started and restart the replica in a quiet moment, nothing is lost by that.",
            ask("process_resident_memory_bytes{inst}", "{{instance}}"),
            unit="bytes",
            width=6,
        ),
        lines(
            "In flight and streams",
            "Requests being answered and event streams open. In flight rises with long polls, which is cheap; rising without"
            " more workers means that answers have become slow.",
            ask("sum(muster_http_requests_in_flight{inst})", "in flight"),
            ask("sum(muster_stream_clients{inst})", "streams"),
            width=6,
        ),
    ),
)

BOARD = Board(
    uid="muster-service",
    title="Muster / Service and SLO",
    description="Requests, errors and durations of the API, error budget, database, event loop, processes.",
    rows=(SLO, REQUESTS, DATABASE, PROCESS, LEADER),
    chooses="instance",
)
