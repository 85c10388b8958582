"""The saving of what a batch touched: each table at most once, in the transaction of the append."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

from service.domain.state import State
from service.store import inquiry, rows, spread
from service.store.loader import QUERIES
from service.store.log import Connection, columns
from service.store.rows import document

PORTION = 10_000
T = TypeVar("T")


async def save(connection: Connection, shard: int, state: State) -> None:
    """Write every touched row of *state* as it is now."""
    await save_units(connection, shard, state)
    await save_claims(connection, shard, state)
    await save_campaigns(connection, shard, state)
    await save_rest(connection, shard, state)
    await inquiry.save(connection, shard, state)
    await spread.save(connection, shard, state)


async def save_units(connection: Connection, shard: int, state: State) -> None:
    """Write new units with their edges, then changed ones."""
    touched, units = state.touched, state.units
    new = set(touched.added)
    for part in portions(touched.added):
        await connection.execute(QUERIES.add_units, shard, document(units[key] for key in part))
    for edges in portions(touched.edges):
        await connection.execute(QUERIES.add_edges, shard, *columns(edges))
    if changed := touched.units - new:
        await connection.execute(QUERIES.save_units, shard, document(rows.moved(units[key]) for key in changed))
    for part in portions(list(touched.payloads - new)):
        await connection.execute(QUERIES.save_plans, shard, document(rows.planned(units[key]) for key in part))


def portions(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """Cut what a large import brings into what one statement takes in a fraction of its time-out."""
    return (items[start : start + PORTION] for start in range(0, len(items), PORTION))


async def save_claims(connection: Connection, shard: int, state: State) -> None:
    """Write new claims, beaten ones and the end of others; one that came and went in the same batch was never there."""
    touched, claims = state.touched, state.claims
    if ended := touched.unclaimed - touched.claimed:
        await connection.execute(QUERIES.end_claims, shard, list(ended))
    if new := [claims[token] for token in touched.claimed if token in claims]:
        await connection.execute(QUERIES.add_claims, shard, document(new))
    if beaten := [rows.beaten(claims[token]) for token in touched.beaten - touched.claimed if token in claims]:
        await connection.execute(QUERIES.save_claims, shard, document(beaten))
    if told := [rows.told(claims[token]) for token in touched.told - touched.claimed if token in claims]:
        await connection.execute(QUERIES.save_words, shard, document(told))


async def save_campaigns(connection: Connection, shard: int, state: State) -> None:
    """Write campaigns and the counts of their groups."""
    touched = state.touched
    campaigns = [(shard, *rows.campaign_columns(state.campaigns[name])) for name in touched.campaigns]
    if len(campaigns) == 1:
        await connection.execute(QUERIES.save_campaigns, *campaigns[0])
    elif campaigns:
        await connection.executemany(QUERIES.save_campaigns, campaigns)
    if touched.groups:
        groups = [state.groups[campaign][number] for campaign, number in touched.groups]
        await connection.execute(QUERIES.save_groups, shard, document(groups))


async def save_rest(connection: Connection, shard: int, state: State) -> None:
    """Write engine, quotas and workers."""
    touched = state.touched
    if touched.engine:
        row = state.engine
        engine = (row.pool_size, row.in_use, row.paused_at, row.paused_by, row.paused_reason)
        await connection.execute(QUERIES.save_engine, shard, *engine)
    for key in touched.quotas:
        await connection.execute(QUERIES.save_quota, shard, *rows.quota_columns(state.quotas[key]))
    if touched.workers:
        await connection.execute(QUERIES.save_workers, shard, document(state.workers[worker] for worker in touched.workers))
