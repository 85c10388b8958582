"""What follows for the dependents of a unit: they run, are skipped, or wait again; many of them in rounds."""

from collections import deque
from collections.abc import Iterable, Iterator

from service.domain import events as e
from service.domain import ids
from service.domain.decide.decision import Consequence, of_unit
from service.domain.fanout import extended
from service.domain.state import State
from service.domain.unit import Unit

CLOSED: tuple[ids.UnitState, ...] = ("quarantined", "skipped", "cancelled")

Path = tuple[ids.UnitKey, ...]
UnitPaths = Iterable[tuple[Unit, Path]]
"""Units, each with the path to it from the first cause."""


def in_rounds(state: State, unit: Unit) -> bool:
    """Tell whether *unit* has too many dependents to change them all in this batch."""
    return (unit.campaign, unit.key) in state.fanouts or not state.knows_dependents(unit)


def children(state: State, unit: Unit) -> Iterator[Unit]:
    """Yield the units that depend on *unit* by key, none where a fan-out changes them in rounds."""
    known = unit.campaign, unit.key
    if known not in state.fanouts:
        # By key, because the events on the way depend on the order of siblings: the log adds them in the order of the import,
        # the store loads them in another.
        for key in sorted(state.children.get(known, ())):
            yield state.units[unit.campaign, key]


def below(state: State, unit: Unit, path: Path) -> UnitPaths:
    """Yield the units that depend on *unit*, with the path to each."""
    return ((child, extended(path, child.key)) for child in children(state, unit))


def unblock(unit: Unit, by: Unit) -> Consequence:
    """Make *unit* ready if it waited for nothing else."""
    if unit.state == "blocked" and unit.waits_for == 0:
        yield of_unit(unit, e.UnitUnblocked(by=by.key))


def unblock_dependents(state: State, unit: Unit) -> Consequence:
    """Make those ready that waited for *unit* alone."""
    for child in children(state, unit):
        yield from unblock(child, unit)


def is_unreachable(unit: Unit) -> bool:
    """Tell whether *unit* will not be done while others still wait for it."""
    return unit.state in CLOSED and not unit.settled


def unreachable_parent(state: State, unit: Unit) -> Unit | None:
    """Return a dependency of *unit* that will not be done, None when there is none."""
    parents = (state.units.get((unit.campaign, key)) for key in state.parents.get((unit.campaign, unit.key), ()))
    return next((parent for parent in parents if parent is not None and is_unreachable(parent)), None)


def fail_dependents(state: State, unit: Unit) -> Consequence:
    """Skip, or by policy let run, what depends on a unit that will not be done."""
    if unit.settled:
        yield from unblock_dependents(state, unit)
    else:
        yield from skip(state, below(state, unit, (unit.key,)))


def skip(state: State, unit_paths: UnitPaths) -> Consequence:
    """Skip blocked units, and what depends on them; a unit that was skipped for an outdated cause gets this one."""
    queue = deque(unit_paths)
    while queue:
        unit, path = queue.popleft()
        if unit.state == "skipped" and cause_outdated(state, unit):
            yield unskip_fact(state, unit, path, "blocked")
        if unit.state == "blocked":
            yield skip_fact(state, unit, path)
            if unit.settled:
                yield from unblock_dependents(state, unit)
            else:
                queue.extend(below(state, unit, path))


def skip_fact(state: State, unit: Unit, path: Path) -> e.Fact:
    """Return that *unit* is skipped for the first of *path*."""
    many = in_rounds(state, unit)
    body = e.UnitSkipped(because_of=path[0], path=path, was=unit.state, first_ready_at=unit.first_ready_at, in_rounds=many)
    return of_unit(unit, body)


def cause_outdated(state: State, unit: Unit) -> bool:
    """Tell whether the cause of a skipped unit is itself skipped, or no longer unreachable."""
    cause = state.units.get((unit.campaign, unit.because_of)) if unit.because_of is not None else None
    return cause is not None and (cause.state == "skipped" or not is_unreachable(cause))


def unskip_fact(state: State, unit: Unit, path: Path, to: ids.UnitState) -> e.Fact:
    """Return the end of a skip."""
    return of_unit(unit, e.UnitUnskipped(because_of=path[0], path=path, to=to, in_rounds=in_rounds(state, unit)))


def skip_orphan(state: State, unit: Unit) -> Consequence:
    """Skip a blocked unit that depends on one which will not be done, and what depends on it."""
    parent = unreachable_parent(state, unit) if unit.state == "blocked" else None
    if parent is not None:
        yield from skip(state, [(unit, way_down(parent, unit))])


def way_down(parent: Unit, unit: Unit) -> Path:
    """Return the path to *unit* from the first cause of its unreachable *parent*."""
    root = (parent.because_of,) if parent.state == "skipped" and parent.because_of is not None else ()
    return (*root, parent.key, unit.key)


def unskip_dependents(state: State, unit: Unit) -> Consequence:
    """Unskip the units that were skipped for *unit*, which is back at work."""
    yield from unskip(state, below(state, unit, (unit.key,)))


def unskip(state: State, unit_paths: UnitPaths) -> Consequence:
    """Unskip skipped units that have no unreachable dependency left; the others get one that they have as their cause."""
    queue = deque(unit_paths)
    while queue:
        unit, path = queue.popleft()
        if unit.state != "skipped":
            continue
        parent = unreachable_parent(state, unit)
        if parent is None:
            yield unskip_fact(state, unit, path, "blocked" if unit.waits_for else "ready")
            queue.extend(below(state, unit, path))
        elif cause_outdated(state, unit):
            yield from skip(state, [(unit, way_down(parent, unit))])
