"""Gauges of campaigns, from their cards and the clock."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

from projections.measures.sample import Sample
from projections.views.campaign.card import CampaignCard
from projections.views.campaign.view import eta_s
from projections.views.fold import ReadModels
from projections.views.measurement import microseconds
from projections.views.quota.card import QuotaCard
from projections.views.worker.card import WorkerCard
from service.domain import ids


def campaigns(
    visible: Iterable[CampaignCard], cards: ReadModels, at: datetime, oldest_ready: dict[str, datetime]
) -> Iterator[Sample]:
    """Yield the gauges of each campaign."""
    workers = workers_by_campaign(cards.workers.values())
    for card in visible:
        yield Sample("muster_campaign_workers", (card.name,), workers[card.name])
        if card.name in oldest_ready and card.counts.ready:
            yield Sample("muster_campaign_oldest_ready_timestamp_seconds", (card.name,), oldest_ready[card.name].timestamp())
        yield from campaign(card)
        quota = cards.quotas.get(card.quota) if card.quota is not None else None
        yield from times(card, quota, at)
        yield from pauses(card, cards, quota)


def campaign(card: CampaignCard) -> Iterator[Sample]:
    """Yield the gauges that need only the campaign's own card."""
    name = (card.name,)
    counts = card.counts
    for state in ids.UNIT_STATES:
        yield Sample("muster_campaign_units", (card.name, state), getattr(counts, state))
    info = (card.name, card.name, card.labels.get("project", ""), card.labels.get("kind", ""))
    yield Sample("muster_campaign_info", info, 1)
    yield Sample("muster_campaign_state", (card.name, card.state), 1)
    yield Sample("muster_campaign_progress_ratio", name, counts.done / counts.total if counts.total else 0)
    yield Sample("muster_campaign_consecutive_failures", name, card.consecutive)
    if card.wave:
        yield Sample("muster_campaign_wave", name, card.wave)
    yield Sample("muster_campaign_safety_cap", name, card.policy.breaker.threshold)


def workers_by_campaign(workers: Iterable[WorkerCard]) -> Counter[ids.CampaignName]:
    """Return how many workers hold a lease in each campaign."""
    return Counter(campaign for card in workers for campaign in {claim.campaign for claim in card.claims.values()})


def times(card: CampaignCard, quota: QuotaCard | None, at: datetime) -> Iterator[Sample]:
    """Yield the times of a campaign, its throughput and its ETA, as far as they exist."""
    rate = card.throughput.rate(microseconds(at))
    left_s = eta_s(card, quota, rate)
    instants = {
        "muster_campaign_deadline_timestamp_seconds": card.deadline,
        "muster_campaign_started_timestamp_seconds": card.started_at,
        "muster_campaign_finished_timestamp_seconds": card.cancelled_at or card.completed_at,
        "muster_campaign_last_progress_timestamp_seconds": card.done_at or card.started_at,
    }
    for family, instant in instants.items():
        if instant is not None:
            yield Sample(family, (card.name,), instant.timestamp())
    if rate is not None and card.state in ("running", "paused"):
        yield Sample("muster_campaign_throughput_units_per_second", (card.name,), rate)
    if left_s is not None:
        yield Sample("muster_campaign_eta_timestamp_seconds", (card.name,), at.timestamp() + left_s)


def pauses(card: CampaignCard, cards: ReadModels, quota: QuotaCard | None) -> Iterator[Sample]:
    """Yield why a campaign is paused, and since when."""
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
