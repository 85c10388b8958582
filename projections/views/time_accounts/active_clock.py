"""The active clock of a campaign: the time over which its throughput is measured."""

from datetime import datetime

from projections.views.campaign.card import CampaignCard
from projections.views.campaign.time_account import Cause
from projections.views.measurement import microseconds


def is_active(card: CampaignCard, waiting: Cause | None) -> bool:
    """Tell whether time counts for a campaign: it has begun, is not paused, and a unit runs or could be claimed.

    A unit that rests before its retry counts as one that could. While nothing runs, the clock stops if all open units are parked
    or blocked, if nothing is open, and if *waiting* names something that holds back every claim.
    """
    if card.started_at is None or card.paused_at is not None:
        return False
    counts = card.counts
    if counts.running:
        return True
    return card.state == "running" and counts.ready + counts.delayed > 0 and waiting is None


def update_clock(card: CampaignCard, at: datetime, waiting: Cause | None) -> None:
    """Start or stop the clock of a campaign, after an event was folded into all cards that it concerns."""
    active = is_active(card, waiting)
    if active != (card.throughput.since_us is not None):
        (card.throughput.start if active else card.throughput.stop)(microseconds(at))
