"""The migrations: up, down and up again without a loss, and the versions that a start knows."""

import asyncio
from importlib.resources import files
from typing import Any

import asyncpg
from alembic.script import ScriptDirectory

from service.store.db.migration import migrate
from service.store.db.schema import head, known_versions
from tests.downgrade import downgrade


def test_migrations_go_up_down_and_up_again(empty_dsn: str) -> None:
    """Nothing is left behind, and nothing is missing afterwards."""
    migrate(empty_dsn)
    first = asyncio.run(shape(empty_dsn))
    downgrade(empty_dsn)
    assert asyncio.run(shape(empty_dsn)) == ["column alembic_version.version_num"]
    migrate(empty_dsn)
    assert asyncio.run(shape(empty_dsn)) == first
    assert len(first) > 100


def test_the_rename_to_fanouts_loses_no_row_in_either_direction(empty_dsn: str) -> None:
    """A database from before keeps its fan-outs under way, the count of each campaign, and the series of their events."""
    migrate(empty_dsn, "0010")
    asyncio.run(executed(empty_dsn, BEFORE_FANOUTS))
    migrate(empty_dsn)
    assert asyncio.run(fetched(empty_dsn, AFTER_FANOUTS)) == [("fanouts", 1, "root", "k", "unit.fanout", 7)]
    assert asyncio.run(fetched(empty_dsn, NAMED_SPREAD)) == []
    downgrade(empty_dsn, "0010")
    assert asyncio.run(fetched(empty_dsn, AS_BEFORE_FANOUTS)) == [("spreads", 1, "root", "k", "unit.spread", 7)]
    migrate(empty_dsn)
    assert asyncio.run(fetched(empty_dsn, AFTER_FANOUTS)) == [("fanouts", 1, "root", "k", "unit.fanout", 7)]


BEFORE_FANOUTS = """
INSERT INTO campaigns (shard, name, title, policy, labels, auto, brief_rev, version, created_at, consecutive, failures,
    last_claim, blocked, ready, delayed, parked, running, done, quarantined, skipped, cancelled, spreading)
VALUES (0, 'night', 'Night', '{}', '{}', true, 1, 1, now(), 0, '{}', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
INSERT INTO spreads (shard, campaign, unit, position, begun_at, counted, path, after)
VALUES (0, 'night', 'root', 9, now(), true, '{root}', 'k');
INSERT INTO series (shard, generation, family, labels, value, sum_us, buckets, created_at, position)
VALUES (0, 1, 'muster_events_total', '{unit.spread}', 7, 0, '{}', now(), 9);
"""
AFTER_FANOUTS = """
SELECT f.tableoid::regclass::text, c.open_fanouts, f.unit, f.after, s.labels[1], s.value
FROM fanouts AS f
JOIN campaigns AS c ON c.name = f.campaign
JOIN series AS s ON s.family = 'muster_events_total'
"""
AS_BEFORE_FANOUTS = AFTER_FANOUTS.replace("open_fanouts", "spreading").replace("fanouts", "spreads")
NAMED_SPREAD = """
SELECT conname FROM pg_constraint WHERE conname ~ 'spread'
UNION ALL SELECT relname FROM pg_class WHERE relname ~ 'spread'
UNION ALL SELECT attname FROM pg_attribute WHERE attname ~ 'spread'
"""


async def executed(dsn: str, statements: str) -> None:
    """Execute *statements* as the owner."""
    connection = await asyncpg.connect(dsn)
    await connection.execute(statements)
    await connection.close()


async def fetched(dsn: str, query: str) -> list[tuple[Any, ...]]:
    """Return the rows of *query* as the owner sees them."""
    connection = await asyncpg.connect(dsn)
    rows = await connection.fetch(query)
    await connection.close()
    return [tuple(row) for row in rows]


def test_the_versions_that_a_start_knows_are_those_that_alembic_does() -> None:
    """A service reads them from the names of the files, and does not load Alembic."""
    scripts = list(ScriptDirectory(str(files("migrations"))).walk_revisions())
    assert {script.revision for script in scripts} == known_versions()
    assert [script.revision for script in scripts if script.is_head] == [head()]


async def shape(dsn: str) -> list[str]:
    """Return everything that a schema holds, by name."""
    rows = await fetched(
        dsn,
        """
        SELECT 'column ' || table_name || '.' || column_name FROM information_schema.columns WHERE table_schema = 'public'
        UNION ALL SELECT 'function ' || proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
        UNION ALL SELECT 'index ' || indexname FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'
        ORDER BY 1
        """,
    )
    return [row[0] for row in rows]
