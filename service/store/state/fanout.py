"""The loading and saving of fan-outs, with the dependents that a round reaches."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator

import msgspec
from asyncpg import Record

from service.domain import ids
from service.domain.decide.consequences.dependency import is_unreachable
from service.domain.fanout import Fanout, FanoutRound
from service.domain.state import State
from service.store.db.queries import load
from service.store.log.event_log import Connection, columns
from service.store.state import rows
from service.store.state.read_set import ReadSet

QUERIES = load("fanout")
ROUND = 1000
"""How many dependents learn of something in one go; of a unit that has more, all learn in rounds."""
MOST = 10 * ROUND
"""How many dependents of ended units are loaded for one batch."""

Fetch = Callable[..., Awaitable[list[Record]]]


async def begin(fetch: Fetch, state: State, read_set: ReadSet) -> None:
    """Load the fan-outs to be carried on, with the next dependents, and add to *needs* what follows for those."""
    if not read_set.fanouts:
        return
    asked = columns(list(read_set.fanouts))
    await note(fetch, state, read_set.fanouts)
    reached: dict[ids.UnitId, list[ids.UnitKey]] = defaultdict(list)
    for parent, *fields in await fetch(QUERIES.next_dependents, *asked, ROUND):
        unit = rows.unit(fields)
        state.units.setdefault((unit.campaign, unit.key), unit)
        reached[unit.campaign, parent].append(unit.key)
    for known, fanout in state.fanouts.items():
        keys = tuple(reached[known])
        state.fanout_rounds[known] = FanoutRound(fanout.position, fanout.after, keys, last=len(keys) < ROUND)
        follow(state, read_set, known, keys)


def follow(state: State, read_set: ReadSet, known: ids.UnitId, keys: Iterable[ids.UnitKey]) -> None:
    """Ask for what depends on the reached units, for what the skipped ones depend on, and for what they were skipped for."""
    campaign, unit = known[0], state.units[known]
    dependents = [state.units[campaign, key] for key in keys]
    if not unit.settled:
        read_set.below.update((campaign, one.key) for one in dependents if one.state in ("blocked", "skipped"))
    passed = [one for one in dependents if one.state == "skipped"]
    read_set.units.update((campaign, one.because_of) for one in passed if one.because_of is not None)
    if not is_unreachable(unit):
        read_set.lifted.update((campaign, one.key) for one in passed)


async def note(fetch: Fetch, state: State, units: Iterable[ids.UnitId]) -> None:
    """Load the fan-outs of *units* that there are."""
    missing = [known for known in units if known not in state.fanouts]
    if missing:
        found = [Fanout(**dict(row)) for row in await fetch(QUERIES.fanouts, *columns(missing))]
        state.fanouts |= {(row.campaign, row.unit): row for row in found}


async def around(fetch: Fetch, state: State) -> None:
    """Load the fan-outs of all units that are loaded, where there may be any."""
    open_fanouts = {campaign.name for campaign in state.campaigns.values() if campaign.open_fanouts}
    if open_fanouts:
        await note(fetch, state, [known for known in state.units if known[0] in open_fanouts])


async def pending_parents(fetch: Fetch, known: ids.UnitId) -> list[ids.UnitId]:
    """Return the dependencies of a unit of which it has yet to learn what became of them."""
    return [(known[0], row["unit"]) for row in await fetch(QUERIES.unreached, *known)]


def affordable(state: State, units: Iterable[ids.UnitId]) -> Iterator[ids.UnitId]:
    """Yield those of *units* all of whose dependents may be loaded, those with the fewest first."""
    left = MOST
    for known in sorted(units, key=lambda known: (state.units[known].dependents, known)):
        left -= state.units[known].dependents
        if left < 0 or state.units[known].dependents > ROUND:
            return
        yield known


async def save(connection: Connection, shard: int, state: State) -> None:
    """Write every touched fan-out, and take away those that are over."""
    touched = state.touched.fanouts
    if ended := [known for known in touched if known not in state.fanouts]:
        await connection.execute(QUERIES.end_fanouts, shard, *columns(ended))
    if status := [state.fanouts[known] for known in sorted(touched) if known in state.fanouts]:
        told = [(*msgspec.structs.astuple(row)[:5], rows.json_text(row.path), row.after) for row in status]
        await connection.execute(QUERIES.save_fanouts, shard, *columns(told))
