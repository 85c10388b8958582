"""What the Writer keeps of the state between two batches: the rows of current claims, and of what they belong to."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TypeVar

from service.domain import ids
from service.domain.campaign import Campaign, GroupCounts
from service.domain.state import State
from service.domain.unit import Claim, Unit
from service.domain.worker import Worker

MAX_ROWS = 20_000
"""The most rows of a kind that are kept; beyond that all of them are dropped."""
MAX_PAYLOAD_BYTES = 8 * 1024
"""The bytes of a payload beyond which a unit is not kept."""

K = TypeVar("K")
V = TypeVar("V")


class RowCache:
    """Rows that equal those in the database as long as the log ends at *head*: only the next event of the log changes one.

    A batch takes rows out of here and changes them in place, so it may put the cache back only after the commit.
    """

    def __init__(self) -> None:
        self.head = 0
        self.last: datetime | None = None
        self.campaigns: dict[ids.CampaignName, tuple[Campaign, dict[int, GroupCounts]]] = {}
        self.workers: dict[ids.WorkerId, Worker] = {}
        self.claims: dict[ids.Token, Claim] = {}
        self.units: dict[ids.UnitId, Unit] = {}

    def at(self, head: int, last: datetime | None) -> "RowCache":
        """Return this cache if it is valid for a log whose last event is *head*, recorded at *last*, else an empty one.

        A log that lost its end in a failover and got another may end at the same position, but not at the same time.
        """
        return self if (self.head, self.last) == (head, last) else RowCache()

    def keep(self, state: State, head: int, last: datetime | None) -> None:
        """Keep the rows of a committed batch; of units, those that a claim holds and whose payload is light."""
        self.head, self.last = head, last
        for token in state.touched.unclaimed:
            self.claims.pop(token, None)
        for known in state.units:
            self.units.pop(known, None)
        keep(self.campaigns, {name: (row, working(state.groups[name])) for name, row in state.campaigns.items()})
        keep(self.workers, state.workers)
        keep(self.claims, state.claims)
        held = ((claim.campaign, claim.unit) for claim in state.claims.values())
        keep(self.units, {known: unit for known in held if (unit := state.units.get(known)) and light(unit)})


def light(unit: Unit) -> bool:
    """Tell whether a unit is small enough to keep thousands of them; another one is read again, with its claim."""
    return memoryview(unit.payload).nbytes <= MAX_PAYLOAD_BYTES


def working(groups: dict[int, GroupCounts]) -> dict[int, GroupCounts]:
    """Return those of *groups* that have something open."""
    return {number: group for number, group in groups.items() if group.ready or group.held}


def keep(rows: dict[K, V], more: dict[K, V]) -> None:
    """Add rows; forget all that were there before when they become too many."""
    if len(rows) + len(more) > MAX_ROWS:
        rows.clear()
    rows.update(more)


def parted(keys: Iterable[K], row_cache: Mapping[K, V]) -> tuple[dict[K, V], list[K]]:
    """Return the rows of *keys* that are in *row_cache*, and the keys that are not."""
    known, missing = {}, []
    for key in keys:
        row = row_cache.get(key)
        if row is None:
            missing.append(key)
        else:
            known[key] = row
    return known, missing
