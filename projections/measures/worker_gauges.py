"""Gauges of workers: their heartbeats and leases."""

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
    """Yield totals over all workers."""
    present = [card for card in cards.workers.values() if card.state != "gone" or card.claims]
    watched = [card for card in present if card.watched]
    levels = Counter(card.level for card in watched)
    for level in LEVELS:
        yield Sample("muster_workers", (level,), levels[level])
    overdue = [claim for card in present for claim in card.claims.values() if claim.lease_until < at]
    yield Sample("muster_leases_overdue", (), sum(1 for claim in overdue if cards.campaigns[claim.campaign].plan is None))
    silences = (age(card.last_heartbeat_at, at) for card in watched)
    yield Sample("muster_heartbeat_staleness_max_seconds", (), max(silences, default=0.0))


def workers(visible: Iterable[WorkerCard]) -> Iterator[Sample]:
    """Yield the gauges of each worker; one that is not watched has no level."""
    for card in visible:
        name = (card.worker,)
        yield Sample("muster_worker_info", (card.worker, card.labels.get("host", ""), card.version or "", POOL), 1)
        yield Sample("muster_worker_last_heartbeat_timestamp_seconds", name, card.last_heartbeat_at.timestamp())
        yield Sample("muster_worker_leases", name, len(card.claims))
        if card.watched:
            yield Sample("muster_worker_heartbeat_level", name, LEVELS.index(card.level))
