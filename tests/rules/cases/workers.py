"""Cases of the alerts about workers and their leases."""

from tests.rules.case import case


def workers(healthy: int = 0, warn: int = 0, stale: int = 0, dead: int = 0) -> tuple[str, ...]:
    """Return an hour with the given numbers of workers."""
    levels = {"healthy": healthy, "warn": warn, "stale": stale, "dead": dead}
    return tuple(f'workers{{level="{level}"}} {count}x60' for level, count in levels.items())


def leases(granted: str, expired: str) -> tuple[str, str]:
    """Return the counters of lease events."""
    return f'lease_events_total{{event="granted"}} {granted}', f'lease_events_total{{event="expired"}} {expired}'


WENT_WARN = 'heartbeat_level_transitions_total{to="warn"}'

WORKERS = {
    "MusterWorkerDead warning": (
        case(
            "a worker goes from warn to stale to dead", 'worker_heartbeat_level{worker="w1"} 0 1 2 3x9', fires="3m 4m", quiet="2m"
        ),
        case("it stays stale", 'worker_heartbeat_level{worker="w1"} 0 1 2 2x9', quiet="4m"),
    ),
    "MusterManyWorkersDead critical": (
        case("3 of 10 are dead", *workers(healthy=7, dead=3), fires="2m 5m", quiet="1m"),
        case("1 of 10 is dead", *workers(healthy=9, dead=1), quiet="5m"),
        case("1 of 5 is not more than a fifth", *workers(healthy=4, dead=1), quiet="5m"),
        case("2 of 9 are dead", *workers(healthy=7, dead=2), fires="5m"),
        case("5 workers are enough", *workers(healthy=3, dead=2), fires="5m"),
        case("4 workers are too few", *workers(healthy=2, dead=2), quiet="5m"),
    ),
    "MusterWorkersStale warning": (
        case("2 of 10 are stale", *workers(healthy=8, stale=2), fires="5m 7m", quiet="4m"),
        case("1 of 20 is stale", *workers(healthy=19, stale=1), quiet="7m"),
        case("1 of 10 is not more than a tenth", *workers(healthy=9, stale=1), quiet="7m"),
        case("2 of 19 are stale", *workers(healthy=17, stale=2), fires="7m"),
    ),
    "MusterNoHealthyWorkers critical": (
        case("all are dead", *workers(dead=2), 'units{state="ready"} 9x60', fires="5m 6m", quiet="4m"),
        case("one is warn", *workers(warn=1, dead=2), 'units{state="ready"} 9x60', quiet="6m"),
        case("there has never been one", 'units{state="ready"} 1x60', fires="5m"),
        case("there is nothing to do", *workers(dead=2), 'units{state="ready"} 0x60', quiet="6m"),
    ),
    "MusterHeartbeatFlapping info": (
        case("2 workers go warn twice a minute", *workers(healthy=2), f"{WENT_WARN} 0+2x60", fires="35m"),
        case("20 workers do", *workers(healthy=20), f"{WENT_WARN} 0+2x60", quiet="35m"),
        case("15 times for 4 workers, 15 minutes long", *workers(healthy=4), f"{WENT_WARN} 0+1x60", fires="28m", quiet="27m"),
        case("15 times for 5 workers", *workers(healthy=5), f"{WENT_WARN} 0+1x60", quiet="35m 60m"),
        case("one worker is enough", *workers(healthy=1), f"{WENT_WARN} 0+1x60", fires="35m"),
        case("no worker is watched", *workers(), f"{WENT_WARN} 0+1x60", quiet="35m"),
        case("stale counts too", *workers(warn=1), 'heartbeat_level_transitions_total{to="stale"} 0+1x60', fires="35m"),
        case("recovery does not", *workers(warn=1), 'heartbeat_level_transitions_total{to="healthy"} 0+1x60', quiet="35m"),
    ),
    "MusterLeasesExpiring warning": (
        case("2 of 10 expire", *leases("0+10x60", "0+2x60"), fires="25m"),
        case("2 of 100 expire", *leases("0+100x60", "0+2x60"), quiet="25m"),
        case("3 of 20 expire, for 5 minutes", *leases("0x20 20x30", "0x20 3x30"), fires="26m 35m", quiet="25m 36m"),
        case("2 of 20 are not more than a tenth", *leases("0x20 20x30", "0x20 2x30"), quiet="26m"),
        case("10 expired more than 15 minutes ago", *leases("0x40 20x30", "0x30 10x9 11x30"), quiet="48m 50m"),
        case("200 were granted more than 15 minutes ago", *leases("0x30 200x9 220x30", "0x40 3x30"), fires="51m"),
        case("19 are too few", *leases("0x20 19x30", "0x20 3x30"), quiet="26m"),
    ),
    "MusterLeaseReaperStuck critical": (
        case("2 leases are overdue", "leases_overdue 2x30", fires="5m 6m", quiet="4m"),
        case("for 4 minutes only", "leases_overdue 2x4 0x30", quiet="6m"),
        case("one lease is overdue", "leases_overdue 1x30", fires="5m"),
    ),
}
