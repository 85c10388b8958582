"""Imports: an upsert by key, the checks of the dependency graph, and what an import means for units that wait."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import UNSET, Raw

from service.domain import events as e
from service.domain import ids
from service.domain.campaign import Campaign
from service.domain.commands import AddUnits, DecisionContext, ImportReply, UnitSpec
from service.domain.decide.consequences.dependency import skip_orphan
from service.domain.decide.consequences.unit_end import complete_campaign, reopen
from service.domain.decide.decision import Consequence, Decider, Deciders, Decision, campaign_named
from service.domain.events import Fact
from service.domain.read_set import ReadSet
from service.domain.rejections import Conflict, MissingDependency, Unprocessable, Validation
from service.domain.state import State
from service.domain.unit import Unit

CHUNK = 1000


def add_units(state: State, command: AddUnits, context: DecisionContext) -> Decision[ImportReply]:
    """Add what is new, change what nobody has started, leave the rest alone.

    Raises:
        Conflict: when the campaign is cancelled.
        Rejection: when the units contradict each other or those that are there; see the checks.

    """
    campaign = campaign_named(state, command.campaign)
    if campaign.cancelled_at is not None:
        raise Conflict(f"campaign {campaign.name!r} is cancelled", field="state", current="cancelled")
    known = {
        key: unit for spec in command.units for key in (spec.key, *spec.depends_on) if (unit := known_unit(state, campaign, key))
    }
    require_consistent(known, command.units)
    require_same_dependencies(state, known, command.units)
    new = [spec for spec in command.units if spec.key not in known]
    patches = [patch for spec in command.units if spec.key in known and (patch := patch_of(known[spec.key], spec))]
    yield from add_new_units(state, campaign, new)
    for chunk in chunks(patches):
        yield Fact(e.UnitsUpdated(units=chunk), campaign.name)
    if new:
        yield from reopen(campaign, "units_added")
    yield from complete_campaign(campaign, context)
    return ImportReply(len(new), len(patches), len(command.units) - len(new) - len(patches))


def known_unit(state: State, campaign: Campaign, key: ids.UnitKey) -> Unit | None:
    """Return the unit that the campaign already has under *key*."""
    return state.units.get((campaign.name, key))


def chunks(items: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
    """Cut *items* into what one event may hold."""
    for start in range(0, len(items), CHUNK):
        yield tuple(items[start : start + CHUNK])


def patch_of(unit: Unit, spec: UnitSpec) -> e.UnitPatch | None:
    """Return what *spec* changes of a unit that nobody has started, None when nothing."""
    if not unit.untouched:
        return None
    patch = e.UnitPatch(
        key=unit.key,
        payload=UNSET if same_document(spec.payload, unit.payload) else spec.payload,
        group=UNSET if spec.group == unit.group else spec.group,
        priority=UNSET if spec.priority == unit.priority else spec.priority,
        estimate_s=UNSET if spec.estimate_s == unit.estimate_s else spec.estimate_s,
        was=None if spec.group == unit.group else unit.state,
    )
    return None if patch == e.UnitPatch(key=unit.key) else patch


def same_document(payload: Raw, other: Raw) -> bool:
    """Tell whether two documents say the same, however they are spaced and ordered."""
    if bytes(payload) == bytes(other):
        return True
    first, second = (msgspec.json.encode(msgspec.json.decode(raw), order="deterministic") for raw in (payload, other))
    return first == second


def add_new_units(state: State, campaign: Campaign, specs: Sequence[UnitSpec]) -> Consequence:
    """Add new units in order; those whose dependency has failed for good are skipped at once."""
    for chunk in chunks(in_graph_order(specs)):
        fresh = {spec.key for spec in chunk}
        yield Fact(e.UnitsAdded(units=tuple(new_unit(state, campaign, spec, fresh) for spec in chunk)), campaign.name)
    for spec in specs:
        yield from skip_orphan(state, state.units[campaign.name, spec.key])


def new_unit(state: State, campaign: Campaign, spec: UnitSpec, fresh: set[ids.UnitKey]) -> e.NewUnit:
    """Return *spec* as the log holds it, with the number of dependencies that it waits for now."""
    waits_for = sum(key in fresh or not state.units[campaign.name, key].settled for key in set(spec.depends_on))
    return e.NewUnit(
        key=spec.key,
        payload=spec.payload,
        group=spec.group,
        priority=spec.priority,
        depends_on=tuple(dict.fromkeys(spec.depends_on)),
        estimate_s=spec.estimate_s,
        waits_for=waits_for,
    )


def require_consistent(known: Mapping[ids.UnitKey, Unit], specs: Sequence[UnitSpec]) -> None:
    """Check the units of an import against each other and against those that are there.

    Raises:
        Validation: when a key is given twice.
        MissingDependency: when a dependency is neither in the campaign nor in the import.
        Unprocessable: when the dependencies form a cycle.

    """
    graph: dict[ids.UnitKey, tuple[ids.UnitKey, ...]] = {}
    for index, spec in enumerate(specs):
        if spec.key in graph:
            raise Validation(f"units[{index}].key {spec.key!r} is given twice", field=f"units[{index}].key", current=spec.key)
        graph[spec.key] = spec.depends_on
    for index, spec in enumerate(specs):
        for parent in spec.depends_on:
            if parent not in graph and parent not in known:
                raise MissingDependency(
                    f"units[{index}].depends_on names {parent!r}, which is neither in the campaign nor in this import",
                    field=f"units[{index}].depends_on",
                    current=parent,
                )
    path = cycle({key: parents for key, parents in graph.items() if key not in known or known[key].untouched})
    if path is not None:
        raise Unprocessable(f"the dependencies run in a circle: {' → '.join(path)}", field="depends_on", path=path)


def require_same_dependencies(state: State, known: Mapping[ids.UnitKey, Unit], specs: Sequence[UnitSpec]) -> None:
    """Check that the graph only grows at its ends.

    Raises:
        Unprocessable: when a unit that is there and not yet started gets a new dependency.

    """
    for index, spec in enumerate(specs):
        unit = known.get(spec.key)
        if unit is None or not spec.depends_on or not unit.untouched:
            continue
        parents = state.parents.get((unit.campaign, unit.key), ())
        for parent in spec.depends_on:
            if parent in parents:
                continue
            if path := descent(state, unit, parent):
                circle = [unit.key, *reversed(path)]
                raise Unprocessable(f"the dependencies run in a circle: {' → '.join(circle)}", field="depends_on", path=circle)
            raise Unprocessable(
                f"units[{index}].depends_on names {parent!r}, on which unit {unit.key!r} did not depend when it was added",
                field=f"units[{index}].depends_on",
                current=parent,
                allowed=list(parents),
            )


def descent(state: State, unit: Unit, to: ids.UnitKey) -> list[ids.UnitKey]:
    """Return the way from *unit* down to what depends on it, *unit* first, empty when *to* does not."""
    before: dict[ids.UnitKey, ids.UnitKey | None] = {unit.key: None}
    queue = deque([unit.key])
    while queue and to not in before:
        here = queue.popleft()
        for child in state.children.get((unit.campaign, here), ()):
            if child not in before:
                before[child] = here
                queue.append(child)
    path: list[ids.UnitKey] = []
    step = to if to in before else None
    while step is not None:
        path.append(step)
        step = before[step]
    return path[::-1]


def cycle(graph: Mapping[ids.UnitKey, tuple[ids.UnitKey, ...]]) -> list[ids.UnitKey] | None:
    """Return a circle in *graph* (key → what it depends on) as a path that ends where it began, None when there is none.

    >>> cycle({"a": ("b",), "b": ("c",), "c": ("a",)}), cycle({"a": ("b",), "b": ()})
    (['a', 'b', 'c', 'a'], None)
    """
    finished: set[ids.UnitKey] = set()
    for start in graph:
        path: dict[ids.UnitKey, Iterator[ids.UnitKey]] = {}
        step: ids.UnitKey | None = start if start not in finished else None
        while step is not None or path:
            if step is not None:
                path[step] = iter(graph[step])
            last = next(reversed(path))
            step = next((parent for parent in path[last] if parent in graph and parent not in finished), None)
            if step is None:
                finished.add(last)
                del path[last]
            elif step in path:
                keys = list(path)
                return [*keys[keys.index(step) :], step]
    return None


def in_graph_order(specs: Sequence[UnitSpec]) -> list[UnitSpec]:
    """Return *specs* so that chunks never name a unit of a later chunk; the order stays where it can."""
    if len(specs) <= CHUNK:
        return list(specs)
    by_key = {spec.key: spec for spec in specs}
    placed: dict[ids.UnitKey, UnitSpec] = {}
    for spec in specs:
        stack = [(spec, iter(spec.depends_on))]
        while stack:
            last, parents = stack[-1]
            waiting = next((by_key[key] for key in parents if key in by_key and key not in placed), None)
            if waiting is not None:
                stack.append((waiting, iter(waiting.depends_on)))
            else:
                placed.setdefault(last.key, last)
                stack.pop()
    return list(placed.values())


def reads_add_units(command: AddUnits) -> ReadSet:
    """Return the units that the import names, as far as there are any, and what those depend on already."""
    name = command.campaign
    keys = dict.fromkeys(key for spec in command.units for key in (spec.key, *spec.depends_on))
    return ReadSet(
        campaigns=(name,),
        units=tuple((name, key) for key in keys),
        imported_units=tuple(((name, spec.key), spec.depends_on) for spec in command.units if spec.depends_on),
    )


def units_with_new_dependencies(read_set: ReadSet, state: State) -> set[ids.UnitId]:
    """Return the units of which an import names a new dependency; its refusal names the circle that this would close."""
    return {
        known
        for known, depends_on in read_set.imported_units
        if known in state.units and not set(depends_on) <= set(state.parents.get(known, ()))
    }


def dependencies_of_imported(read_set: ReadSet, state: State) -> set[ids.UnitId]:
    """Return the units on which the units of an import depend already."""
    return {(known[0], parent) for known, _ in read_set.imported_units for parent in state.parents.get(known, ())}


DECIDERS: Deciders = {AddUnits: Decider(add_units, reads_add_units)}
