"""The state folded again from the log: rows are in memory while needed, else in the second set of tables."""

from collections.abc import Iterable, Sequence
from itertools import chain, islice
from typing import Any

import asyncpg
from msgspec.structs import astuple

from projections.rebuild import shadow
from projections.rebuild.shadow import SCHEMA, SHADOW
from service.domain import events as e
from service.domain import ids
from service.domain.evolve import evolve
from service.domain.state import State, TouchedRows
from service.store.log.event_log import columns
from service.store.state import rows, saver
from service.store.state.loader import QUERIES

MAX_UNITS = 500_000
NEVER_SETTLING = (e.UnitClaimed, e.UnitHeartbeat)


class StateReplay:
    """The state of one shard, folded from nothing up to a position.

    At first in bulk: a unit is either in memory or in the table, and rows are written by COPY. After `finish` has written
    everything and built the indexes, each page is saved as the Writer does it.
    """

    def __init__(self, connection: asyncpg.Connection, shard: int, max_units: int = MAX_UNITS) -> None:
        self.state = State()
        self.position = 0
        self._connection = connection
        self._shard = shard
        self._max_units = max_units
        self._stored = False
        self._finished = False

    async def take(self, events: Sequence[e.Recorded]) -> None:
        """Fold a page."""
        if self._stored:
            await self._fetch(units_to_load(self.state, events))
        self.state.touched = TouchedRows()
        self.state.ended_claims.clear()
        self.state.endings.clear()
        for event in events:
            evolve(self.state, event)
        self.position = events[-1].position
        if self._finished:
            await saver.save(self._connection, self._shard, self.state)
            return
        if self.state.touched.edges:
            await self._copy("dependencies", self.state.touched.edges)
        if len(self.state.units) > self._max_units:
            await self._evict()

    async def finish(self) -> None:
        """Write everything that is in memory, and give the tables the indexes of the live ones."""
        state = self.state
        await self._copy("units", map(rows.unit_columns, state.units.values()))
        await self._copy("claims", map(rows.claim_columns, state.claims.values()))
        await self._copy("campaigns", map(rows.campaign_columns, state.campaigns.values()), rows.CAMPAIGN_COLUMNS)
        await self._copy("workers", map(rows.worker_columns, state.workers.values()))
        await self._copy("quotas", map(rows.quota_columns, state.quotas.values()))
        groups = chain.from_iterable(groups.values() for groups in state.groups.values())
        await self._copy("groups", ((row.campaign, row.group, row.ready, row.held) for row in groups))
        await self._copy("investigations", map(astuple, state.investigations.values()))
        await self._copy("recoveries", map(astuple, state.recoveries.values()))
        await self._copy("fanouts", map(astuple, state.fanouts.values()))
        engine = state.engine
        await self._copy("engine", [(engine.pool_size, engine.in_use, engine.paused_at, engine.paused_by, engine.paused_reason)])
        await shadow.finish_tables(self._connection)
        await self._connection.execute(SHADOW.path)
        self._finished = self._stored = True

    async def _copy(self, table: str, records: Iterable[Sequence[Any]], columns: Sequence[str] = ()) -> None:
        """Append rows to a table of the second set; without *columns*, a record has all columns in the order of the table."""
        await self._connection.copy_records_to_table(
            table,
            schema_name=SCHEMA,
            columns=("shard", *columns) if columns else None,
            records=((self._shard, *record) for record in records),
        )

    async def _evict(self) -> None:
        """Move half of the units from memory to the table, final ones first: they rarely change."""
        units = self.state.units
        final = (key for key, unit in units.items() if unit.state in ids.FINAL_STATES)
        waiting = (key for key, unit in units.items() if unit.state not in ids.FINAL_STATES)
        leaving = list(islice(chain(final, waiting), self._max_units // 2))
        await self._copy("units", [rows.unit_columns(units[key]) for key in leaving])
        for key in leaving:
            del units[key]
        if not self._stored:
            await shadow.constrain_units(self._connection)
        self._stored = True

    async def _fetch(self, keys: set[ids.UnitId]) -> None:
        """Load units into memory; before `finish`, they leave the table."""
        missing = [key for key in keys if key not in self.state.units]
        if not missing:
            return
        query = QUERIES.units if self._finished else SHADOW.take_units
        for row in await self._connection.fetch(query, self._shard, *columns(missing)):
            unit = rows.unit(row)
            self.state.units[unit.campaign, unit.key] = unit


def units_to_load(state: State, events: Iterable[e.Recorded]) -> set[ids.UnitId]:
    """Return the units that the fold of *events* reads: those they name, and the dependents of one that may be settled."""
    keys: set[ids.UnitId] = set()
    for event in events:
        campaign, body = event.campaign, event.body
        if campaign is None:
            continue
        if isinstance(body, e.UnitsAdded):
            keys.update((campaign, parent) for unit in body.units for parent in unit.depends_on)
        elif isinstance(body, e.UnitsUpdated):
            keys.update((campaign, patch.key) for patch in body.units)
        elif event.unit is not None:
            keys.add((campaign, event.unit))
            if isinstance(body, e.UnitFanout):
                keys.update((campaign, child) for child in body.dependents)
            elif not isinstance(body, NEVER_SETTLING) and not e.begins_rounds(body):
                keys.update((campaign, child) for child in state.children.get((campaign, event.unit), ()))
    return keys
