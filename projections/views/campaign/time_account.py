"""The ledger of a campaign: where the time of its units went, each microsecond under exactly one cause."""

from collections.abc import Callable
from copy import copy
from typing import Literal

from msgspec import Struct, field
from msgspec.structs import replace

from service.domain import events as e
from service.domain import ids
from service.domain.campaign import Counts
from service.domain.hold import Hold

Cause = Literal["working", "slot", "backoff", "quota", "breaker", "paused", "dead_worker", "group", "dependency"]
CAUSES: tuple[Cause, ...] = (
    "working",
    "slot",
    "backoff",
    "quota",
    "breaker",
    "paused",
    "dead_worker",
    "group",
    "dependency",
)


CAUSE_OF_HOLD: dict[Hold, Cause] = {
    "engine": "paused",
    "auto": "paused",
    "paused": "paused",
    "breaker": "breaker",
    "quota": "quota",
}
"""What the time of ready units counts under while something holds their campaign back."""


class GroupLoad(Struct, gc=False):
    """How many units of a group wait for a worker, and how many hold later groups back without waiting for one."""

    ready: int = 0
    held: int = 0


class TimeAccount(Struct):
    """What the time of open units went to, up to *at_us*.

    A unit's life is the time in which it is open: from its import, or its return from quarantine, to its end. A ready unit waits
    for the first of these that holds: a pause, the breaker, the quota's gate, an earlier group, a slot. Silence counts under
    `dead_worker` once the log says that the worker was given up; before that it is believed to work. In *spent* it is still
    work: *silent_us* is how much of it was none, *longest_us* the longest such time at one stroke.

    *groups* is empty while all units are in the default group; *facts* counts the events since the last mark, and the units that
    they brought.
    """

    at_us: int = 0
    spent: dict[Cause, int] = field(default_factory=dict)
    groups: dict[int, GroupLoad] = field(default_factory=dict)
    silent_us: int = 0
    longest_us: int = 0
    facts: int = 0

    def until(self, at_us: int, counts: Counts, waiting: Cause | None, *, ordered: bool) -> None:
        """Let time go by; *waiting* is what holds back every ready unit."""
        passed = at_us - self.at_us
        if passed <= 0:
            return
        self.at_us = at_us
        if counts.running:
            self._spend("working", counts.running * passed)
        if counts.delayed:
            self._spend("backoff", counts.delayed * passed)
        if counts.parked:
            self._spend("quota", counts.parked * passed)
        if counts.blocked:
            self._spend("dependency", counts.blocked * passed)
        if not counts.ready:
            return
        if waiting is not None:
            self._spend(waiting, counts.ready * passed)
            return
        first = self._first(counts.ready, ordered=ordered)
        self._spend("slot", first * passed)
        if first < counts.ready:
            self._spend("group", (counts.ready - first) * passed)

    def _spend(self, cause: Cause, us: int) -> None:
        self.spent[cause] = self.spent.get(cause, 0) + us

    def _first(self, ready: int, *, ordered: bool) -> int:
        """Return how many of the ready units no earlier group holds back."""
        if not ordered or not self.groups:
            return ready
        lowest = min((group for group, crowd in self.groups.items() if crowd.ready or crowd.held), default=None)
        return ready if lowest is None else self.groups[lowest].ready

    def join(self, body: e.UnitsAdded, counts: Counts) -> bool:
        """Let units begin to live; tell whether groups are told apart."""
        if not self.groups and all(unit.group == ids.DEFAULT_GROUP for unit in body.units):
            return False
        self._divide(counts)
        for unit in body.units:
            self.move(unit.group, None, "blocked" if unit.waits_for else "ready")
        return True

    def regroup(
        self, body: e.UnitsUpdated, counts: Counts, group_of: Callable[[ids.UnitKey], int]
    ) -> list[tuple[ids.UnitKey, int]]:
        """Let units that nobody has started change their group; return which are in which."""
        moved = [(patch.key, patch.group, patch.was or "ready") for patch in body.units if isinstance(patch.group, int)]
        for key, group, state in moved:
            self._divide(counts)
            self.move(group_of(key), state, None)
            self.move(group, None, state)
        return [(key, group) for key, group, _ in moved]

    def _divide(self, counts: Counts) -> None:
        """Begin to tell groups apart: all units so far are in the default one."""
        if not self.groups:
            held = sum(getattr(counts, state) for state in ids.HOLDING_STATES)
            self.groups[ids.DEFAULT_GROUP] = GroupLoad(counts.ready, held)

    def move(self, group: int, old: ids.UnitState | None, new: ids.UnitState | None) -> None:
        """Let a unit of a group go from one state to another; None is outside of the group."""
        crowd = self.groups.setdefault(group, GroupLoad())
        crowd.ready += (new == "ready") - (old == "ready")
        crowd.held += (new in ids.HOLDING_STATES) - (old in ids.HOLDING_STATES)

    def copy(self) -> "TimeAccount":
        """Return one that goes its own way."""
        groups = {group: copy(crowd) for group, crowd in self.groups.items()}
        return replace(self, spent=dict(self.spent), groups=groups)

    def mourn(self, since_us: int) -> int:
        """Count the work since then as the silence of a dead worker; return when it began, at most now."""
        silence = max(self.at_us - since_us, 0)
        self.silent_us += silence
        self.longest_us = max(self.longest_us, silence)
        return self.at_us - silence
