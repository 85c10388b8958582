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


def buckets(series: str, old: str, new: str, last: int) -> tuple[str, ...]:
    """Return a hundred observations a minute for an hour, in bucket *old*, then in *new* for its *last* minutes."""
    everything = counter((100, 60))
    return (
        f'{series}le="{old}"}} {counter((100, 60 - last), (0, last))}',
        f'{series}le="{float(new) / 2:g}"}} {counter((100, 60 - last), (0, last))}',
        f'{series}le="{new}"}} {everything}',
        f'{series}le="+Inf"}} {everything}',
    )


def changing(minutes: int, *growths: tuple[int, int]) -> tuple[str, ...]:
    """Return counters that grow by the first number for *minutes*, then by the second: a sample every five minutes."""
    return tuple(counter((before, minutes // 5), (after, 1)) for before, after in growths)


def requests(minutes: int) -> tuple[str, ...]:
    """Return requests of which one of four is bad, then seven of eight; probes, scrapes and streams are bad all the time."""
    good, bad, other = changing(minutes, (3, 1), (1, 7), (9, 9))
    excluded = ("/metrics", "/readyz", "/healthz", "/stream", "/v1/events/stream")
    return (
        f'http_requests_total{{route="/v1/reports",method="POST",code="200"}} {good}',
        f'http_requests_total{{route="/v1/reports",method="POST",code="500"}} {bad}',
        *(f'http_requests_total{{route="{route}",method="GET",code="503"}} {other}' for route in excluded),
    )


def answers(minutes: int) -> tuple[str, ...]:
    """Return the same of fast and slow answers."""
    fast, everything, none, other = changing(minutes, (3, 1), (4, 8), (0, 0), (9, 9))
    family, route, stream = "http_request_duration_seconds", 'route="/v1/reports"', 'route="/v1/events/stream"'
    return (
        f'{family}_bucket{{{route},le="0.25"}} {fast}',
        f"{family}_count{{{route}}} {everything}",
        f'{family}_bucket{{{stream},le="0.25"}} {none}',
        f"{family}_count{{{stream}}} {other}",
    )


# Two fifths of each window are old: 200 observations of 500 lie in the old bucket, 300 in the new one.
DURATIONS = buckets('attempt_duration_seconds_bucket{outcome="completed",', "1", "10", 3)
WAVES = buckets('wave_duration_seconds_bucket{outcome="complete",', "1", "120", 18)
APPENDS = buckets("event_append_duration_seconds_bucket{", "0.01", "0.1", 3)

RECORDED = {
    "campaign:muster_units_finished:increase30m": recorded(*FINISHED, campaign__c1=240),
    "campaign:muster_units_quarantined:increase30m": recorded(*FINISHED, campaign__c1=60),
    "campaign:muster_unit_failure:ratio30m": recorded(*FINISHED, *UNTOUCHED, campaign__c1=0.25),
    "job:muster_retry_success:ratio1h": recorded(
        'retries_total{result="success"} 0+3x90', 'retries_total{result="failed"} 0+1x90', at="80m", job=0.75
    ),
    "job:muster_attempts:rate5m": recorded(
        f'attempts_total{{outcome="completed"}} {counter((120, 57), (20, 3))}',
        f'attempts_total{{outcome="failed"}} {counter((60, 57), (160, 3))}',
        outcome__completed=1,
        outcome__failed=2,
    ),
    "job:muster_attempt_duration_seconds:p50_5m": recorded(*DURATIONS, job=5 + 5 * 50 / 300),
    "job:muster_attempt_duration_seconds:p95_5m": recorded(*DURATIONS, job=5 + 5 * 275 / 300),
    "job:muster_attempt_duration_seconds:p99_5m": recorded(*DURATIONS, job=5 + 5 * 295 / 300),
    "job:muster_wave_duration_seconds:p95_30m": recorded(*WAVES, job=60 + 60 * 275 / 300),
    "job:muster_event_append_duration_seconds:p99_5m": recorded(*APPENDS, job=0.05 + 0.05 * 295 / 300),
    "job:muster_workers:sum": recorded('workers{level="healthy"} 3x60', 'workers{level="dead"} 2x60', job=5),
    "job:muster_pool_active:ratio": recorded('pool_active{pool="default"} 1x60', 'pool_capacity{pool="default"} 4x60', job=0.25),
    **{
        f"job:muster_http_{what}:ratio_rate{window}": recorded(
            *series(minutes), at=f"{minutes + 5}m", every="5m", job=(minutes / 5 + 6) / (minutes / 5 + 1) / 4
        )
        for what, series in (("errors", requests), ("slow", answers))
        for window, minutes in WINDOWS.items()
    },
}
