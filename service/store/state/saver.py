"""Saves the rows that a batch touched: each table at most once, in the transaction of the append."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

from service.domain import ids
from service.domain.state import State
from service.store.db.queries import load
from service.store.log.event_log import Connection, columns
from service.store.state import fanout, investigations, rows
from service.store.state.rows import document

QUERIES = load("save")
PORTION = 10_000
T = TypeVar("T")


async def save(connection: Connection, shard: int, state: State) -> None:
    """Write every touched row of *state*."""
    await add_units(connection, shard, state)
    await connection.execute(QUERIES.save, shard, *changes(state))
    await save_rest(connection, shard, state)
    await investigations.save(connection, shard, state)
    await fanout.save(connection, shard, state)


async def add_units(connection: Connection, shard: int, state: State) -> None:
    """Write new units with their edges."""
    for part in portions(state.touched.added):
        await connection.execute(QUERIES.add_units, shard, document(state.units[key] for key in part))
    for edges in portions(state.touched.edges):
        await connection.execute(QUERIES.add_edges, shard, *columns(edges))


def changes(state: State) -> tuple[list[ids.Token], *tuple[str, ...]]:
    """Return what `save` takes: ended tokens, then documents of claims, beaten claims, units, workers, campaigns, groups, engine.

    A claim that began and ended in the same batch has no row.
    """
    touched, claims = state.touched, state.claims
    new = set(touched.added)
    return (
        list(touched.unclaimed - touched.claimed),
        document(claims[token] for token in touched.claimed if token in claims),
        document(rows.lease_renewal(claims[token]) for token in touched.beaten - touched.claimed if token in claims),
        document(rows.unit_change(state.units[key]) for key in touched.units if key not in new),
        document(state.workers[worker] for worker in touched.workers),
        document(rows.with_counts(state.campaigns[name]) for name in touched.campaigns),
        document(state.groups[campaign][number] for campaign, number in touched.groups),
        document([state.engine] if touched.engine else []),
    )


def portions(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """Cut the units of a large import into portions that one statement saves in a fraction of its time-out."""
    return (items[start : start + PORTION] for start in range(0, len(items), PORTION))


async def save_rest(connection: Connection, shard: int, state: State) -> None:
    """Write what changes more rarely: imported fields of units, details of heartbeats, quotas."""
    touched, claims = state.touched, state.claims
    for part in portions(list(touched.payloads - set(touched.added))):
        await connection.execute(QUERIES.save_imports, shard, document(rows.import_change(state.units[key]) for key in part))
    if details := [rows.heartbeat_details(claims[token]) for token in touched.details - touched.claimed if token in claims]:
        await connection.execute(QUERIES.save_details, shard, document(details))
    for key in touched.quotas:
        await connection.execute(QUERIES.save_quota, shard, *rows.quota_columns(state.quotas[key]))
