"""Samples of the state's tables for the exposition; sizes are read once a minute, because they change slowly."""

from datetime import timedelta
from time import monotonic

from projections.measures.cardinality import VisibleNames
from projections.measures.sample import FoldLag, StateSample
from projections.store import Session
from service.store.db.queries import load

QUERIES = load("samples", package="projections")
OVERDUE = timedelta(seconds=30)
SIZES_S = 60.0
TABLES = {
    "events": ("events",),
    "heartbeats": ("heartbeats",),
    "state": ("units", "dependencies", "claims", "campaigns", "groups", "workers", "quotas"),
    "views": ("campaign_card", "worker_card", "quota_card", "quarantine_card"),
    "series": ("series",),
    "screens": ("screens",),
}
"""The tables behind each relation of `muster_event_store_size_bytes`."""


class Sizes:
    """A cache of table sizes."""

    def __init__(self) -> None:
        self._read_at = -SIZES_S
        self._sizes: dict[str, int] = {}

    async def read(self, connection: Session) -> dict[str, int]:
        """Return the sizes, read again after a minute."""
        if monotonic() - self._read_at >= SIZES_S:
            pairs = [(relation, name) for relation, names in TABLES.items() for name in names]
            rows = await connection.fetch(QUERIES.sizes, *zip(*pairs, strict=True))
            self._sizes = {relation: int(size) for relation, size in rows}
            self._read_at = monotonic()
        return self._sizes


async def sample(connection: Session, shard: int, lag: FoldLag, visible: VisibleNames, sizes: Sizes) -> StateSample:
    """Sample the state, in the transaction in which the cards were read."""
    waiting = [card.name for card in visible.campaigns.values() if card.counts.ready]
    oldest = await connection.fetch(QUERIES.oldest_ready, shard, waiting) if waiting else []
    return StateSample(
        overdue=await connection.fetchval(QUERIES.overdue, shard, lag.at - OVERDUE),
        oldest_ready={campaign: ready_at for campaign, ready_at in oldest if ready_at is not None},
        rebuilt=await connection.fetchval(QUERIES.rebuilding, shard),
        sizes=await sizes.read(connection),
    )
