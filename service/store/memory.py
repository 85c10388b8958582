"""What the Writer remembers of the state between two batches: the rows of current claims, and of what they belong to."""

from collections.abc import Iterable, Mapping
from typing import TypeVar

from service.domain import ids
from service.domain.campaign import Campaign, Group
from service.domain.state import State, UnitId
from service.domain.unit import Claim, Unit
from service.domain.worker import Worker

MOST = 20_000
"""How many rows of a kind are remembered; with more, all of them are forgotten."""

K = TypeVar("K")
V = TypeVar("V")


class Memory:
    """Rows as they are in the database as long as the log ends at *head*, for nothing but the log's next event changes one.

    Whoever decides takes rows out of here and changes them, and so may give the memory back only after the commit.
    """

    def __init__(self) -> None:
        self.head = 0
        self.campaigns: dict[ids.CampaignName, tuple[Campaign, dict[int, Group]]] = {}
        self.workers: dict[ids.WorkerId, Worker] = {}
        self.claims: dict[ids.Token, Claim] = {}
        self.units: dict[UnitId, Unit] = {}

    def at(self, head: int) -> "Memory":
        """Return this memory if it is true for a log that ends at *head*, else an empty one."""
        return self if self.head == head else Memory()

    def keep(self, state: State, head: int) -> None:
        """Remember what a committed batch knew and changed; of units, those that are held."""
        self.head = head
        for token in state.touched.unclaimed:
            self.claims.pop(token, None)
        for known in state.units:
            self.units.pop(known, None)
        keep(self.campaigns, {name: (row, working(state.groups[name])) for name, row in state.campaigns.items()})
        keep(self.workers, state.workers)
        keep(self.claims, state.claims)
        held = ((claim.campaign, claim.unit) for claim in state.claims.values())
        keep(self.units, {known: state.units[known] for known in held if known in state.units})


def working(groups: dict[int, Group]) -> dict[int, Group]:
    """Return those of *groups* that have something open."""
    return {number: group for number, group in groups.items() if group.ready or group.held}


def keep(rows: dict[K, V], more: dict[K, V]) -> None:
    """Add rows; forget all that were there before when they become too many."""
    if len(rows) + len(more) > MOST:
        rows.clear()
    rows.update(more)


def parted(keys: Iterable[K], memory: Mapping[K, V]) -> tuple[dict[K, V], list[K]]:
    """Return the rows of *keys* that are in *memory*, and the keys of those that are not."""
    known, missing = {}, []
    for key in keys:
        row = memory.get(key)
        if row is None:
            missing.append(key)
        else:
            known[key] = row
    return known, missing
