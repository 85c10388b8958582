"""What the Writer remembers of the state between two batches: the rows of current claims, and of what they belong to."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TypeVar

from service.domain import ids
from service.domain.campaign import Campaign, GroupCounts
from service.domain.state import State
from service.domain.unit import Claim, Unit
from service.domain.worker import Worker

MOST = 20_000
"""How many rows of a kind are remembered; with more, all of them are forgotten."""
HEAVY = 8 * 1024
"""The bytes of a payload beyond which a unit is not remembered."""

K = TypeVar("K")
V = TypeVar("V")


class RowCache:
    """Rows as they are in the database as long as the log ends at *head*, for nothing but the log's next event changes one.

    Whoever decides takes rows out of here and changes them, and so may give the memory back only after the commit.
    """

    def __init__(self) -> None:
        self.head = 0
        self.last: datetime | None = None
        self.campaigns: dict[ids.CampaignName, tuple[Campaign, dict[int, GroupCounts]]] = {}
        self.workers: dict[ids.WorkerId, Worker] = {}
        self.claims: dict[ids.Token, Claim] = {}
        self.units: dict[ids.UnitId, Unit] = {}

    def at(self, head: int, last: datetime | None) -> "RowCache":
        """Return this memory if it is true for a log whose last event is *head*, recorded at *last*, else an empty one.

        A log that lost its end in a promotion, and got another, may end at the same position, but not at the same time.
        """
        return self if (self.head, self.last) == (head, last) else RowCache()

    def keep(self, state: State, head: int, last: datetime | None) -> None:
        """Remember what a committed batch knew and changed; of units, those that are held, without a heavy payload."""
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
    """Tell whether a unit weighs so little that thousands may be remembered; another is read again, with its claim."""
    return memoryview(unit.payload).nbytes <= HEAVY


def working(groups: dict[int, GroupCounts]) -> dict[int, GroupCounts]:
    """Return those of *groups* that have something open."""
    return {number: group for number, group in groups.items() if group.ready or group.held}


def keep(rows: dict[K, V], more: dict[K, V]) -> None:
    """Add rows; forget all that were there before when they become too many."""
    if len(rows) + len(more) > MOST:
        rows.clear()
    rows.update(more)


def parted(keys: Iterable[K], row_cache: Mapping[K, V]) -> tuple[dict[K, V], list[K]]:
    """Return the rows of *keys* that are in *memory*, and the keys of those that are not."""
    known, missing = {}, []
    for key in keys:
        row = row_cache.get(key)
        if row is None:
            missing.append(key)
        else:
            known[key] = row
    return known, missing
