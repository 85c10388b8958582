"""Gauges, from the cards and the clock at one moment."""

from collections import Counter
from collections.abc import Iterator

from projections.measures.campaign_gauges import campaigns
from projections.measures.cardinality import VisibleNames, visible_names
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
    visible: VisibleNames | None = None,
) -> Iterator[Sample]:
    """Yield every gauge: totals over everything, and the others for *visible* names."""
    visible = visible or visible_names(cards, lag.at)
    yield from fleet(cards)
    yield from log(lag, sampled)
    yield Sample("muster_retries_overdue", (), sampled.overdue)
    yield from campaigns(visible.campaigns.values(), cards, lag.at, sampled.oldest_ready)
    yield from totals(cards, lag.at)
    yield from workers(visible.workers.values())
    yield from quotas(cards, visible)
    for entity, count in visible.dropped.items():
        yield Sample("muster_metrics_dropped_entities", (entity,), count)


def fleet(cards: ReadModels) -> Iterator[Sample]:
    """Yield totals over all campaigns."""
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
    """Yield the positions of the log and of its fold."""
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


def quotas(cards: ReadModels, visible: VisibleNames) -> Iterator[Sample]:
    """Yield the gates, and the units parked behind them."""
    parked: Counter[str] = Counter()
    for card in cards.campaigns.values():
        parked[card.quota or NO_QUOTA] += card.counts.parked
    for key in sorted((parked.keys() | cards.quotas.keys()) & visible.quotas):
        yield Sample("muster_quota_parked_units", (key,), parked[key])
    for key, quota in cards.quotas.items():
        if key in visible.quotas:
            yield from gate(quota)


def gate(card: QuotaCard) -> Iterator[Sample]:
    """Yield the gauges of one quota."""
    name = (card.key,)
    if card.closed_at is not None:
        yield Sample("muster_quota_parked_since_timestamp_seconds", name, card.closed_at.timestamp())
    if card.resume_at is not None:
        yield Sample("muster_quota_resume_timestamp_seconds", name, card.resume_at.timestamp())
    if card.utilization is not None:
        yield Sample("muster_quota_used_ratio", (card.key, WINDOW), card.utilization)
