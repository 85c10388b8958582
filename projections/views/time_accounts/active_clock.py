"""The active clock of a campaign: what lets it run, and what lets it stand."""

from datetime import datetime

from projections.views.campaign.card import CampaignCard
from projections.views.measurement import microseconds
from projections.views.time_accounts.accounts import SurroundingCards, held_back


def runs(card: CampaignCard, around: SurroundingCards) -> bool:
    """Tell whether time counts for a campaign: it has begun, is not paused, and a unit runs, or may once somebody claims it.

    A unit that rests before its retry may too. So while nothing runs, the clock stands where all that is open is parked or
    blocked, where nothing is open, and where something holds back every claim.
    """
    if card.started_at is None or card.paused_at is not None:
        return False
    counts = card.counts
    if counts.running:
        return True
    return card.state == "running" and counts.ready + counts.delayed > 0 and held_back(card, around) is None


def keep(card: CampaignCard, at: datetime, around: SurroundingCards) -> None:
    """Start or stop the clock of a campaign, after an event that was folded into all cards that it concerns."""
    running = runs(card, around)
    if running != (card.pace.since_us is not None):
        (card.pace.start if running else card.pace.stop)(microseconds(at))
