"""Cases of the alerts about the log and its folds."""

from tests.rules.case import case, counter


def conflicts(of_hundred: int) -> tuple[str, str]:
    """Return that many conflicts beside a hundred appends a minute."""
    return (
        f'event_append_failures_total{{reason="conflict"}} 0+{of_hundred}x60',
        "event_append_duration_seconds_count 0+100x60",
    )


def appends(**within: int) -> tuple[str, ...]:
    """Return how many of a hundred appends a minute end within a bucket, named `ms500` for half a second."""
    bounds = {int(name.removeprefix("ms")) / 1000: count for name, count in within.items()}
    return tuple(
        f'event_append_duration_seconds_bucket{{le="{bound}"}} 0+{count}x60'
        for bound, count in ({f"{bound:g}": count for bound, count in bounds.items()} | {"+Inf": 100}).items()
    )


def folding(position: str, behind: int = 1) -> tuple[str, str]:
    """Return a projection's position and how many events it is behind."""
    return f'projection_lag_events{{projection="views"}} {behind}x60', f'projection_position{{projection="views"}} {position}'


LOG = {
    "MusterEventAppendFailing critical": (
        case(
            "an append a minute fails",
            'event_append_failures_total{reason="db_unavailable"} 0+1x30',
            fires="6m 10m",
            quiet="5m",
        ),
        case(
            "an append fails every 4 minutes", 'event_append_failures_total{reason="other"} 0x3 1x3 2x3 3x3 4x3', fires="10m 19m"
        ),
        case("appends conflict", 'event_append_failures_total{reason="conflict"} 0+1x30', quiet="10m"),
        case("one append failed", 'event_append_failures_total{reason="timeout"} 0x5 1x30', quiet="8m 10m 11m 12m"),
    ),
    "MusterEventAppendConflictsHigh warning": (
        case("30 of 100 conflict", *conflicts(30), fires="35m"),
        case("10 of 100 conflict", *conflicts(10), quiet="35m"),
        case("21 of 100 conflict", *conflicts(21), fires="16m", quiet="15m"),
        case("19 of 100 conflict", *conflicts(19), quiet="35m"),
        case(
            "appends were frequent until 15 minutes ago",
            f'event_append_failures_total{{reason="conflict"}} {counter((0, 30), (30, 40))}',
            f"event_append_duration_seconds_count {counter((1000, 30), (100, 40))}",
            fires="60m",
            quiet="59m",
        ),
        case(
            "the conflicts ended 7 minutes ago",
            f'event_append_failures_total{{reason="conflict"}} {counter((40, 30), (0, 30))}',
            f"event_append_duration_seconds_count {counter((100, 60))}",
            fires="37m",
            quiet="38m",
        ),
    ),
    "MusterEventAppendSlow warning": (
        case("one of ten takes up to a second", *appends(ms100=90, ms1000=100), fires="20m"),
        case("all are fast", *appends(ms100=100, ms1000=100), quiet="20m"),
        case("two of a hundred take longer than half a second", *appends(ms500=98, ms1000=100), fires="11m", quiet="10m"),
        case("all end within half a second", *appends(ms250=50, ms500=100), quiet="20m"),
    ),
    "MusterProjectionLagging warning": (
        case("31 seconds behind", 'projection_lag_seconds{projection="views"} 31x30', fires="5m", quiet="4m"),
        case("30 seconds behind", 'projection_lag_seconds{projection="views"} 30x30', quiet="6m"),
        case("20 seconds behind", 'projection_lag_seconds{projection="views"} 20x30', quiet="6m"),
    ),
    "MusterProjectionLagging critical": (
        case("400 seconds behind", 'projection_lag_seconds{projection="views"} 400x30', fires="6m"),
        case("301 seconds behind", 'projection_lag_seconds{projection="views"} 301x30', fires="5m", quiet="4m"),
        case("300 seconds behind", 'projection_lag_seconds{projection="views"} 300x30', quiet="6m"),
    ),
    "MusterProjectionStuck critical": (
        case("it stands still with 7 events to fold", *folding("100x60", behind=7), fires="5m 20m", quiet="4m"),
        case("it moves", *folding("100+1x60", behind=7), quiet="20m"),
        case("one event is behind, 10 minutes after the last move", *folding("100+1x5 105x60"), fires="20m", quiet="19m"),
        case("nothing is behind", *folding("100x60", behind=0), quiet="20m"),
    ),
    "MusterProjectionErrors warning": (
        case("a page fails", 'projection_errors_total{projection="views"} 0x5 1x30', fires="6m 20m", quiet="5m 21m"),
        case("pages failed long ago", 'projection_errors_total{projection="views"} 3x30', quiet="8m"),
    ),
    "MusterProjectionDiverged critical": (
        case("a row differs", 'projection_divergences_total{projection="views"} 0x5 1x80', fires="6m 65m", quiet="5m 66m"),
        case("no row differs", 'projection_divergences_total{projection="views"} 0x30', quiet="8m"),
    ),
    "MusterFoldSkew warning": (
        case(
            "one replica stands still",
            'metrics_fold_position{instance="a"} 10000+10x60',
            'metrics_fold_position{instance="b"} 100x60',
            fires="10m 15m",
            quiet="9m",
        ),
        case(
            "they are a second apart",
            'metrics_fold_position{instance="a"} 10000+10x60',
            'metrics_fold_position{instance="b"} 9990+10x60',
            quiet="15m",
        ),
        case(
            "they are 5001 events apart",
            'metrics_fold_position{instance="a"} 6001x60',
            'metrics_fold_position{instance="b"} 1000x60',
            fires="15m",
        ),
        case(
            "they are 5000 events apart",
            'metrics_fold_position{instance="a"} 6000x60',
            'metrics_fold_position{instance="b"} 1000x60',
            quiet="15m",
        ),
    ),
}
