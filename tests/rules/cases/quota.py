"""Cases of the alerts about the pool, quotas and parking."""

from tests.rules.case import case


def pool(active: int, capacity: int = 10, ready: int = 0) -> tuple[str, ...]:
    """Return an hour of the pool and what is ready."""
    return (
        f'pool_active{{pool="default"}} {active}x60',
        f'pool_capacity{{pool="default"}} {capacity}x60',
        f'units{{state="ready"}} {ready}x60',
    )


def parking(parks: str, parked: int) -> tuple[str, str]:
    """Return parks of a quota beside its parked units."""
    return f'parks_total{{quota="q1"}} {parks}', f'quota_parked_units{{quota="q1"}} {parked}x120'


QUOTA = {
    "MusterPoolSaturated info": (
        case("10 of 10 slots are used", *pool(10), fires="30m 35m", quiet="29m"),
        case("9 of 10 slots are used", *pool(9), quiet="35m"),
        case("there is no slot at all", *pool(0, capacity=0), quiet="35m"),
    ),
    "MusterDispatchBottleneck warning": (
        case("1 of 10 slots is used, 90 units are ready", *pool(1, ready=90), fires="30m 35m", quiet="29m"),
        case("5 of 10 slots are used", *pool(5, ready=90), quiet="35m"),
        case("2 of 10 slots are used", *pool(2, ready=90), quiet="35m"),
        case("19 of 100 slots are used, 11 units are ready", *pool(19, capacity=100, ready=11), fires="35m"),
        case("10 units are ready", *pool(1, ready=10), quiet="35m"),
    ),
    "MusterQuotaParkedTooLong warning": (
        case(
            "the gate closed 6 hours and a minute ago",
            'quota_parked_since_timestamp_seconds{quota="q1"} 60x400',
            fires="362m",
            quiet="350m 361m",
        ),
    ),
    "MusterQuotaResumeOverdue critical": (
        case(
            "4 units are parked 15 minutes after the resume",
            'quota_resume_timestamp_seconds{quota="q1"} 600x60',
            'quota_parked_units{quota="q1"} 4x60',
            fires="31m 35m",
            quiet="30m",
        ),
        case(
            "no unit is parked",
            'quota_resume_timestamp_seconds{quota="q1"} 600x60',
            'quota_parked_units{quota="q1"} 0x60',
            quiet="35m",
        ),
        case(
            "one unit is parked",
            'quota_resume_timestamp_seconds{quota="q1"} 600x60',
            'quota_parked_units{quota="q1"} 1x60',
            fires="31m",
        ),
    ),
    "MusterParkingChurn info": (
        case("600 parks of 4 units in an hour", *parking("0+10x120", 4), fires="80m"),
        case("60 parks of 4 units", *parking("0+1x120", 4), quiet="80m"),
        case("120 parks of 11 units, for 15 minutes", *parking("0+2x120", 11), fires="71m", quiet="70m"),
        case("120 parks of 12 units", *parking("0+2x120", 12), quiet="71m 100m"),
        case("101 parks of one unit", *parking("0x20 101x90", 1), fires="36m 80m", quiet="35m 81m"),
        case("120 parks of one unit within 80 minutes", *parking("0x20 60x49 120x60", 1), quiet="100m"),
        case("100 parks of one unit", *parking("0x20 100x90", 1), quiet="36m 80m"),
    ),
}
