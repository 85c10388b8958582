"""Cases of the alerts about the processes, the leader and what leaves the service as a number."""

from tests.rules.case import case, counter


def connections(used: int) -> tuple[str, str]:
    """Return that many of a hundred connections in use."""
    return f'db_pool_connections{{state="used"}} {used}x30', "db_pool_connections_max 100x30"


def loop_lag(fast: str, within_fast: int, slow: str) -> tuple[str, ...]:
    """Return a hundred turns of the event loop a minute: so many within *fast*, all within *slow*."""
    return tuple(
        f'event_loop_lag_seconds_bucket{{le="{bound}"}} 0+{count}x60'
        for bound, count in {fast: within_fast, slow: 100, "+Inf": 100}.items()
    )


def leaders(first: int, second: int) -> tuple[str, str]:
    """Return two replicas that say whether they lead."""
    return f'leader{{instance="a"}} {first}x30', f'leader{{instance="b"}} {second}x30'


SERVICE = {
    "MusterDbPoolExhausted warning": (
        case("every connection is used", *connections(100), fires="6m"),
        case("half of them", *connections(50), quiet="6m"),
        case("96 of 100", *connections(96), fires="5m", quiet="4m"),
        case("95 of 100", *connections(95), quiet="6m"),
    ),
    "MusterEventLoopBlocked warning": (
        case("one turn of ten is up to a second late", *loop_lag("0.1", 90, "1"), fires="12m"),
        case("all are punctual", *loop_lag("0.1", 100, "1"), quiet="12m"),
        case("two of a hundred are later than 250 ms", *loop_lag("0.25", 98, "0.5"), fires="6m", quiet="5m"),
        case(
            "it has been punctual for 5 minutes",
            f'event_loop_lag_seconds_bucket{{le="0.25"}} {counter((50, 30), (100, 10))}',
            f'event_loop_lag_seconds_bucket{{le="0.5"}} {counter((100, 40))}',
            f'event_loop_lag_seconds_bucket{{le="+Inf"}} {counter((100, 40))}',
            fires="34m",
            quiet="35m",
        ),
        case("all end within 250 ms", *loop_lag("0.1", 50, "0.25"), quiet="12m"),
    ),
    "MusterNoLeader critical": (
        case("nobody leads", *leaders(0, 0), fires="2m 3m", quiet="1m"),
        case("one leads", *leaders(1, 0), quiet="3m"),
    ),
    "MusterSplitBrain critical": (
        case("both lead", *leaders(1, 1), fires="1m 3m", quiet="0m 30s", every="30s"),
        case("one leads", *leaders(1, 0), quiet="3m"),
    ),
    "MusterSweepStale critical": (
        case("no sweep since minute 1", 'sweep_last_success_timestamp_seconds{sweep="reaper"} 60x30', fires="6m 8m", quiet="5m"),
        case("a sweep a minute", 'sweep_last_success_timestamp_seconds{sweep="reaper"} 0+60x30', quiet="8m"),
        case(
            "the other replica sweeps since it leads",
            'sweep_last_success_timestamp_seconds{sweep="reaper",instance="a"} 60x30',
            'sweep_last_success_timestamp_seconds{sweep="reaper",instance="b"} 0+60x30',
            quiet="8m",
        ),
    ),
    "MusterRestarting warning": (
        case("four restarts", "process_start_time_seconds 1 2 3 4 5 5x40", fires="4m 30m", quiet="3m 31m"),
        case("two restarts", "process_start_time_seconds 1 2 2x30", quiet="8m"),
        case("three restarts", "process_start_time_seconds 1 2 3 4 4x30", quiet="8m"),
    ),
    "MusterOtlpExportFailing warning": (
        case(
            "every export fails",
            'otlp_exports_total{result="failure"} 0+1x60',
            'otlp_exports_total{result="success"} 0+0x60',
            fires="11m 25m",
            quiet="10m",
        ),
        case(
            "some succeed",
            'otlp_exports_total{result="failure"} 0+1x60',
            'otlp_exports_total{result="success"} 0+1x60',
            quiet="25m",
        ),
        case(
            "an export fails every 8 minutes",
            'otlp_exports_total{result="failure"} 0x7 1x7 2x7 3x7 4x7',
            fires="18m 30m",
            quiet="17m",
        ),
        case(
            "the last success was 20 minutes ago",
            'otlp_exports_total{result="failure"} 0+1x60',
            f'otlp_exports_total{{result="success"}} {counter((1, 20), (0, 40))}',
            fires="40m",
            quiet="39m",
        ),
        case("one failed", 'otlp_exports_total{result="failure"} 0x5 1x60', quiet="15m 16m 17m"),
    ),
    "MusterOtlpPointsRejected warning": (
        case("7 points are rejected", 'otlp_points_total{result="rejected"} 0x3 7x30', fires="4m 18m", quiet="3m 19m"),
        case("7 points are accepted", 'otlp_points_total{result="accepted"} 0+7x30', quiet="6m"),
    ),
    "MusterMetricsCollectFailing warning": (
        case("one scrape lacks the fleet", "metrics_collect_errors_total 0x3 1x30", fires="4m 13m", quiet="3m 14m"),
        case("scrapes failed long ago", "metrics_collect_errors_total 2x30", quiet="6m"),
    ),
    "MusterSeriesDropped info": (
        case("3 campaigns are over the cap", 'metrics_dropped_entities{entity="campaign"} 3x60', fires="30m 35m", quiet="29m"),
        case("none is", 'metrics_dropped_entities{entity="campaign"} 0x60', quiet="35m"),
        case("one worker is", 'metrics_dropped_entities{entity="worker"} 1x60', fires="30m"),
    ),
    "MusterWatchdog none": (case("always", "up 1x5", fires="0m 2m"),),
}
