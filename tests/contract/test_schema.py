"""The schema: queries that fit it, plans that stay flat, and rights that end where they should."""

import re
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import asyncpg
import msgspec
import pytest

from service.domain.state import State
from service.domain.unit import Claim, Unit
from service.store.db.queries import load
from service.store.log import event_log
from service.store.state import saver
from service.store.state.loader import QUERIES as STATE
from tests.sample import BIRTH, Sampler

ELSEWHERE = ("difference", "shadow")  # they speak of a second schema, which a rebuild makes
FILES = [
    (package, path.name.removesuffix(".sql"))
    for package in ("service.store", "projections")
    for path in sorted(files(package).joinpath("sql").iterdir(), key=str)
    if path.name.endswith(".sql") and path.name.removesuffix(".sql") not in ELSEWHERE
]
CLOCK = load("scheduler")
UNITS = 100_000


@pytest.mark.parametrize(("package", "file"), FILES)
async def test_every_named_query_fits_the_schema_and_the_rights_of_the_service(
    pool: asyncpg.Pool, package: str, file: str
) -> None:
    """PREPARE checks names and types, the plan checks rights."""
    async with pool.acquire() as connection:
        for name, text in load(file, package):
            if "\nSET " in text:
                continue
            try:
                await connection.execute(f"PREPARE {name} AS {text}")
                kinds = await connection.fetchval("SELECT parameter_types FROM pg_prepared_statements WHERE name = $1", name)
                values = f"({', '.join('NULL' for _ in kinds)})" if kinds else ""
                await connection.execute(f"EXPLAIN EXECUTE {name}{values}")
            except asyncpg.PostgresError as error:
                raise AssertionError(f"{file}.{name}: {error}") from error


class Drained:
    """A campaign of 100,000 units of which a share is done, with statistics."""

    def __init__(self, owner: asyncpg.Connection, pool: asyncpg.Pool) -> None:
        self.owner = owner
        self.pool = pool

    async def fill(self) -> None:
        """Make the units, some resting and some parked; half a thousand are held."""
        await self.owner.execute(
            """
            INSERT INTO units (shard, campaign, key, state, grp, priority, seq, payload, kind, attempts, parks, claims, waits_for,
                dependents, settled, updated_at, due_at, resume_at)
            SELECT 0, 'night', 'u' || n, CASE WHEN n % 1000 = 1 THEN 'delayed' WHEN n % 1000 = 2 THEN 'parked' ELSE 'ready' END,
                99, 0, n, '{}', 'unit', 0, 0, 0, 0, 0, false, now(), now() + n * interval '1 s', now() + n * interval '1 s'
            FROM generate_series(1, $1::integer) AS n
            """,
            UNITS,
        )
        await self.owner.execute(
            """
            INSERT INTO claims (shard, token, campaign, unit, worker, fence, attempt, mode, claimed_at, lease_s, lease_until,
                beat_at, idle_count)
            SELECT 0, 't' || n, 'night', 'u' || n, 'w', n, 1, 'auto', now(), 300, now(), now(), 0
            FROM generate_series(1, 5000) AS n
            """
        )

    async def drain(self, share: float) -> None:
        """End that share of the units, in the order in which they are claimed, and do what autovacuum does at two per cent."""
        done = int(UNITS * share)
        await self.owner.execute("UPDATE units SET state = 'done' WHERE seq <= $1::integer AND state = 'ready'", done)
        await self.owner.execute("VACUUM (ANALYZE) units, claims")

    async def plan(self, query: str, *parameters: object) -> dict[str, Any]:
        """Return how the service's role runs *query*: nodes by name, rows and pages touched."""
        async with self.pool.acquire() as connection, connection.transaction():
            text = await connection.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {query}", *parameters)
        root = msgspec.json.decode(text)[0]["Plan"]
        return {"text": str(text), "pages": root["Shared Hit Blocks"] + root["Shared Read Blocks"], "nodes": list(nodes(root))}


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield every node of a plan."""
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)


@pytest.fixture
async def drained(owner: asyncpg.Connection, pool: asyncpg.Pool) -> Drained:
    """100,000 units."""
    drained = Drained(owner, pool)
    await drained.fill()
    return drained


def used(plan: dict[str, Any]) -> set[str]:
    """Return the indexes of a plan."""
    return {node["Index Name"] for node in plan["nodes"] if "Index Name" in node}


def scanned(plan: dict[str, Any]) -> set[str]:
    """Return the tables that a plan reads as a whole."""
    return {node["Relation Name"] for node in plan["nodes"] if node["Node Type"] == "Seq Scan"}


async def test_hot_queries_touch_as_little_of_a_drained_campaign_as_of_a_fresh_one(drained: Drained) -> None:
    """Claim plans after ANALYZE at 10 % and at 90 % drained: same index, few pages."""
    pages = []
    for share in (0.1, 0.9):
        await drained.drain(share)
        plan = await drained.plan(STATE.candidates, 0, ["night"], [10])
        assert used(plan) == {"units_in_claim_order"}, plan["text"]
        assert not scanned(plan)
        pages.append(plan["pages"])
        one = await drained.plan(STATE.units, 0, ["night"] * 3, ["u7", "u70000", "u99999"])
        assert used(one) == {"units_pkey"}, one["text"]
        token = await drained.plan(STATE.claims, 0, ["t1", "t4000"])
        assert used(token) == {"claims_pkey"}, token["text"]
        for query, index in ((CLOCK.due_retries, "units_resting"), (CLOCK.due_parked, "units_parked")):
            due = await drained.plan(query, 0, BIRTH, 1000)
            assert used(due) == {index}, due["text"]
            assert due["pages"] < 10
        opened = await drained.plan(STATE.open_units, 0, "night", 100)
        assert not scanned(opened), opened["text"]
    assert max(pages) < 40, pages


async def test_saving_many_units_goes_by_their_key(drained: Drained) -> None:
    """A batch of changes never reads the table as a whole."""
    await drained.drain(0.5)
    sampler = Sampler()
    units = [sampler.struct(Unit, campaign="night", key=f"u{n}", state="done") for n in range(1, 201)]
    state = State()
    state.units = {(unit.campaign, unit.key): unit for unit in units}
    state.touched.units = set(state.units)
    plan = await drained.plan(saver.QUERIES.save, 0, *saver.changes(state))
    assert "units_pkey" in used(plan), plan["text"]
    assert not scanned(plan)


async def test_the_log_head_reads_one_row_of_each_partition(pool: asyncpg.Pool, owner: asyncpg.Connection) -> None:
    """Two steps on the primary keys, whatever the length of the log."""
    for table, more, values in (("events", "kind, schema, data", "'engine.paused', 1, '{}'"), ("heartbeats", "alive", "true")):
        await owner.execute(
            f"INSERT INTO {table} (shard, position, recorded_at, actor, {more})"
            f" SELECT 0, n, now(), 'x', {values} FROM generate_series(1, 20000) AS n"
        )
    await owner.execute("ANALYZE events, heartbeats")
    plan = await Drained(owner, pool).plan(event_log.QUERIES.moment, 0)
    assert plan["pages"] < 30, plan["text"]
    assert not scanned(plan) - {"engine"}, plan["text"]


async def test_a_heartbeat_rewrites_its_claim_on_the_page_and_a_claim_its_campaign(
    pool: asyncpg.Pool, owner: asyncpg.Connection
) -> None:
    """No index and no condition of one stands on what a heartbeat, or a count, changes: HOT."""
    changing = {
        "claims": "lease_until beat_at moved_at output_at progress note session idle_count screen_id",
        "campaigns": "blocked ready delayed parked running done last_claim consecutive failures",
        "workers": "beat_at level held alive",
        "groups": "ready held",
        "engine": "in_use",
    }
    for table, columns in changing.items():
        definitions = await owner.fetch("SELECT indexdef FROM pg_indexes WHERE tablename = $1", table)
        words = {word for row in definitions for word in re.findall(r"\w+", row["indexdef"].partition(" USING ")[2])}
        assert not words & set(columns.split()), table
    await owner.execute(
        """
        INSERT INTO claims (shard, token, campaign, unit, worker, fence, attempt, mode, claimed_at, lease_s, lease_until, beat_at,
            idle_count)
        SELECT 0, 't' || n, 'c', 'u' || n, 'w', n, 1, 'auto', now(), 300, now(), now(), 0
        FROM generate_series(1, 50) AS n
        """
    )
    sampler = Sampler()
    nothing = {"moved_at": None, "output_at": None, "progress": None}
    claims = [sampler.struct(Claim, token=f"t{n}", **nothing) for n in range(1, 51)]
    state = State()
    state.claims = {claim.token: claim for claim in claims}
    state.touched.beaten = set(state.claims)
    async with pool.acquire() as connection:
        await saver.save(connection, 0, state)
        await connection.execute("SELECT pg_stat_force_next_flush()")
    updated = await owner.fetch("SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'claims'")
    assert [tuple(row) for row in updated] == [(50, 50)]


FACT = "(shard, position, kind, schema, recorded_at, actor, data) VALUES (0, 1, 'engine.paused', 1, now(), 'x', '{}')"
BEAT = "(shard, position, recorded_at, actor) VALUES (0, 2, now(), 'x')"


@pytest.fixture
async def written(pool: asyncpg.Pool) -> None:
    """A log with a fact and a heartbeat."""
    await pool.execute(f"INSERT INTO events {FACT}")
    await pool.execute(f"INSERT INTO heartbeats {BEAT}")


PARENTS = ("events", "heartbeats")
PARTS = tuple(f"{parent}_p00000{number}" for parent in PARENTS for number in (0, 3))


async def refused(connection: asyncpg.Connection | asyncpg.Pool, order: str, words: str = ".") -> None:
    """Fail unless *order* is refused, in these words."""
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match=words):
        await connection.execute(order)


@pytest.mark.usefixtures("written")
async def test_the_service_role_can_only_append_to_the_log(pool: asyncpg.Pool) -> None:
    """A12."""
    for table in (*PARENTS, *PARTS):
        for order in ("UPDATE {} SET actor = 'me'", "DELETE FROM {}", "TRUNCATE {}", "DROP TABLE {}"):
            await refused(pool, order.format(table))
    for order in (f"INSERT INTO events_p000000 {FACT}", f"INSERT INTO heartbeats_p000000 {BEAT}"):
        await refused(pool, order, "permission denied")
    assert await pool.fetchval("SELECT count(*) FROM events") == 1


@pytest.mark.usefixtures("written")
async def test_even_the_owner_is_refused_a_change_of_the_log(owner: asyncpg.Connection) -> None:
    """A12: the triggers stand behind the rights."""
    for table in (*PARENTS, *PARTS[::2]):
        await refused(owner, f"UPDATE {table} SET actor = 'me'", "the log is append-only")
        await refused(owner, f"DELETE FROM {table}", "the log is append-only")
    for table in (*PARENTS, *PARTS):
        await refused(owner, f"TRUNCATE {table}", "the log is append-only")


async def test_the_services_role_owns_nothing_and_may_not_become_more(pool: asyncpg.Pool) -> None:
    """A12."""
    owned = await pool.fetchval(
        "SELECT count(*) FROM pg_class AS c JOIN pg_roles AS r ON r.oid = c.relowner WHERE r.rolname = 'muster_service'"
    )
    assert owned == 0
    rights = await pool.fetch(
        "SELECT rolsuper, rolcreaterole, rolcreatedb, rolbypassrls, rolcanlogin FROM pg_roles WHERE rolname = 'muster_service'"
    )
    assert [any(row) for row in rights] == [False]
    assert await pool.fetchval("SELECT current_user") == "muster_service"
