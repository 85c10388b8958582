"""The planner finds rows by their keys from the first import on: no analysis of the tables has run yet."""

from collections.abc import Sequence

import asyncpg
import pytest
from msgspec import Raw

from service.domain.ids import CampaignName, Token, UnitKey
from service.domain.state import State
from service.domain.unit import Claim, Unit
from service.store.db.pool import BY_KEY
from service.store.state import saver
from service.store.state.loader import QUERIES as STATE
from service.store.state.saver import QUERIES as SAVE
from tests.sample import BIRTH, Sampler

UNITS = 5000
NIGHT = CampaignName("night")
KEYS = [UnitKey(f"u{n}") for n in range(1, 101)]


@pytest.fixture
async def imported(dsn: str) -> asyncpg.Connection:
    """A connection like the Writer's to a database that has just got its first units and claims."""
    planned = {"plan_cache_mode": "force_generic_plan", **BY_KEY, "role": "muster"}
    connection = await asyncpg.connect(dsn, server_settings=planned)
    await connection.execute(
        f"""
        INSERT INTO units (shard, campaign, key, state, grp, priority, seq, payload, kind, attempts, parks, claims, waits_for,
            dependents, settled, updated_at)
        SELECT 0, 'night', 'u' || n, 'ready', 99, 0, n, '{{}}', 'unit', 0, 0, 0, 0, 0, false, now()
        FROM generate_series(1, {UNITS}) AS n;
        INSERT INTO claims (shard, token, campaign, unit, worker, fence, attempt, mode, claimed_at, lease_s, lease_until, beat_at,
            idle_count)
        SELECT 0, 'u' || n, 'night', 'u' || n, 'w', n, 1, 'auto', now(), 300, now(), now(), 0
        FROM generate_series(1, {UNITS}) AS n;
        """
    )
    return connection


def changed() -> Sequence[object]:
    """Return what `save` takes for a batch that ended units and claims, and beat others."""
    state = State()
    state.units = {(NIGHT, key): Unit(NIGHT, key, "done", 99, 0, 1, Raw(b"{}"), BIRTH) for key in KEYS}
    state.claims = {Token(key): Sampler().struct(Claim, token=key) for key in KEYS}
    state.touched.units, state.touched.beaten, state.touched.unclaimed = set(state.units), set(state.claims), {Token("u200")}
    return saver.changes(state)


@pytest.mark.parametrize(
    ("query", "parameters", "index"),
    [
        (STATE.units, (["night"] * len(KEYS), KEYS), "units_pkey"),
        (SAVE.save, changed(), "units_pkey on units u"),
        (SAVE.save, changed(), "claims_pkey on claims c"),
        (STATE.claims, (KEYS,), "claims_pkey"),
        (SAVE.save, changed(), "claims_pkey on claims "),
        (STATE.held, (KEYS,), "units_pkey on units u"),
        (STATE.children, (["night"] * len(KEYS), KEYS), "dependencies_pkey"),
    ],
)
async def test_rows_are_found_by_key_before_any_analysis(
    imported: asyncpg.Connection, query: str, parameters: Sequence[object], index: str
) -> None:
    plan = "\n".join(row[0] for row in await imported.fetch(f"EXPLAIN {query}", 0, *parameters))
    await imported.close()
    assert f"using {index}" in plan, plan
    assert "Hash Join" not in plan, plan
