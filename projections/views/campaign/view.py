"""The campaign as people and programs read it: the card, its quota's gate and the clock."""

from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from projections.views.campaign.card import CampaignCard
from projections.views.campaign.forecast import attempts_between_false_trips, failure_rate, remaining_s
from projections.views.measurement import microseconds
from projections.views.pause import PauseView
from projections.views.quota.card import QuotaCard
from service.domain import ids
from service.domain.campaign import Counts
from service.domain.instant import Instant
from service.domain.policy import Policy

MAX_ETA_S = 10 * 365 * 86400
EXHAUSTED_REASONS = ("rate_limit", "utilization")


class UnitCounts(Struct, kw_only=True):
    """Units by state."""

    total: int
    blocked: int
    ready: int
    delayed: int
    parked: int
    running: int
    done: int
    quarantined: int
    skipped: int
    cancelled: int


class BreakerView(Struct, kw_only=True):
    """The breaker; *line* is the text that the card shows when it has tripped.

    *expected_attempts_between_false_trips* is how many attempts pass on average until it trips by chance alone, at the rate of
    failures seen so far; None without evidence.
    """

    consecutive_failures: int
    threshold: int
    tripped: bool
    line: str | None
    expected_attempts_between_false_trips: float | None


class CampaignView(Struct, kw_only=True):
    """A campaign. *progress* is done over total; throughput and ETA are absent while there is no evidence.

    *eta_low* and *eta_high* enclose the ETA: the end if units take the median duration, and if they take the 90th percentile.
    """

    name: ids.CampaignName
    title: str
    state: ids.CampaignState
    version: int
    auto: bool
    units: UnitCounts
    progress: float
    active: int
    throughput_per_hour: float | None
    eta: Instant | None
    eta_s: float | None
    eta_low: Instant | None
    eta_high: Instant | None
    paused: PauseView | None
    breaker: BreakerView
    quota: ids.QuotaKey | None
    quota_line: str | None
    quarantined_by_reason: dict[str, int]
    outcome: ids.Outcome | None
    policy: Policy
    labels: dict[str, str]
    brief: str | None
    brief_rev: int
    deadline: Instant | None
    created_at: Instant
    started_at: Instant | None
    completed_at: Instant | None
    cancelled_at: Instant | None
    position: int


def campaign_view(card: CampaignCard, quota: QuotaCard | None, at: datetime) -> CampaignView:
    """Return the view of *card* at *at*."""
    counts = card.counts
    rate = card.throughput.rate(microseconds(at))
    left_s = eta_s(card, quota, rate)
    low_s, high_s = eta_interval(card, left_s)
    fields: dict[str, Any] = {name: getattr(card, name) for name in SHARED_FIELDS}
    return CampaignView(
        **fields,
        units=UnitCounts(total=counts.total, **{state: getattr(counts, state) for state in ids.UNIT_STATES}),
        progress=progress(counts),
        active=counts.running,
        throughput_per_hour=None if rate is None else round(rate * 3600, 3),
        eta=later(at, left_s),
        eta_s=left_s,
        eta_low=later(at, low_s),
        eta_high=later(at, high_s),
        paused=None if card.paused_at is None else PauseView(reason=card.paused_reason, since=card.paused_at, by=card.paused_by),
        breaker=breaker(card),
        quota_line=quota_line(card, quota),
    )


SHARED_FIELDS = tuple(
    name for name in CampaignView.__struct_fields__ if name in CampaignCard.__struct_fields__ or name == "state"
)


def progress(counts: Counts) -> float:
    """Return done over total, 0 for a campaign without units."""
    return counts.done / counts.total if counts.total else 0.0


def eta_s(card: CampaignCard, quota: QuotaCard | None, rate: float | None) -> float | None:
    """Return the seconds until no unit is open: the open units over the throughput.

    None, rather than wrong, without a throughput, for a campaign that is over, paused or tripped, behind a closed gate, and while
    all open units are parked or blocked.
    """
    counts = card.counts
    claimable = counts.ready + counts.running + counts.delayed
    held_back = card.tripped is not None or (quota is not None and quota.closed_at is not None)
    if rate is None or not claimable or card.state != "running" or held_back:
        return None
    seconds = counts.open / rate
    return round(seconds, 3) if seconds < MAX_ETA_S else None


def later(at: datetime, seconds: float | None) -> datetime | None:
    """Return the instant *seconds* after *at*."""
    return None if seconds is None else at + timedelta(seconds=seconds)


def eta_interval(card: CampaignCard, eta: float | None) -> tuple[float | None, float | None]:
    """Return the seconds between which the end is expected, widened to include the ETA; None without an ETA."""
    interval = None if eta is None else remaining_s(card)
    if eta is None or interval is None or max(interval) >= MAX_ETA_S:
        return None, None
    return min(interval[0], eta), max(interval[1], eta)


def breaker(card: CampaignCard) -> BreakerView:
    """Return the view of the breaker."""
    threshold, rate = card.policy.breaker.threshold, failure_rate(card)
    return BreakerView(
        consecutive_failures=card.consecutive,
        threshold=threshold,
        tripped=card.tripped is not None,
        line=breaker_line(card),
        expected_attempts_between_false_trips=None if rate is None else attempts_between_false_trips(rate, threshold),
    )


def breaker_line(card: CampaignCard) -> str | None:
    """Return what the card says about a tripped breaker."""
    return None if card.tripped is None else f"Auto paused · {card.fails} fails"


def quota_line(card: CampaignCard, quota: QuotaCard | None) -> str | None:
    """Return what the card says while a quota holds the campaign back; the time is UTC."""
    if card.state not in ("running", "paused"):
        return None
    if quota is not None and quota.reason in EXHAUSTED_REASONS:
        resume_at = quota.resume_at
    elif card.resume_at is not None:
        resume_at = card.resume_at
    else:
        return None
    return "quota exhausted" if resume_at is None else f"quota exhausted · auto-resume ~{resume_at:%H:%M}"
