"""Gauges: what the cards and the clock say at one moment."""

from collections import Counter
from collections.abc import Iterator

from projections.measures.campaign_gauges import campaigns
from projections.measures.cardinality import VisibleNames
from projections.measures.cardinality import visible_names as chosen
from projections.measures.measure import NO_QUOTA
from projections.measures.sample import FoldLag, Sample, StateSample
from projections.measures.worker_gauges import totals, workers
from projections.views.fold import ReadModels
from projections.views.quota.card import QuotaCard
from service.domain import ids
from service.domain.rules.heartbeat import age

__all__ = ["FoldLag", "Sample", "gauges"]

VIEWS = ("views",)
WINDOW = "current"


def gauges(
    cards: ReadModels,
    lag: FoldLag,
    sampled: StateSample = StateSample(),  # noqa: B008 - frozen
    shown: VisibleNames | None = None,
) -> Iterator[Sample]:
    """Yield every gauge: the totals of all, the rest of who is *shown*."""
    shown = shown or chosen(cards, lag.at)
    yield from fleet(cards)
    yield from log(lag, sampled)
    yield Sample("muster_retries_overdue", (), sampled.overdue)
    yield from campaigns(shown.campaigns.values(), cards, lag.at, sampled.oldest_ready)
    yield from totals(cards, lag.at)
    yield from workers(shown.workers.values())
    yield from quotas(cards, shown)
    for entity, count in shown.dropped.items():
        yield Sample("muster_metrics_dropped_entities", (entity,), count)


def fleet(cards: ReadModels) -> Iterator[Sample]:
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


def log(lag: FoldLag, sampled: StateSample) -> Iterator[Sample]:
    """Yield where the log and its fold stand."""
    lag_s = 0.0 if lag.oldest_at is None else age(lag.oldest_at, lag.at)
    yield Sample("muster_event_store_position", (), lag.head)
    yield Sample("muster_metrics_fold_position", (), lag.position)
    yield Sample("muster_projection_position", VIEWS, lag.position)
    yield Sample("muster_projection_lag_events", VIEWS, max(lag.head - lag.position, 0))
    yield Sample("muster_projection_lag_seconds", VIEWS, lag_s)
    yield Sample("muster_projection_generation", VIEWS, lag.generation)
    if sampled.rebuilt is not None:
        yield Sample("muster_projection_rebuild_ratio", VIEWS, sampled.rebuilt / max(lag.head, 1))
    for relation, size in sampled.sizes.items():
        yield Sample("muster_event_store_size_bytes", (relation,), size)


def quotas(cards: ReadModels, shown: VisibleNames) -> Iterator[Sample]:
    """Yield the gates and what waits behind them."""
    parked: Counter[str] = Counter()
    for card in cards.campaigns.values():
        parked[card.quota or NO_QUOTA] += card.counts.parked
    for key in sorted((parked.keys() | cards.quotas.keys()) & shown.quotas):
        yield Sample("muster_quota_parked_units", (key,), parked[key])
    for key, quota in cards.quotas.items():
        if key in shown.quotas:
            yield from gate(quota)


def gate(card: QuotaCard) -> Iterator[Sample]:
    """Yield what one quota shows."""
    name = (card.key,)
    if card.closed_at is not None:
        yield Sample("muster_quota_parked_since_timestamp_seconds", name, card.closed_at.timestamp())
    if card.resume_at is not None:
        yield Sample("muster_quota_resume_timestamp_seconds", name, card.resume_at.timestamp())
    if card.utilization is not None:
        yield Sample("muster_quota_used_ratio", (card.key, WINDOW), card.utilization)
