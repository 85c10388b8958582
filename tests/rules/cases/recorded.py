"""Cases of the recording rules: what is recorded, by labels, at an instant."""

from dataclasses import dataclass

from tests.rules.case import counter

WINDOWS = {"5m": 5, "30m": 30, "1h": 60, "2h": 120, "6h": 360, "1d": 1440, "3d": 4320}


@dataclass(frozen=True)
class Recorded:
    """Series, and the samples that a rule makes of them."""

    series: tuple[str, ...]
    at: str
    samples: dict[str, float]
    every: str = "1m"


def recorded(*series: str, at: str = "60m", every: str = "1m", **samples: float) -> Recorded:
    """Return a case; a sample is named by `label__value`, or `job` alone."""
    named = {
        "{"
        + ",".join(['job="muster"'] + ([f'{name.split("__")[0]}="{name.split("__")[1]}"'] if "__" in name else []))
        + "}": value
        for name, value in samples.items()
    }
    return Recorded(series, at, named, every)


C1 = 'campaign_units_finished_total{campaign="c1",outcome='
FINISHED = (f'{C1}"completed"}} 0+6x90', f'{C1}"quarantined"}} 0+2x90', f'{C1}"skipped"}} 0+9x90', f'{C1}"cancelled"}} 0+9x90')
UNTOUCHED = (f'{C1.replace("c1", "c2")}"completed"}} 0x90', f'{C1.replace("c1", "c2")}"quarantined"}} 0x90')
DURATIONS = tuple(
    f'attempt_duration_seconds_bucket{{outcome="completed",le="{bound}"}} 0+{count}x60'
    for bound, count in {"1": 40, "5": 80, "10": 98, "30": 100, "+Inf": 100}.items()
)
WAVES = tuple(
    f'wave_duration_seconds_bucket{{outcome="complete",le="{bound}"}} 0+{count}x60'
    for bound, count in {"60": 90, "120": 100, "+Inf": 100}.items()
)
APPENDS = tuple(
    f'event_append_duration_seconds_bucket{{le="{bound}"}} 0+{count}x60'
    for bound, count in {"0.01": 98, "0.05": 100, "+Inf": 100}.items()
)


def changing(minutes: int, *growths: tuple[int, int]) -> tuple[str, ...]:
    """Return counters that grow by the first number for *minutes*, then by the second: a sample every five minutes."""
    return tuple(counter((before, minutes // 5), (after, 1)) for before, after in growths)


def requests(minutes: int) -> tuple[str, ...]:
    """Return requests of which one of four is bad, then three of four; probes, scrapes and streams are bad all the time."""
    good, bad, other = changing(minutes, (3, 1), (1, 3), (9, 9))
    excluded = ("/metrics", "/readyz", "/healthz", "/health/live", "/events/stream", "/v1/events/stream")
    return (
        f'http_requests_total{{route="/v1/reports",method="POST",code="200"}} {good}',
        f'http_requests_total{{route="/v1/reports",method="POST",code="500"}} {bad}',
        *(f'http_requests_total{{route="{route}",method="GET",code="503"}} {other}' for route in excluded),
    )


def answers(minutes: int) -> tuple[str, ...]:
    """Return the same of fast and slow answers."""
    fast, everything, none, other = changing(minutes, (3, 1), (4, 4), (0, 0), (9, 9))
    family, route, stream = "http_request_duration_seconds", 'route="/v1/reports"', 'route="/v1/events/stream"'
    return (
        f'{family}_bucket{{{route},le="0.25"}} {fast}',
        f"{family}_count{{{route}}} {everything}",
        f'{family}_bucket{{{stream},le="0.25"}} {none}',
        f"{family}_count{{{stream}}} {other}",
    )


RECORDED = {
    "campaign:muster_units_finished:increase30m": recorded(*FINISHED, campaign__c1=240),
    "campaign:muster_units_quarantined:increase30m": recorded(*FINISHED, campaign__c1=60),
    "campaign:muster_unit_failure:ratio30m": recorded(*FINISHED, *UNTOUCHED, campaign__c1=0.25),
    "job:muster_retry_success:ratio1h": recorded(
        'retries_total{result="success"} 0+3x90', 'retries_total{result="failed"} 0+1x90', at="80m", job=0.75
    ),
    "job:muster_attempts:rate5m": recorded(
        'attempts_total{outcome="completed"} 0+120x90',
        'attempts_total{outcome="failed"} 0+60x90',
        outcome__completed=2,
        outcome__failed=1,
    ),
    "job:muster_attempt_duration_seconds:p50_5m": recorded(*DURATIONS, job=2),
    "job:muster_attempt_duration_seconds:p95_5m": recorded(*DURATIONS, job=5 + 5 * 15 / 18),
    "job:muster_attempt_duration_seconds:p99_5m": recorded(*DURATIONS, job=20),
    "job:muster_wave_duration_seconds:p95_30m": recorded(*WAVES, job=90),
    "job:muster_event_append_duration_seconds:p99_5m": recorded(*APPENDS, job=0.03),
    "job:muster_workers:sum": recorded('workers{level="healthy"} 3x60', 'workers{level="dead"} 2x60', job=5),
    "job:muster_pool_active:ratio": recorded('pool_active{pool="default"} 1x60', 'pool_capacity{pool="default"} 4x60', job=0.25),
    **{
        f"job:muster_http_{what}:ratio_rate{window}": recorded(
            *series(minutes), at=f"{minutes + 5}m", every="5m", job=0.25 + 0.5 * 5 / minutes
        )
        for what, series in (("errors", requests), ("slow", answers))
        for window, minutes in WINDOWS.items()
    },
}
