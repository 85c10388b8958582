"""The state's rows: what the saver writes, the loader reads, field by field; columns stand where SQL expects them."""

from collections.abc import Callable
from typing import Any

import asyncpg

from service.domain.campaign import Campaign, Counts, GroupCounts
from service.domain.engine import Engine
from service.domain.quota import Quota
from service.domain.state import State
from service.domain.unit import Claim, Unit
from service.domain.worker import Worker
from service.store.log import event_log
from service.store.state import rows, saver
from service.store.state.loader import QUERIES
from tests.refold import plain
from tests.sample import Sampler


def sampled(sampler: Sampler) -> State:
    """Return a state with one row of each kind, every field another value."""
    state = State(sampler.struct(Engine))
    campaign = sampler.struct(Campaign, counts=sampler.struct(Counts))
    unit = sampler.struct(Unit, campaign=campaign.name)
    claim = sampler.struct(Claim, campaign=campaign.name, unit=unit.key)
    worker, quota = sampler.struct(Worker), sampler.struct(Quota)
    state.campaigns[campaign.name] = campaign
    state.units[unit.campaign, unit.key] = unit
    state.claims[claim.token] = claim
    state.workers[worker.worker] = worker
    state.quotas[quota.key] = quota
    state.groups[campaign.name][7] = GroupCounts(campaign.name, 7, sampler.value(int), sampler.value(int))
    state.touched.engine = True
    state.touched.campaigns.add(campaign.name)
    state.touched.groups.add((campaign.name, 7))
    state.touched.workers.add(worker.worker)
    state.touched.quotas.add(quota.key)
    return state


async def stored(connection: event_log.Connection, state: State) -> list[object]:
    """Return the rows of *state* as the store's own queries give them back."""
    [campaign], [unit], [claim] = list(state.campaigns), list(state.units), list(state.claims)
    asked: list[tuple[Callable[[Any], object], str, list[object]]] = [
        (rows.engine, event_log.QUERIES.moment, []),
        (rows.campaign, QUERIES.campaigns, [[campaign]]),
        (rows.unit, QUERIES.units, [[unit[0]], [unit[1]]]),
        (rows.claim, QUERIES.claims, [[claim]]),
        (rows.worker, QUERIES.workers, [list(state.workers)]),
        (rows.quota, QUERIES.quotas, [list(state.quotas)]),
        (lambda row: rows.groups(row)[7], QUERIES.campaigns, [[campaign]]),
    ]
    found = [reading(row) for reading, query, keys in asked for row in await connection.fetch(query, 0, *keys)]
    return [said(row) for row in found]


def kept(state: State) -> list[object]:
    """Return the rows of *state*."""
    held = (state.campaigns, state.units, state.claims, state.workers, state.quotas, state.groups[next(iter(state.campaigns))])
    return [said(row) for row in (state.engine, *(row for table in held for row in table.values()))]


def said(row: Any) -> dict[str, object]:  # noqa: ANN401 - any row
    """Return what *row* says, field by field."""
    return {field: plain(getattr(row, field)) for field in row.__struct_fields__}


async def test_a_new_row_of_every_table_comes_back_with_every_field_in_its_place(pool: asyncpg.Pool) -> None:
    """A5: names and order of columns agree between Python and SQL."""
    state = sampled(Sampler())
    state.touched.added += state.units
    state.touched.claimed |= set(state.claims)
    async with pool.acquire() as connection:
        await saver.save(connection, 0, state)
        assert await stored(connection, state) == kept(state)


async def test_a_changed_row_of_every_table_comes_back_with_every_change(pool: asyncpg.Pool) -> None:
    """A5: what a decision may change is what is saved; the rest stays as it was."""
    sampler = Sampler()
    state = sampled(sampler)
    state.touched.added += state.units
    state.touched.claimed |= set(state.claims)
    async with pool.acquire() as connection:
        await saver.save(connection, 0, state)
        changed = sampled(sampler)
        move(state, changed)
        await saver.save(connection, 0, changed)
        assert await stored(connection, changed) == kept(changed)


def move(old: State, new: State) -> None:
    """Give the rows of *new* the names of the *old* ones, and what no decision changes."""
    [campaign], [was] = new.campaigns.values(), old.campaigns.values()
    campaign.name, campaign.created_at = was.name, was.created_at
    new.campaigns = {campaign.name: campaign}
    new.groups.clear()
    new.groups[campaign.name][7] = GroupCounts(campaign.name, 7, 70, 71)
    [unit], [before] = new.units.values(), old.units.values()
    for field in ("campaign", "key", "seq", "kind", "fix_of"):
        setattr(unit, field, getattr(before, field))
    new.units = {(unit.campaign, unit.key): unit}
    [claim], [held] = new.claims.values(), old.claims.values()
    for field in ("token", "campaign", "unit", "worker", "fence", "attempt", "mode", "claimed_at", "lease_s"):
        setattr(claim, field, getattr(held, field))
    new.claims = {claim.token: claim}
    [worker], [quota] = new.workers.values(), new.quotas.values()
    worker.worker, quota.key = next(iter(old.workers)), next(iter(old.quotas))
    new.workers, new.quotas = {worker.worker: worker}, {quota.key: quota}
    touched = new.touched
    touched.campaigns, touched.groups = {campaign.name}, {(campaign.name, 7)}
    touched.units, touched.payloads = set(new.units), set(new.units)
    touched.beaten, touched.details = set(new.claims), set(new.claims)
    touched.workers, touched.quotas = {worker.worker}, {quota.key}


async def test_a_claim_that_ends_is_gone_and_one_that_came_and_went_was_never_there(pool: asyncpg.Pool) -> None:
    """The claims table stays small."""
    state = sampled(Sampler())
    state.touched.claimed |= set(state.claims)
    async with pool.acquire() as connection:
        await saver.save(connection, 0, state)
        assert await connection.fetchval("SELECT count(*) FROM claims") == 1
        state.touched.claimed.clear()
        state.touched.unclaimed |= set(state.claims)
        state.claims.clear()
        await saver.save(connection, 0, state)
        assert await connection.fetchval("SELECT count(*) FROM claims") == 0
