"""Gauges of workers: how they are heard, what they hold."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

from projections.measures.sample import Sample
from projections.views.fold import ReadModels
from projections.views.worker.card import WorkerCard
from service.domain import ids
from service.domain.rules.heartbeat import age

LEVELS: tuple[ids.Level, ...] = ("healthy", "warn", "stale", "dead")
POOL = "default"


def totals(cards: ReadModels, at: datetime) -> Iterator[Sample]:
    """Yield how the workers are heard, all of them."""
    present = [card for card in cards.workers.values() if card.state != "gone" or card.claims]
    watched = [card for card in present if card.watched]
    levels = Counter(card.level for card in watched)
    for level in LEVELS:
        yield Sample("muster_workers", (level,), levels[level])
    lapsed = [held for card in present for held in card.claims.values() if held.lease_until < at]
    yield Sample("muster_leases_overdue", (), sum(1 for held in lapsed if cards.campaigns[held.campaign].plan is None))
    silences = (age(card.last_heartbeat_at, at) for card in watched)
    yield Sample("muster_heartbeat_staleness_max_seconds", (), max(silences, default=0.0))


def workers(shown: Iterable[WorkerCard]) -> Iterator[Sample]:
    """Yield what each worker shows; one that is gone has no level."""
    for card in shown:
        name = (card.worker,)
        yield Sample("muster_worker_info", (card.worker, card.labels.get("host", ""), card.version or "", POOL), 1)
        yield Sample("muster_worker_last_heartbeat_timestamp_seconds", name, card.last_heartbeat_at.timestamp())
        yield Sample("muster_worker_leases", name, len(card.claims))
        if card.watched:
            yield Sample("muster_worker_heartbeat_level", name, LEVELS.index(card.level))
