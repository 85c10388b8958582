"""The loading and saving of fan-outs, with the dependents that a round reaches."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable

import msgspec
from asyncpg import Record

from service.domain import ids
from service.domain.fanout import Fanout, FanoutRound
from service.domain.state import State
from service.store.db.queries import load
from service.store.log.event_log import Connection, columns
from service.store.state import rows

QUERIES = load("fanout")
ROUND = 1000
"""How many dependents one batch tells of the end of a unit; a unit that has more tells all of them in rounds."""
MOST_DEPENDENTS = 10 * ROUND
"""The most dependents of ended units that are loaded for one batch."""

Fetch = Callable[..., Awaitable[list[Record]]]


async def load_fanouts(fetch: Fetch, state: State, units: Iterable[ids.UnitId]) -> None:
    """Load the fan-outs of *units* that there are."""
    missing = [known for known in units if known not in state.fanouts]
    if missing:
        found = [Fanout(**dict(row)) for row in await fetch(QUERIES.fanouts, *columns(missing))]
        state.fanouts |= {(row.campaign, row.unit): row for row in found}


async def load_rounds(fetch: Fetch, state: State, units: Iterable[ids.UnitId]) -> None:
    """Load the dependents that the next round of the fan-out of each of *units* reaches."""
    begun = [known for known in dict.fromkeys(units) if known in state.fanouts]
    if not begun:
        return
    reached: dict[ids.UnitId, list[ids.UnitKey]] = defaultdict(list)
    for parent, *fields in await fetch(QUERIES.next_dependents, *columns(begun), ROUND):
        unit = rows.unit(fields)
        state.units.setdefault((unit.campaign, unit.key), unit)
        reached[unit.campaign, parent].append(unit.key)
    for known in begun:
        row, keys = state.fanouts[known], tuple(reached[known])
        state.fanout_rounds[known] = FanoutRound(row.position, row.after, keys, last=len(keys) < ROUND)


async def load_around(fetch: Fetch, state: State) -> None:
    """Load the fan-outs of all units that are loaded, where there may be any."""
    names = {campaign.name for campaign in state.campaigns.values() if campaign.open_fanouts}
    if names:
        await load_fanouts(fetch, state, [known for known in state.units if known[0] in names])


async def pending_parents(fetch: Fetch, known: ids.UnitId) -> list[ids.UnitId]:
    """Return the dependencies of a unit whose fan-out has yet to reach it."""
    return [(known[0], row["unit"]) for row in await fetch(QUERIES.unreached, *known)]


def loadable(state: State, units: Iterable[ids.UnitId]) -> list[ids.UnitId]:
    """Return those of *units* that have dependents all of which may be loaded, those with the fewest first."""
    waited_for = [known for known in units if known in state.units and state.units[known].dependents]
    chosen: list[ids.UnitId] = []
    left = MOST_DEPENDENTS
    for known in sorted(waited_for, key=lambda known: (state.units[known].dependents, known)):
        left -= state.units[known].dependents
        if left < 0 or state.units[known].dependents > ROUND:
            break
        chosen.append(known)
    return chosen


async def save(connection: Connection, shard: int, state: State) -> None:
    """Write every touched fan-out, and take away those that are over."""
    touched = state.touched.fanouts
    if ended := [known for known in touched if known not in state.fanouts]:
        await connection.execute(QUERIES.end_fanouts, shard, *columns(ended))
    if status := [state.fanouts[known] for known in sorted(touched) if known in state.fanouts]:
        changed = [(*msgspec.structs.astuple(row)[:5], rows.json_text(row.path), row.after) for row in status]
        await connection.execute(QUERIES.save_fanouts, shard, *columns(changed))
