"""Cases of the alerts about failures, retries and the quarantine."""

from tests.rules.case import case


def screens(missing: str, captured: str) -> tuple[str, str]:
    """Return quarantined units without and with their screen."""
    return f'quarantine_screens_total{{captured="false"}} {missing}', f'quarantine_screens_total{{captured="true"}} {captured}'


def retries(success: str, failed: str) -> tuple[str, str]:
    """Return retries by result."""
    return f'retries_total{{result="success"}} {success}', f'retries_total{{result="failed"}} {failed}'


def storm(scheduled: str, attempts: str) -> tuple[str, str]:
    """Return retries beside attempts."""
    return f"retries_scheduled_total {scheduled}", f'attempts_total{{outcome="failed"}} {attempts}'


FAILURES = {
    "MusterQuarantineGrowing warning": (
        case(
            "a unit a minute is quarantined",
            'campaign_units_finished_total{campaign="c1",outcome="quarantined"} 0+1x30',
            fires="20m",
        ),
        case("5 units lie there", 'campaign_units_finished_total{campaign="c1",outcome="quarantined"} 5x30', quiet="20m"),
        case(
            "6 units at once",
            'campaign_units_finished_total{campaign="c1",outcome="quarantined"} 0x20 6x30',
            fires="21m 35m",
            quiet="20m 36m",
        ),
        case("5 units at once", 'campaign_units_finished_total{campaign="c1",outcome="quarantined"} 0x20 5x30', quiet="21m 30m"),
    ),
    "MusterQuarantineUnattended info": (
        case(
            "3 units wait for a day",
            'campaign_units{campaign="c1",state="quarantined"} 3x320',
            fires="1440m 1500m",
            quiet="1435m",
            every="5m",
        ),
        case(
            "the quarantine is empty for a while",
            'campaign_units{campaign="c1",state="quarantined"} 3x140 0x1 3x160',
            quiet="1500m",
            every="5m",
        ),
        case("one unit waits", 'campaign_units{campaign="c1",state="quarantined"} 1x320', fires="1440m", every="5m"),
    ),
    "MusterSkipCascade warning": (
        case("ten units a minute are skipped", 'skips_total{reason="dependency_failed"} 0+10x30', fires="16m"),
        case("a person skips them", 'skips_total{reason="operator"} 0+10x30', quiet="16m"),
        case("51 units", 'skips_total{reason="dependency_failed"} 0x20 51x30', fires="21m 35m", quiet="20m 36m"),
        case("50 units", 'skips_total{reason="dependency_failed"} 0x20 50x30', quiet="21m 30m"),
    ),
    "MusterScreenCaptureMissing info": (
        case("no screen at all", *screens("0+1x100", "0x100"), fires="60m"),
        case("every screen", *screens("0x100", "0+1x100"), quiet="60m"),
        case("3 of 5 are missing", *screens("0x20 3x400", "0x20 2x400"), fires="21m 380m", quiet="20m 381m"),
        case("half of them are missing", *screens("0x20 3x30", "0x20 3x30"), quiet="21m"),
        case("6 of 11 are missing", *screens("0x20 6x30", "0x20 5x30"), fires="21m"),
        case("6 were missing more than 6 hours ago", *screens("0x20 6x400", "0x380 5x30"), quiet="390m"),
        case("10 were captured more than 6 hours ago", *screens("0x380 5x30", "0x20 10x400"), fires="390m"),
        case("4 units are too few", *screens("0x20 4x30", "0x50"), quiet="21m"),
    ),
    "MusterRetrySuccessLow warning": (
        case("one retry of four succeeds", *retries("0+1x120", "0+3x120"), fires="80m"),
        case("three of four succeed", *retries("0+3x120", "0+1x120"), quiet="80m"),
        case("9 of 20 succeed, for 10 minutes", *retries("0x20 9x90", "0x20 11x90"), fires="31m 80m", quiet="30m 81m"),
        case("half of them succeed", *retries("0x20 10x90", "0x20 10x90"), quiet="31m 50m"),
        case("10 more failed more than an hour ago", *retries("0x89 8x30", "0x20 10x68 21x30"), quiet="101m 110m"),
        case("19 are too few", *retries("0x20 8x90", "0x20 11x90"), quiet="31m 50m"),
    ),
    "MusterRetryStorm warning": (
        case("six of eight attempts", *storm("0+6x60", "0+8x60"), fires="30m"),
        case("one of eight attempts", *storm("0+1x60", "0+8x60"), quiet="30m"),
        case("11 of 20 attempts, for 10 minutes", *storm("0x20 11x30", "0x20 20x30"), fires="31m 35m", quiet="30m 36m"),
        case("half of them", *storm("0x20 10x30", "0x20 20x30"), quiet="31m"),
        case("20 retries more than 15 minutes ago", *storm("0x30 20x9 25x30", "0x40 20x30"), quiet="51m 55m"),
        case("19 attempts are too few", *storm("0x20 11x30", "0x20 19x30"), quiet="31m"),
    ),
    "MusterRetriesOverdue critical": (
        case("4 retries are overdue", "retries_overdue 4x30", fires="10m 12m", quiet="9m"),
        case("for 5 minutes only", "retries_overdue 4x5 0x30", quiet="12m"),
        case("one retry is overdue", "retries_overdue 1x30", fires="10m"),
    ),
}
