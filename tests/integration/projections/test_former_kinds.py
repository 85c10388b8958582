"""A log from before a kind of event got its name of today: every reader shows it under that name, and counts it there."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from ops.prove.formula import Total
from ops.prove.tables import counted
from projections.cockpit import queries
from projections.http.reads import events as log_events
from projections.rebuild import check
from projections.verify import verify
from service.domain import commands as c
from service.domain import events as e
from service.domain import ids
from service.settings import Settings
from service.store.log import event_log
from service.store.log.codec import FORMER_KINDS, stored_kinds
from tests.fleet import NIGHTLY, Fleet, fleet, rebuilt

ROOT = ids.UnitKey("root")
ROUNDS = 3


@pytest.fixture
async def here(settings: Settings, pool: asyncpg.Pool, owner: asyncpg.Connection) -> AsyncIterator[Fleet]:
    """A service whose log holds three rounds of a fan-out: two under the former kind, one under that of today."""
    async with fleet(settings, pool) as running:
        await running.begin(ROOT, policy={"concurrency": 5})
        for start in range(0, 2_100, 1_000):
            keys = [ids.UnitKey(f"u{number:04}") for number in range(start, min(start + 1_000, 2_100))]
            await running.order(c.AddUnits(campaign=NIGHTLY, units=tuple(c.UnitSpec(key, depends_on=(ROOT,)) for key in keys)))
        [claim] = await running.claim()
        await running.order(c.CompleteUnit(token=claim.token))
        for _ in range(ROUNDS):
            await running.order(c.FanOutUnits(units=((NIGHTLY, ROOT),)))
        await running.projector.at_least(running.position)
        await owner.execute("SET session_replication_role = replica")
        await owner.execute(
            """
            UPDATE events SET kind = 'unit.spread'
            WHERE kind = 'unit.fanout' AND position < (SELECT max(position) FROM events WHERE kind = 'unit.fanout')
            """
        )
        await owner.execute("SET session_replication_role = origin")
        stored = await owner.fetch("SELECT kind FROM events WHERE kind IN ('unit.spread', 'unit.fanout') ORDER BY position")
        assert [row["kind"] for row in stored] == ["unit.spread", "unit.spread", "unit.fanout"]
        yield running


def test_a_former_kind_maps_to_a_current_kind() -> None:
    assert set(FORMER_KINDS.values()) <= e.KINDS.keys()
    assert not FORMER_KINDS.keys() & e.KINDS.keys()
    assert stored_kinds(e.KINDS) == [*e.KINDS, *FORMER_KINDS]


async def test_the_api_and_the_cockpit_show_and_find_it_under_its_name_of_today(here: Fleet) -> None:
    found = await here.get("/v1/events", kind="unit.fanout")
    assert [item["kind"] for item in found["items"]] == ["unit.fanout"] * ROUNDS
    assert [len(item["data"]["dependents"]) for item in found["items"]] == [1000, 1000, 100]
    whole = await here.get(f"/v1/campaigns/{NIGHTLY}/units/{ROOT}/events")
    assert [item["kind"] for item in whole["items"]].count("unit.fanout") == ROUNDS
    newest = await queries.newest(here.reader, here.position + 1, (None, None, None, stored_kinds(["unit.fanout"])), 10)
    assert [event.kind for event in newest] == ["unit.fanout"] * ROUNDS
    stopping = asyncio.Event()
    chosen = log_events.Filter(kinds=("unit.fanout",))
    async for page in log_events.follow(here.reader, 0, chosen, stopping):
        assert log_events.frames(page).count(b"event: unit.fanout\n") == ROUNDS
        stopping.set()


async def test_the_state_and_the_views_are_folded_from_it(here: Fleet, dsn: str, owner: asyncpg.Connection) -> None:
    """A5, A6."""
    bodies = [event.body for event in await event_log.read(owner, 0, 0, here.position)]
    assert sum(isinstance(body, e.UnitFanout) for body in bodies) == ROUNDS
    assert await check(dsn) is None
    assert [finding.line() for finding in await verify(dsn) if finding.detail] == []
    await rebuilt(dsn)
    counter = (
        "SELECT labels[1], value FROM series WHERE family = 'muster_events_total' AND labels[1] IN ('unit.fanout', 'unit.spread')"
    )
    assert {tuple(row) for row in await owner.fetch(counter)} == {("unit.fanout", ROUNDS)}
    assert await owner.fetchval("SELECT waits_for FROM units WHERE key = 'u2099'") == 0


async def test_the_proof_of_the_numbers_counts_it_under_its_name_of_today(here: Fleet, owner: asyncpg.Connection) -> None:
    """A6."""
    found = (await counted(owner, here.position))["muster_events_total"]
    assert found["unit.fanout",] == Total(ROUNDS)
    assert ("unit.spread",) not in found
