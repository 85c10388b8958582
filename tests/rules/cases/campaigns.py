"""Cases of the alerts about one campaign."""

from tests.rules.case import case

RUNNING = 'campaign_state{campaign="c1",state="running"} 1x200'
PAUSED = 'campaign_state{campaign="c1",state="paused"} 1x200'
READY = 'campaign_units{campaign="c1",state="ready"} 5x200'
NOT_RUNNING = 'campaign_state{campaign="c1",state="running"} 0x200'
STUCK = 'campaign_last_progress_timestamp_seconds{campaign="c1"} 60x200'


def finished(quarantined: str, completed: str, campaign: str = "c1") -> tuple[str, str]:
    """Return what a campaign finished."""
    family = f'campaign_units_finished_total{{campaign="{campaign}",outcome='
    return f'{family}"quarantined"}} {quarantined}', f'{family}"completed"}} {completed}'


CAMPAIGNS = {
    "MusterCampaignFailureRateHigh warning": (
        case("6 of 100 units fail", *finished("0+6x60", "0+94x60"), fires="40m"),
        case(
            "4 of 100 units fail, and one of three of a campaign that has hardly begun",
            *finished("0+4x60", "0+96x60"),
            *finished("0x20 1x40", "0x20 2x40", "c2"),
            quiet="40m",
        ),
        case("5 of 100 units are not more than 5 percent", *finished("0+5x60", "0+95x60"), quiet="40m 60m"),
        case("20 units are enough, after 5 minutes", *finished("0x35 2x40", "0x35 18x40"), fires="41m 65m", quiet="40m 66m"),
        case("19 units are too few", *finished("0x35 2x40", "0x35 17x40"), quiet="41m 60m"),
    ),
    "MusterCampaignFailureRateCritical critical": (
        case("30 of 100 units fail", *finished("0+30x60", "0+70x60"), fires="45m"),
        case("20 of 100 units fail", *finished("0+20x60", "0+80x60"), quiet="45m"),
        case("a quarter is not more than a quarter", *finished("0+25x60", "0+75x60"), quiet="45m"),
        case("26 of 100 units fail", *finished("0+26x60", "0+74x60"), fires="45m"),
        case("20 units are enough, after 5 minutes", *finished("0x35 6x40", "0x35 14x40"), fires="41m", quiet="40m"),
        case("19 units are too few", *finished("0x35 6x40", "0x35 13x40"), quiet="41m 60m"),
    ),
    "MusterSafetyCapTripped warning": (
        case("the breaker trips", 'campaign_paused{campaign="c1",reason="safety_cap"} 0x5 1x10', fires="6m", quiet="5m"),
        case("a person pauses", 'campaign_paused{campaign="c1",reason="operator"} 1x15', quiet="6m"),
    ),
    "MusterCampaignStalled warning": (
        case("nothing was finished since minute 1", STUCK, RUNNING, READY, fires="37m 40m", quiet="36m"),
        case(
            "everything is parked",
            STUCK,
            RUNNING,
            'campaign_units{campaign="c1",state="parked"} 5x200',
            'campaign_units{campaign="c1",state="ready"} 0x200',
            quiet="40m",
        ),
        case(
            "one unit runs and does not end",
            STUCK,
            RUNNING,
            'campaign_units{campaign="c1",state="running"} 1x200',
            fires="37m",
        ),
        case("units end", 'campaign_last_progress_timestamp_seconds{campaign="c1"} 0+60x200', RUNNING, READY, quiet="40m 90m"),
        case("the campaign is paused", STUCK, PAUSED, NOT_RUNNING, READY, quiet="40m"),
    ),
    "MusterCampaignStarved warning": (
        case(
            "units are ready and none runs",
            RUNNING,
            READY,
            'campaign_units{campaign="c1",state="running"} 0x200',
            fires="15m 20m",
            quiet="14m",
        ),
        case("units run", RUNNING, READY, 'campaign_units{campaign="c1",state="running"} 1x200', quiet="20m"),
        case("one unit is ready", RUNNING, 'campaign_units{campaign="c1",state="ready"} 1x200', fires="15m"),
        case("none is ready", RUNNING, 'campaign_units{campaign="c1",state="ready"} 0x200', quiet="20m"),
        case("the campaign is paused", PAUSED, NOT_RUNNING, READY, quiet="20m"),
    ),
    "MusterCampaignEtaPastDeadline warning": (
        case(
            "the ETA is past the deadline",
            'campaign_eta_timestamp_seconds{campaign="c1"} 9000x60',
            'campaign_deadline_timestamp_seconds{campaign="c1"} 8000x60',
            fires="15m 20m",
            quiet="14m",
        ),
        case(
            "the ETA is before the deadline",
            'campaign_eta_timestamp_seconds{campaign="c1"} 7000x60',
            'campaign_deadline_timestamp_seconds{campaign="c1"} 8000x60',
            quiet="20m",
        ),
        case(
            "the ETA is a second past the deadline",
            'campaign_eta_timestamp_seconds{campaign="c1"} 8001x60',
            'campaign_deadline_timestamp_seconds{campaign="c1"} 8000x60',
            fires="15m",
        ),
        case(
            "the ETA is the deadline",
            'campaign_eta_timestamp_seconds{campaign="c1"} 8000x60',
            'campaign_deadline_timestamp_seconds{campaign="c1"} 8000x60',
            quiet="20m",
        ),
        case("there is no deadline", 'campaign_eta_timestamp_seconds{campaign="c1"} 9000x60', quiet="20m"),
    ),
    "MusterCampaignDeadlineMissed critical": (
        case(
            "the campaign runs on after its deadline",
            'campaign_deadline_timestamp_seconds{campaign="c1"} 600x60',
            RUNNING,
            fires="11m 15m",
            quiet="10m",
        ),
        case(
            "the campaign is complete",
            'campaign_deadline_timestamp_seconds{campaign="c1"} 600x60',
            'campaign_state{campaign="c1",state="completed"} 1x200',
            NOT_RUNNING,
            quiet="15m",
        ),
        case("it is paused", 'campaign_deadline_timestamp_seconds{campaign="c1"} 600x60', PAUSED, NOT_RUNNING, fires="11m"),
    ),
    "MusterCampaignPausedTooLong info": (
        case(
            "the pause began a day and a minute ago",
            'campaign_paused_since_timestamp_seconds{campaign="c1"} 60x1500',
            fires="1442m 1450m",
            quiet="1400m 1441m",
        ),
    ),
}
