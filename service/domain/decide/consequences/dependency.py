"""What follows for those that depend on a unit: they run, are skipped, or wait again; many of them in rounds."""

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
Found = Iterable[tuple[Unit, Path]]
"""Units, each with the way to it from the first cause."""


def in_rounds(state: State, unit: Unit) -> bool:
    """Tell whether those that depend on *unit* are too many to learn at once what becomes of it."""
    return (unit.campaign, unit.key) in state.fanouts or not state.knows_dependents(unit)


def children(state: State, unit: Unit) -> Iterator[Unit]:
    """Yield the units that depend on *unit*, none where they learn in rounds what became of it."""
    known = unit.campaign, unit.key
    if known not in state.fanouts:
        for key in tuple(state.children.get(known, ())):
            yield state.units[unit.campaign, key]


def below(state: State, unit: Unit, path: Path) -> Found:
    """Yield the units that depend on *unit*, with the way to each."""
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


def skip(state: State, found: Found) -> Consequence:
    """Skip those that wait, and what depends on them; what was skipped for a cause that is none any more gets this one."""
    queue = deque(found)
    while queue:
        unit, path = queue.popleft()
        if unit.state == "skipped" and outdated(state, unit):
            yield unskipped(state, unit, path, "blocked")
        if unit.state == "blocked":
            yield skipped(state, unit, path)
            if unit.settled:
                yield from unblock_dependents(state, unit)
            else:
                queue.extend(below(state, unit, path))


def skipped(state: State, unit: Unit, path: Path) -> e.Fact:
    """Return that *unit* is skipped for the first of *path*."""
    many = in_rounds(state, unit)
    body = e.UnitSkipped(because_of=path[0], path=path, was=unit.state, first_ready_at=unit.first_ready_at, in_rounds=many)
    return of_unit(unit, body)


def outdated(state: State, unit: Unit) -> bool:
    """Tell whether what a skipped unit was skipped for is not the first cause, or not lost, any more."""
    cause = state.units.get((unit.campaign, unit.because_of)) if unit.because_of is not None else None
    return cause is not None and (cause.state == "skipped" or not is_unreachable(cause))


def unskipped(state: State, unit: Unit, path: Path, to: ids.UnitState) -> e.Fact:
    """Return the end of a skip."""
    return of_unit(unit, e.UnitUnskipped(because_of=path[0], path=path, to=to, in_rounds=in_rounds(state, unit)))


def skip_orphan(state: State, unit: Unit) -> Consequence:
    """Skip a blocked unit that depends on one which will not be done, and what depends on it."""
    parent = unreachable_parent(state, unit) if unit.state == "blocked" else None
    if parent is not None:
        yield from skip(state, [(unit, way_down(parent, unit))])


def way_down(parent: Unit, unit: Unit) -> Path:
    """Return the way to *unit* from what *parent*, which is lost, was lost for."""
    root = (parent.because_of,) if parent.state == "skipped" and parent.because_of is not None else ()
    return (*root, parent.key, unit.key)


def unskip_dependents(state: State, unit: Unit) -> Consequence:
    """Let those wait again that were skipped for *unit*, which is back at work."""
    yield from unskip(state, below(state, unit, (unit.key,)))


def unskip(state: State, found: Found) -> Consequence:
    """Let those wait again that were skipped and have no lost dependency left; the others name one that they have."""
    queue = deque(found)
    while queue:
        unit, path = queue.popleft()
        if unit.state != "skipped":
            continue
        parent = unreachable_parent(state, unit)
        if parent is None:
            yield unskipped(state, unit, path, "blocked" if unit.waits_for else "ready")
            queue.extend(below(state, unit, path))
        elif outdated(state, unit):
            yield from skip(state, [(unit, way_down(parent, unit))])
