"""Samples from the state's tables, beside the cards; sizes change slowly and are asked for once a minute."""

from datetime import timedelta
from time import monotonic

from projections.measures.cardinality import VisibleNames
from projections.measures.sample import FoldLag, StateSample
from projections.store import Session
from service.store.db.queries import load

QUERIES = load("samples", package="projections")
LATE = timedelta(seconds=30)
SIZES_S = 60.0
HELD = {
    "events": ("events",),
    "heartbeats": ("heartbeats",),
    "state": ("units", "dependencies", "claims", "campaigns", "groups", "workers", "quotas"),
    "views": ("campaign_card", "worker_card", "quota_card", "quarantine_card"),
    "series": ("series",),
    "screens": ("screens",),
}
"""What each relation of `muster_event_store_size_bytes` is made of."""


class Sizes:
    """The sizes that were read last; every replica keeps its own."""

    def __init__(self) -> None:
        self._read_at = -SIZES_S
        self._sizes: dict[str, int] = {}

    async def read(self, connection: Session) -> dict[str, int]:
        """Return the sizes, read anew once a minute."""
        if monotonic() - self._read_at >= SIZES_S:
            pairs = [(relation, name) for relation, names in HELD.items() for name in names]
            rows = await connection.fetch(QUERIES.sizes, *zip(*pairs, strict=True))
            self._sizes = {relation: int(size) for relation, size in rows}
            self._read_at = monotonic()
        return self._sizes


async def sample(connection: Session, shard: int, lag: FoldLag, visible: VisibleNames, sizes: Sizes) -> StateSample:
    """Read what the cards do not know, in the transaction that they were read in."""
    waiting = [card.name for card in visible.campaigns.values() if card.counts.ready]
    oldest = await connection.fetch(QUERIES.oldest_ready, shard, waiting) if waiting else []
    return StateSample(
        overdue=await connection.fetchval(QUERIES.overdue, shard, lag.at - LATE),
        oldest_ready={campaign: ready_at for campaign, ready_at in oldest if ready_at is not None},
        rebuilt=await connection.fetchval(QUERIES.rebuilding, shard),
        sizes=await sizes.read(connection),
    )
