"""The campaign as people and programs read it: the card, its quota's gate and the clock."""

from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from projections.views.campaign.card import CampaignCard
from projections.views.campaign.forecast import between_false_trips, failure_rate, span_s
from projections.views.microseconds import microseconds
from projections.views.quota.card import QuotaCard
from service.domain import ids
from service.domain.campaign import Counts
from service.domain.instant import Instant
from service.domain.policy import Policy

LONGEST_ETA_S = 10 * 365 * 86400
EXHAUSTED = ("rate_limit", "utilization")


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


class PauseView(Struct, kw_only=True):
    """Since when, why and by whom."""

    reason: str | None
    since: Instant
    by: str | None


class BreakerView(Struct, kw_only=True):
    """The safety cap; *line* is what the card says when it tripped.

    *expected_attempts_between_false_trips* is what the threshold means at the rate of failures seen so far: so many attempts pass
    until it trips though nothing but chance is wrong. None without evidence.
    """

    consecutive_failures: int
    threshold: int
    tripped: bool
    line: str | None
    expected_attempts_between_false_trips: float | None


class CampaignView(Struct, kw_only=True):
    """A campaign. *progress* is done over total; throughput and ETA are absent while there is no evidence.

    *eta_low* and *eta_high* enclose the ETA: units that take as long as half, and as nine tenths, of those that are done.
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
    """Return *card* as it is shown at *at*."""
    counts = card.counts
    rate = card.pace.rate(microseconds(at))
    left_s = eta_s(card, quota, rate)
    low_s, high_s = enclosed(card, left_s)
    fields: dict[str, Any] = {name: getattr(card, name) for name in SHARED}
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


SHARED = tuple(name for name in CampaignView.__struct_fields__ if name in CampaignCard.__struct_fields__ or name == "state")


def progress(counts: Counts) -> float:
    """Return done over total, 0 of nothing."""
    return counts.done / counts.total if counts.total else 0.0


def eta_s(card: CampaignCard, quota: QuotaCard | None, rate: float | None) -> float | None:
    """Return the seconds until nothing is open, None rather than wrong.

    None without evidence, for a campaign that is over, paused or tripped, behind a closed gate, and while what is left is
    parked or blocked.
    """
    counts = card.counts
    moving = counts.ready + counts.running + counts.delayed
    held = card.tripped is not None or (quota is not None and quota.closed_at is not None)
    if rate is None or not moving or card.state != "running" or held:
        return None
    seconds = counts.open / rate
    return round(seconds, 3) if seconds < LONGEST_ETA_S else None


def later(at: datetime, seconds: float | None) -> datetime | None:
    """Return the instant *seconds* after *at*."""
    return None if seconds is None else at + timedelta(seconds=seconds)


def enclosed(card: CampaignCard, eta: float | None) -> tuple[float | None, float | None]:
    """Return the seconds between which the end is expected, with the ETA among them; None where it is absent."""
    span = None if eta is None else span_s(card)
    if eta is None or span is None or max(span) >= LONGEST_ETA_S:
        return None, None
    return min(span[0], eta), max(span[1], eta)


def breaker(card: CampaignCard) -> BreakerView:
    """Return the safety cap as it is shown."""
    threshold, rate = card.policy.breaker.threshold, failure_rate(card)
    return BreakerView(
        consecutive_failures=card.consecutive,
        threshold=threshold,
        tripped=card.tripped is not None,
        line=breaker_line(card),
        expected_attempts_between_false_trips=None if rate is None else between_false_trips(rate, threshold),
    )


def breaker_line(card: CampaignCard) -> str | None:
    """Return what the card says of a tripped breaker."""
    return None if card.tripped is None else f"Auto paused · {card.fails} fails"


def quota_line(card: CampaignCard, quota: QuotaCard | None) -> str | None:
    """Return what the card says while a quota holds the campaign's work back; the time is UTC."""
    if card.state not in ("running", "paused"):
        return None
    if quota is not None and quota.reason in EXHAUSTED:
        resume_at = quota.resume_at
    elif card.resume_at is not None:
        resume_at = card.resume_at
    else:
        return None
    return "quota exhausted" if resume_at is None else f"quota exhausted · auto-resume ~{resume_at:%H:%M}"
