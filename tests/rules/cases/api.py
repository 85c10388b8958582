"""Cases of the alerts about the API's promises."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.rules.case import Case, case, counter

TOTAL = 1_000_000
Stretches = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Burn:
    """A burn-rate rule in samples of *every* minutes: *cooling* samples of twice the threshold leave the long window below it."""

    long: str
    factor: float
    every: int
    samples: int
    short_samples: int
    lasting: int
    cooling: int


BURNS = (
    Burn("1h", 14.4, 1, 60, 5, 2, 8),
    Burn("6h", 6, 5, 72, 6, 3, 9),
    Burn("1d", 3, 15, 96, 8, 4, 14),
    Burn("3d", 1, 15, 288, 24, 12, 40),
)


def erring(*stretches: tuple[int, int]) -> tuple[str, ...]:
    """Return a million requests a sample, so many of them with a 503; streams and probes fail all the time."""
    route = 'route="/v1/claims",method="POST"'
    good = tuple((TOTAL - bad, samples) for bad, samples in stretches)
    everything = counter(*((TOTAL, samples) for _, samples in stretches))
    excluded = ("/v1/events/stream", "/stream", "/readyz", "/healthz", "/metrics")
    return (
        f'http_requests_total{{{route},code="200"}} {counter(*good)}',
        f'http_requests_total{{{route},code="503"}} {counter(*stretches)}',
        *(f'http_requests_total{{route="{path}",method="GET",code="503"}} {everything}' for path in excluded),
    )


def dawdling(*stretches: tuple[int, int]) -> tuple[str, ...]:
    """Return a million requests a sample, so many of them slow; streams take as long as they like."""
    good = tuple((TOTAL - bad, samples) for bad, samples in stretches)
    everything = counter(*((TOTAL, samples) for _, samples in stretches))
    family, route = "http_request_duration_seconds", 'route="/v1/claims",method="POST"'
    return (
        f'{family}_bucket{{{route},le="0.25"}} {counter(*good)}',
        f"{family}_count{{{route}}} {everything}",
        f'{family}_bucket{{route="/v1/events/stream",method="GET",le="0.25"}} {counter(*((0, n) for _, n in stretches))}',
        f'{family}_count{{route="/v1/events/stream",method="GET"}} {everything}',
    )


def burning(burn: Burn, budget: float, requests: Callable[..., tuple[str, ...]], spec: tuple[float, float]) -> tuple[Case, ...]:
    """Return the cases of one rule; *spec* is a ratio that burns every window and one that burns none."""
    threshold = burn.factor * budget * TOTAL
    many, few = (round(ratio * TOTAL) for ratio in spec)

    def bad(times: float) -> int:
        return round(times * threshold)

    def at(samples: int) -> str:
        return f"{samples * burn.every}m"

    def stretch(about: str, *stretches: tuple[int, int], fires: str = "", quiet: str = "") -> Case:
        return case(about, *requests(*stretches), fires=fires, quiet=quiet, every=f"{burn.every}m")

    full, cooled = burn.samples, burn.samples + burn.short_samples + 1
    return (
        stretch("many requests are bad", (many, full), fires=at(full)),
        stretch("few requests are bad", (few, full), quiet=at(full)),
        stretch("just above", (bad(1.02), 2 * burn.lasting), fires=at(1 + burn.lasting), quiet=at(burn.lasting)),
        stretch("just below", (bad(0.98), full), quiet=at(full)),
        stretch("the short window has calmed down", (bad(2), full), (bad(0.6), cooled - full), fires=at(full), quiet=at(cooled)),
        stretch("the long window is still calm", (bad(0.6), full), (bad(2), burn.cooling), quiet=at(full + burn.cooling)),
    )


UP_B = 'up{instance="b"} 1x30'

API = {
    "MusterDown critical": (
        case("a replica is down for 2 minutes", "up 1x3 0x20", UP_B, fires="6m 8m", quiet="5m"),
        case("for a minute only", "up 1x3 0x1 1x20", UP_B, quiet="8m"),
        case("something else is down", 'up{job="other"} 0x20', quiet="8m"),
    ),
    "MusterAbsent critical": (
        case("no target of ours", 'up{job="other"} 1x30', fires="5m 6m", quiet="4m"),
        case("a target of ours", "up 1x30", quiet="6m"),
        case("the fleet's target alone, and down", 'up{job="muster-fleet"} 0x30', quiet="6m"),
    ),
    **{f"MusterApiErrorBudgetBurn {burn.long}": burning(burn, 0.001, erring, (0.02, 0.0005)) for burn in BURNS},
    **{f"MusterApiLatencyBudgetBurn {burn.long}": burning(burn, 0.01, dawdling, (0.2, 0.005)) for burn in BURNS},
}
