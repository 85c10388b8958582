"""What traces are made of is found by key, however long the log is."""

import asyncpg

from projections.export.trace_batch import QUERIES
from projections.views.unit.trace import CLOSING, TRACED_KINDS
from tests.contract.test_schema import Drained, scanned

EVENTS, UNITS = 40_000, 2_000


async def test_a_page_of_traces_reads_only_what_its_units_lived(pool: asyncpg.Pool, owner: asyncpg.Connection) -> None:
    log = Drained(owner, pool)
    await log.fill()
    await owner.execute(
        """
        INSERT INTO events (shard, position, kind, schema, campaign, unit, recorded_at, actor, data)
        SELECT 0, n, (ARRAY['unit.claimed', 'unit.attempt_failed', 'unit.retry_scheduled', 'unit.retry_due'])[1 + n % 4], 1,
            'night', 'u' || n / 4 % $2::integer, now(), 'x', '{}'
        FROM generate_series(1, $1::integer) AS n
        """,
        EVENTS,
        UNITS,
    )
    await owner.execute("VACUUM (ANALYZE) events, units")
    after, upto, names = EVENTS - 1000, EVENTS, (["night"] * 250, [f"u{n}" for n in range(250)])
    moved = await log.plan(QUERIES.units, 0, after, upto, CLOSING)
    histories = await log.plan(QUERIES.histories, 0, *names, after, upto, TRACED_KINDS)
    origins = await log.plan(QUERIES.origins, 0, *names, 1000)
    for plan, pages in ((moved, 100), (histories, 10 * 250), (origins, 10 * 250)):
        assert "events_p000000" not in scanned(plan), plan["text"]
        assert plan["pages"] < pages, plan["text"]
