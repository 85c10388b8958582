"""Every recording rule."""

from ops.rules.rule import Group, Recording

WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
# Probes, scrapes and streams are no promise of the API.
ROUTES = 'route!~"/metrics|/healthz|/readyz|.*/stream"'


def errors(window: str) -> Recording:
    """Return the part of the requests that ended with a 5xx over *window*; 0 when none did, nothing without requests."""
    return Recording(
        record=f"job:muster_http_errors:ratio_rate{window}",
        expr=f"""
        (
          sum by (job) (rate(muster_http_requests_total{{code=~"5..",{ROUTES}}}[{window}]))
          or 0 * sum by (job) (rate(muster_http_requests_total{{{ROUTES}}}[{window}]))
        )
        / sum by (job) (rate(muster_http_requests_total{{{ROUTES}}}[{window}]))
        """,
    )


def slow(window: str) -> Recording:
    """Return the part of the requests that took more than 250 ms over *window*."""
    return Recording(
        record=f"job:muster_http_slow:ratio_rate{window}",
        expr=f"""
        1 - sum by (job) (rate(muster_http_request_duration_seconds_bucket{{le="0.25",{ROUTES}}}[{window}]))
        / sum by (job) (rate(muster_http_request_duration_seconds_count{{{ROUTES}}}[{window}]))
        """,
    )


def attempt_quantile(name: str, quantile: str) -> Recording:
    """Return a quantile of the attempts' durations over five minutes."""
    return Recording(
        record=f"job:muster_attempt_duration_seconds:{name}_5m",
        expr=f"hq({quantile}, sum by (job, le) (R[5m](muster_attempt_duration_seconds_bucket)))",
    )


CAMPAIGNS = (
    Recording(
        record="campaign:muster_units_finished:increase30m",
        expr='sum by (job, campaign) (I[30m](muster_campaign_units_finished_total{outcome=~"completed|quarantined"}))',
    ),
    Recording(
        record="campaign:muster_units_quarantined:increase30m",
        expr='sum by (job, campaign) (I[30m](muster_campaign_units_finished_total{outcome="quarantined"}))',
    ),
    Recording(
        record="campaign:muster_unit_failure:ratio30m",
        expr="campaign:muster_units_quarantined:increase30m / (campaign:muster_units_finished:increase30m > 0)",
    ),
)

FLEET = (
    Recording(
        record="job:muster_retry_success:ratio1h",
        expr="""
        sum by (job) (I[1h](muster_retries_total{result="success"}))
        / (sum by (job) (I[1h](muster_retries_total)) > 0)
        """,
    ),
    Recording(record="job:muster_attempts:rate5m", expr="sum by (job, outcome) (R[5m](muster_attempts_total))"),
    attempt_quantile("p50", "0.5"),
    attempt_quantile("p95", "0.95"),
    attempt_quantile("p99", "0.99"),
    Recording(
        record="job:muster_wave_duration_seconds:p95_30m",
        expr="hq(0.95, sum by (job, le) (R[30m](muster_wave_duration_seconds_bucket)))",
    ),
    Recording(
        record="job:muster_event_append_duration_seconds:p99_5m",
        expr="hq(0.99, sum by (job, le) (rate(muster_event_append_duration_seconds_bucket[5m])))",
    ),
    Recording(record="job:muster_workers:sum", expr="sum by (job) (F(muster_workers))"),
    Recording(
        record="job:muster_pool_active:ratio",
        expr="sum by (job) (F(muster_pool_active)) / (sum by (job) (F(muster_pool_capacity)) > 0)",
    ),
)

RECORDING = (
    Group(name="muster-campaigns-recorded", rules=CAMPAIGNS),
    Group(name="muster-fleet-recorded", rules=FLEET),
    Group(name="muster-api-recorded", rules=(*map(errors, WINDOWS), *map(slow, WINDOWS))),
)
RECORDINGS = tuple(rule for group in RECORDING for rule in group.rules if isinstance(rule, Recording))
