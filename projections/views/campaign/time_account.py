"""The time account of a campaign: where the time of its units went, each microsecond under exactly one cause."""

from collections.abc import Callable
from copy import copy
from typing import Literal

from msgspec import Struct, field
from msgspec.structs import replace

from service.domain import events as e
from service.domain import ids
from service.domain.campaign import Counts
from service.domain.rules.hold import Hold, held_back

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


def cause_of_waiting(*, engine_paused: bool, auto: bool, paused: bool, tripped: bool, gate_closed: bool) -> Cause | None:
    """Return what keeps every ready unit of a campaign from being claimed, None if nothing does."""
    holds = held_back(engine_paused=engine_paused, auto=auto, paused=paused, tripped=tripped, gate_closed=gate_closed)
    return CAUSE_OF_HOLD[holds[0]] if holds else None


class GroupLoad(Struct, gc=False):
    """How many units of a group are ready, and how many hold later groups back while they run, rest or are parked."""

    ready: int = 0
    held: int = 0


class TimeAccount(Struct):
    """What the time of open units was spent on, up to *at_us*.

    A unit's time counts while it is open: from its import, or its return from quarantine, to its end. A ready unit waits for the
    first of these that applies: a pause, the breaker, the quota's gate, an earlier group, a slot. A silent worker is believed to
    work until the log says that it was given up; only then does its silence count under `dead_worker`. In *spent* that time
    stays work: *silent_us* is how much of it was silence, *longest_us* the longest single silence.

    *groups* is empty while all units are in the default group. *since_snapshot* counts the events since the last snapshot, and
    the units that they added.
    """

    at_us: int = 0
    spent: dict[Cause, int] = field(default_factory=dict)
    groups: dict[int, GroupLoad] = field(default_factory=dict)
    silent_us: int = 0
    longest_us: int = 0
    # Cards are stored as JSON: `name` is what the field is called in databases of today.
    since_snapshot: int = field(default=0, name="facts")

    def advance(self, at_us: int, counts: Counts, waiting: Cause | None, *, ordered: bool) -> None:
        """Book the time up to *at_us*; *waiting* is what holds back every ready unit."""
        # Called for nearly every event: states without units are skipped before anything is multiplied.
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
        claimable = self._claimable(counts.ready, ordered=ordered)
        self._spend("slot", claimable * passed)
        if claimable < counts.ready:
            self._spend("group", (counts.ready - claimable) * passed)

    def _spend(self, cause: Cause, us: int) -> None:
        self.spent[cause] = self.spent.get(cause, 0) + us

    def _claimable(self, ready: int, *, ordered: bool) -> int:
        """Return how many of the *ready* units no earlier group holds back."""
        if not ordered or not self.groups:
            return ready
        lowest = min((number for number, load in self.groups.items() if load.ready or load.held), default=None)
        return ready if lowest is None else self.groups[lowest].ready

    def add_units(self, body: e.UnitsAdded, counts: Counts) -> bool:
        """Count new units in their groups; tell whether the account distinguishes groups."""
        if not self.groups and all(unit.group == ids.DEFAULT_GROUP for unit in body.units):
            return False
        self._divide(counts)
        for unit in body.units:
            self.move(unit.group, None, "blocked" if unit.waits_for else "ready")
        return True

    def regroup(
        self, body: e.UnitsUpdated, counts: Counts, group_of: Callable[[ids.UnitKey], int]
    ) -> list[tuple[ids.UnitKey, int]]:
        """Move units that were never started to other groups; return the new group of each."""
        moved = [(patch.key, patch.group, patch.was or "ready") for patch in body.units if isinstance(patch.group, int)]
        for key, group, state in moved:
            self._divide(counts)
            self.move(group_of(key), state, None)
            self.move(group, None, state)
        return [(key, group) for key, group, _ in moved]

    def _divide(self, counts: Counts) -> None:
        """Begin to distinguish groups: all units so far are in the default one."""
        if not self.groups:
            holding = sum(getattr(counts, state) for state in ids.HOLDING_STATES)
            self.groups[ids.DEFAULT_GROUP] = GroupLoad(counts.ready, holding)

    def move(self, group: int, old: ids.UnitState | None, new: ids.UnitState | None) -> None:
        """Count a unit of *group* out of state *old* and into *new*; None is outside of the group."""
        load = self.groups.setdefault(group, GroupLoad())
        load.ready += (new == "ready") - (old == "ready")
        load.held += (new in ids.HOLDING_STATES) - (old in ids.HOLDING_STATES)

    def copy(self) -> "TimeAccount":
        """Return an independent copy."""
        groups = {group: copy(load) for group, load in self.groups.items()}
        return replace(self, spent=dict(self.spent), groups=groups)

    def count_silence(self, since_us: int) -> int:
        """Count the time from *since_us* to now as silence of a dead worker; return when the silence began, at most now."""
        silence_us = max(self.at_us - since_us, 0)
        self.silent_us += silence_us
        self.longest_us = max(self.longest_us, silence_us)
        return self.at_us - silence_us
