"""Alerts about the API's promises: 99.9 % without a 5xx, 99 % within 250 ms, over 30 days."""

from ops.rules.rule import Alert, Group, Severity

# Window, short window, how many times faster than allowed, when 30 days of budget are gone at that pace, `for`, severity.
BURNS: tuple[tuple[str, str, str, str, str, Severity], ...] = (
    ("1h", "5m", "14.4", "50 hours", "2m", "critical"),
    ("6h", "30m", "6", "5 days", "15m", "critical"),
    ("1d", "2h", "3", "10 days", "1h", "warning"),
    ("3d", "6h", "1", "30 days", "3h", "warning"),
)


def burn(name: str, ratio: str, budget: str, what: str, how: str) -> tuple[Alert, ...]:
    """Return the four rules that compare *ratio* with *budget*, fast burns first."""
    return tuple(
        Alert(
            name=name,
            severity=severity,
            lasting=lasting,
            labels={"long": long, "short": short},
            expr=f"""
            job:{ratio}:ratio_rate{long} > ({factor} * {budget})
            and job:{ratio}:ratio_rate{short} > ({factor} * {budget})
            """,
            summary=f"The API burns its error budget ({what}).",
            description=f"{{{{ $value | humanizePercentage }}}} of the requests of the last {long} {how}: at this rate the budget"
            f" of 30 days is gone in {gone}.",
            dashboard="muster-service",
        )
        for long, short, factor, gone, lasting, severity in BURNS
    )


API = Group(
    name="muster-api",
    rules=(
        Alert(
            name="MusterDown",
            severity="critical",
            lasting="2m",
            expr='up{job=~"muster.*"} == 0',
            summary="A replica cannot be scraped.",
            description="Prometheus cannot scrape {{ $labels.instance }} of job {{ $labels.job }}.",
            dashboard="muster-service",
            subject="instance",
        ),
        Alert(
            name="MusterAbsent",
            severity="critical",
            lasting="5m",
            expr='absent(up{job=~"muster.*"})',
            summary="No replica is known to Prometheus.",
            description="No target has a job that begins with muster: the service is gone or the scrape configuration is.",
            dashboard="muster-service",
        ),
        *burn("MusterApiErrorBudgetBurn", "muster_http_errors", "0.001", "errors", "ended with a 5xx"),
        *burn("MusterApiLatencyBudgetBurn", "muster_http_slow", "0.01", "slow answers", "took more than 250 ms"),
    ),
)
