"""The planner finds rows by their keys from the first import on: no analysis of the tables has run yet."""

from collections.abc import Sequence

import asyncpg
import pytest
from msgspec import Raw

from service.domain.ids import CampaignName, UnitKey
from service.domain.unit import Unit
from service.store.loader import QUERIES as STATE
from service.store.pool import BY_KEY
from service.store.rows import Beaten, document
from tests.sample import BIRTH

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


@pytest.mark.parametrize(
    ("query", "parameters", "index"),
    [
        (STATE.units, (["night"] * len(KEYS), KEYS), "units_pkey"),
        (STATE.save_units, (document(Unit(NIGHT, key, "done", 99, 0, 1, Raw(b"{}"), BIRTH) for key in KEYS),), "units_pkey"),
        (STATE.save_claims, (document(Beaten(key, BIRTH, BIRTH, None, None, None, 0) for key in KEYS),), "claims_pkey"),
        (STATE.claims, (KEYS,), "claims_pkey"),
        (STATE.end_claims, (KEYS,), "claims_pkey"),
        (STATE.claims_of_units, (["night"] * len(KEYS), KEYS), "unit_has_one_claim"),
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
