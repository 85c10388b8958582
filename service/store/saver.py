"""The saving of what a batch touched: each table at most once, in the transaction of the append."""

from service.domain.state import State
from service.store import inquiry, rows
from service.store.loader import QUERIES
from service.store.log import Connection, columns


async def save(connection: Connection, shard: int, state: State) -> None:
    """Write every touched row of *state* as it is now."""
    await save_units(connection, shard, state)
    await save_claims(connection, shard, state)
    await save_campaigns(connection, shard, state)
    await save_rest(connection, shard, state)
    await inquiry.save(connection, shard, state)


async def save_units(connection: Connection, shard: int, state: State) -> None:
    """Write new units with their edges, then changed ones."""
    touched = state.touched
    new = set(touched.added)
    if new:
        await connection.execute(
            QUERIES.add_units, shard, *columns([rows.unit_columns(state.units[key]) for key in touched.added])
        )
    if touched.edges:
        await connection.execute(QUERIES.add_edges, shard, *columns(touched.edges))
    if changed := touched.units - new:
        changes = [rows.unit_changes(state.units[key]) for key in changed]
        await connection.execute(QUERIES.save_units, shard, *columns(changes))
    if planned := touched.payloads - new:
        plans = [rows.unit_plan(state.units[key]) for key in planned]
        await connection.execute(QUERIES.save_plans, shard, *columns(plans))


async def save_claims(connection: Connection, shard: int, state: State) -> None:
    """Write new claims, beaten ones and the end of others; one that came and went in the same batch was never there."""
    touched = state.touched
    if ended := touched.unclaimed - touched.claimed:
        await connection.execute(QUERIES.end_claims, shard, list(ended))
    if new := [token for token in touched.claimed if token in state.claims]:
        added = [rows.claim_columns(state.claims[token]) for token in new]
        await connection.execute(QUERIES.add_claims, shard, *columns(added))
    if beaten := [token for token in touched.beaten - touched.claimed if token in state.claims]:
        changes = [rows.claim_changes(state.claims[token]) for token in beaten]
        await connection.execute(QUERIES.save_claims, shard, *columns(changes))
    if told := [token for token in touched.told - touched.claimed if token in state.claims]:
        words = [rows.claim_words(state.claims[token]) for token in told]
        await connection.execute(QUERIES.save_words, shard, *columns(words))


async def save_campaigns(connection: Connection, shard: int, state: State) -> None:
    """Write campaigns and the counts of their groups."""
    touched = state.touched
    campaigns = [(shard, *rows.campaign_columns(state.campaigns[name])) for name in touched.campaigns]
    if len(campaigns) == 1:
        await connection.execute(QUERIES.save_campaigns, *campaigns[0])
    elif campaigns:
        await connection.executemany(QUERIES.save_campaigns, campaigns)
    if touched.groups:
        groups = [state.groups[campaign][number] for campaign, number in sorted(touched.groups)]
        counts = [(row.campaign, row.group, row.ready, row.held) for row in groups]
        await connection.execute(QUERIES.save_groups, shard, *columns(counts))


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
        workers = [rows.worker_columns(state.workers[worker]) for worker in touched.workers]
        await connection.execute(QUERIES.save_workers, shard, *columns(workers))
