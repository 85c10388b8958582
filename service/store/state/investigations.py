"""The loading and saving of investigations and recoveries."""

from collections.abc import Awaitable, Callable, Collection, Iterable
from typing import Any

import msgspec
from asyncpg import Record

from service.domain import ids
from service.domain.decide.investigation import investigation_counts
from service.domain.decide.recovery import campaigns_in_question
from service.domain.investigation import Investigation
from service.domain.read_set import ReadSet
from service.domain.recovery import Recovery
from service.domain.state import State
from service.store.db.queries import load
from service.store.log.event_log import QUERIES as LOG
from service.store.log.event_log import Connection, columns
from service.store.state.row_loader import RowLoader

QUERIES = load("investigations")

Fetch = Callable[..., Awaitable[list[Record]]]


def investigation(row: Record) -> Investigation:
    """Return a row of `investigations`."""
    return Investigation(**dict(row))


def recovery(row: Record) -> Recovery:
    """Return a row of `recoveries`."""
    return Recovery(**dict(row))


async def load_named(fetch: Fetch, state: State, read_set: ReadSet) -> None:
    """Load the investigations and plans that commands name, the last plan of abandoned campaigns, open ones in question."""
    if read_set.investigations:
        take_investigations(state, await fetch(QUERIES.investigations, list(read_set.investigations)))
    if plans := (*read_set.recoveries, *read_set.declined_recoveries):
        take_plans(state, await fetch(QUERIES.recoveries, list(plans)))
    if read_set.abandoned_campaigns:
        take_plans(state, await fetch(QUERIES.last_recoveries, list(read_set.abandoned_campaigns)))
    if names := campaigns_in_question(read_set, state):
        take_plans(state, await fetch(QUERIES.open_recoveries, list(names)))


def take_plans(state: State, found: Iterable[Record]) -> None:
    """Take plans into *state*, but those that are there already."""
    for row in found:
        state.recoveries.setdefault(row["id"], recovery(row))


def take_investigations(state: State, found: Iterable[Record]) -> None:
    """Take investigations into *state*, but those that are there already."""
    for row in found:
        state.investigations.setdefault(row["id"], investigation(row))


async def load_candidates(loader: RowLoader, read_set: ReadSet) -> None:
    """Load the next investigations of each campaign, the most that the claims of this batch can get, with their screens."""
    fetch, state, requests = loader.fetch, loader.state, read_set.claim_requests
    if any(request.kind == "investigation" and not request.campaigns for request in requests):
        await loader.campaigns([row["name"] for row in await fetch(QUERIES.investigating)])
        await loader.quotas()
    counts = investigation_counts(state, requests, loader.at)
    if not counts:
        return
    take_investigations(state, await fetch(QUERIES.next_investigations, list(counts), list(counts.values())))
    waiting = (row for row in state.investigations.values() if row.state == "requested")
    screens = {row.screen_id for row in waiting if row.screen_id is not None}
    if screens:
        state.screens |= {row["screen_id"]: row["text"] for row in await fetch(LOG.screens, list(screens))}


async def load_open(fetch: Fetch, state: State, units: Collection[ids.UnitId]) -> None:
    """Load the open investigation of each of *units*."""
    if units:
        take_investigations(state, await fetch(QUERIES.open_investigations, *columns(list(units))))


async def save(connection: Connection, shard: int, state: State) -> None:
    """Write every touched investigation and plan."""
    touched = state.touched
    if touched.investigations:
        ordered = [msgspec.structs.astuple(state.investigations[known]) for known in sorted(touched.investigations)]
        await connection.execute(QUERIES.save_investigations, shard, *columns(ordered))
    for known in sorted(touched.recoveries):
        row: tuple[Any, ...] = msgspec.structs.astuple(state.recoveries[known])
        await connection.execute(QUERIES.save_recovery, shard, *row)
