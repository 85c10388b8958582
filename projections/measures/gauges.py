"""Gauges: what the cards and the clock say at one moment."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from msgspec import Struct

from projections.measures.measure import NO_QUOTA
from projections.views.campaign import CampaignCard
from projections.views.campaign_view import eta_s
from projections.views.cards import Cards
from projections.views.instant import microseconds
from projections.views.quota import QuotaCard
from projections.views.worker import WorkerCard
from service.domain import ids
from service.domain.heartbeat import age

LEVELS: tuple[ids.Level, ...] = ("healthy", "warn", "stale", "dead")
VIEWS = ("views",)


class Sample(NamedTuple):
    """One value of one family."""

    family: str
    labels: tuple[str, ...]
    value: float


class Depth(Struct, frozen=True, kw_only=True):
    """How far the fold is behind the log, at one moment; *oldest_at* is the time of the first event not yet folded."""

    at: datetime
    head: int
    position: int
    generation: int
    oldest_at: datetime | None


def gauges(cards: Cards, depth: Depth) -> Iterator[Sample]:
    """Yield every gauge."""
    yield from fleet(cards)
    yield from log(depth)
    held = holders(cards.workers.values())
    for card in cards.campaigns.values():
        yield Sample("muster_campaign_workers", (card.name,), held[card.name])
        yield from campaign(card, cards, depth.at)
    yield from workers(cards.workers.values(), depth.at)
    yield from quotas(cards)


def fleet(cards: Cards) -> Iterator[Sample]:
    """Yield totals: they hold every campaign."""
    states = Counter(card.state for card in cards.campaigns.values())
    for state in ("running", "paused", "completed", "cancelled"):
        yield Sample("muster_campaigns", (state,), states[state])
    for unit_state in ids.UNIT_STATES:
        total = sum(getattr(card.counts, unit_state) for card in cards.campaigns.values())
        yield Sample("muster_units", (unit_state,), total)
    yield Sample("muster_pool_capacity", ("default",), cards.engine.pool_size)
    yield Sample("muster_pool_active", ("default",), cards.engine.in_use)
    yield Sample("muster_leases", (), cards.engine.in_use)
    yield Sample("muster_engine_paused", (), int(cards.engine.paused_at is not None))


def log(depth: Depth) -> Iterator[Sample]:
    """Yield where the log and its fold stand."""
    lag_s = 0.0 if depth.oldest_at is None else age(depth.oldest_at, depth.at)
    yield Sample("muster_event_store_position", (), depth.head)
    yield Sample("muster_metrics_fold_position", (), depth.position)
    yield Sample("muster_projection_position", VIEWS, depth.position)
    yield Sample("muster_projection_lag_events", VIEWS, max(depth.head - depth.position, 0))
    yield Sample("muster_projection_lag_seconds", VIEWS, lag_s)
    yield Sample("muster_projection_generation", VIEWS, depth.generation)


def campaign(card: CampaignCard, cards: Cards, at: datetime) -> Iterator[Sample]:
    """Yield what one campaign shows."""
    name = (card.name,)
    counts = card.counts
    for state in ids.UNIT_STATES:
        yield Sample("muster_campaign_units", (card.name, state), getattr(counts, state))
    yield Sample("muster_campaign_state", (card.name, card.state), 1)
    yield Sample("muster_campaign_progress_ratio", name, counts.done / counts.total if counts.total else 0)
    yield Sample("muster_campaign_consecutive_failures", name, card.consecutive)
    yield Sample("muster_campaign_safety_cap", name, card.policy.breaker.threshold)
    yield from campaign_times(card, at)
    yield from pauses(card, cards)


def holders(workers: Iterable[WorkerCard]) -> Counter[ids.CampaignName]:
    """Return how many workers hold a lease in each campaign."""
    return Counter(campaign for card in workers for campaign in {held.campaign for held in card.claims.values()})


def campaign_times(card: CampaignCard, at: datetime) -> Iterator[Sample]:
    """Yield the instants of a campaign that are known, and its pace."""
    rate = card.pace.rate(microseconds(at))
    left_s = eta_s(card, rate)
    instants = {
        "muster_campaign_deadline_timestamp_seconds": card.deadline,
        "muster_campaign_started_timestamp_seconds": card.started_at,
        "muster_campaign_finished_timestamp_seconds": card.cancelled_at or card.completed_at,
        "muster_campaign_last_progress_timestamp_seconds": card.done_at or card.started_at,
    }
    for family, instant in instants.items():
        if instant is not None:
            yield Sample(family, (card.name,), instant.timestamp())
    if rate is not None:
        yield Sample("muster_campaign_throughput_units_per_second", (card.name,), rate)
    if left_s is not None:
        yield Sample("muster_campaign_eta_timestamp_seconds", (card.name,), at.timestamp() + left_s)


def pauses(card: CampaignCard, cards: Cards) -> Iterator[Sample]:
    """Yield why a campaign's automatic claims stand still, and since when."""
    quota = cards.quotas.get(card.quota) if card.quota is not None else None
    over = card.state in ("completed", "cancelled")
    since = {
        "operator": card.paused_at,
        "safety_cap": card.tripped_at,
        "quota": quota.closed_at if quota is not None else None,
        "engine": cards.engine.paused_at,
    }
    for reason, instant in since.items():
        yield Sample("muster_campaign_paused", (card.name, reason), int(instant is not None and not over))
    begun = [instant for instant in since.values() if instant is not None]
    if begun and not over:
        yield Sample("muster_campaign_paused_since_timestamp_seconds", (card.name,), min(begun).timestamp())


def workers(cards: Iterable[WorkerCard], at: datetime) -> Iterator[Sample]:
    """Yield how the workers are heard; one that is gone is no longer shown."""
    present = [card for card in cards if card.state != "gone" or card.claims]
    watched = [card for card in present if card.watched]
    levels = Counter(card.level for card in watched)
    for level in LEVELS:
        yield Sample("muster_workers", (level,), levels[level])
    overdue = sum(1 for card in present for held in card.claims.values() if held.lease_until < at)
    yield Sample("muster_leases_overdue", (), overdue)
    silences = (age(card.last_heartbeat_at, at) for card in watched)
    yield Sample("muster_heartbeat_staleness_max_seconds", (), max(silences, default=0.0))
    for card in present:
        name = (card.worker,)
        yield Sample("muster_worker_last_heartbeat_timestamp_seconds", name, card.last_heartbeat_at.timestamp())
        yield Sample("muster_worker_leases", name, len(card.claims))
        if card.watched:
            yield Sample("muster_worker_heartbeat_level", name, LEVELS.index(card.level))


def quotas(cards: Cards) -> Iterator[Sample]:
    """Yield the gates and what waits behind them."""
    parked: Counter[str] = Counter()
    for card in cards.campaigns.values():
        parked[card.quota or NO_QUOTA] += card.counts.parked
    for key in sorted(parked.keys() | cards.quotas.keys()):
        yield Sample("muster_quota_parked_units", (key,), parked[key])
    for quota in cards.quotas.values():
        yield from gate(quota)


def gate(card: QuotaCard) -> Iterator[Sample]:
    """Yield what one quota shows."""
    name = (card.key,)
    if card.closed_at is not None:
        yield Sample("muster_quota_parked_since_timestamp_seconds", name, card.closed_at.timestamp())
    if card.resume_at is not None:
        yield Sample("muster_quota_resume_timestamp_seconds", name, card.resume_at.timestamp())
    if card.utilization is not None:
        yield Sample("muster_quota_used_ratio", name, card.utilization)
