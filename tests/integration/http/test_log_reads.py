"""What programs read of the log: pages, and a stream."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from anyio import CancelScope, create_task_group

from projections.http.reads import events as log_events
from service.domain import commands as c
from service.settings import Settings
from tests.fleet import NIGHTLY, Fleet, fleet
from tests.patience import PATIENCE_S


@pytest.fixture
async def here(settings: Settings, pool: asyncpg.Pool) -> AsyncIterator[Fleet]:
    """A service with its projector."""
    async with fleet(settings, pool) as running:
        yield running


async def test_the_log_is_read_in_pages_that_neither_skip_nor_repeat(here: Fleet) -> None:
    await here.begin(*"abcdef", policy={"concurrency": 9})
    claims = await here.claim(6)
    await here.order(*(c.RecordHeartbeat(token=claim.token, progress=0.5) for claim in claims))
    await here.order(*(c.CompleteUnit(token=claim.token) for claim in claims))
    positions: list[int] = []
    after: int | None = 0
    while after is not None:
        page = await here.get("/v1/events", after=after, limit=4)
        positions += [item["position"] for item in page["items"]]
        after = page["next"]
    assert positions == list(range(1, here.position + 1))
    beats = await here.get("/v1/events", kind="unit.heartbeat", unit="a", campaign="nightly")
    assert [item["data"] for item in beats["items"]] == [{"token": claims[0].token, "progress": 0.5}]
    mine = await here.get("/v1/events", worker="w-1", kind="unit.claimed")
    assert len(mine["items"]) == 6


async def test_an_import_is_read_with_every_field_of_its_units(here: Fleet) -> None:
    await here.begin("a")
    (added,) = (await here.get("/v1/events", kind="units.added"))["items"]
    assert added["data"]["units"] == [
        {
            "key": "a", "payload": {"file": "a.py"}, "group": 99, "priority": 0, "depends_on": [], "estimate_s": None,
            "kind": "unit", "fix_of": None, "waits_for": 0,
        }
    ]  # fmt: skip


async def test_a_reader_that_leaves_in_the_middle_of_a_page_breaks_no_transaction(here: Fleet) -> None:
    await here.begin("a", "b")
    troubles: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: troubles.append(context))
    for rounds in range(0, 400, 10):
        with CancelScope() as scope:
            async with create_task_group() as both:
                both.start_soon(leave, scope, rounds)
                await log_events.uncancelled_page(here.reader, 0, here.position, log_events.Filter())
    found = await log_events.uncancelled_page(here.reader, 0, here.position, log_events.Filter())
    assert (len(found), troubles) == (here.position, [])


async def leave(scope: CancelScope, rounds: int) -> None:
    """Cancel after so many rounds of the event loop, again and again as a server does."""
    for _ in range(rounds):
        await asyncio.sleep(0)
    scope.cancel()


async def test_a_stream_sends_every_event_once_while_the_log_grows(here: Fleet) -> None:
    await here.begin("a", policy={"concurrency": 9})
    stopping = asyncio.Event()
    seen: list[int] = []

    async def listen() -> None:
        async for found in log_events.follow(here.reader, 0, log_events.Filter(), stopping):
            seen.extend(event.position for event in found)

    listening = asyncio.create_task(listen())
    for _ in range(20):
        await here.order(c.PauseCampaign(name=NIGHTLY), c.ResumeCampaign(name=NIGHTLY))
    async with asyncio.timeout(PATIENCE_S):
        while not seen or seen[-1] < here.position:  # noqa: ASYNC110 - the stream is what is waited for
            await asyncio.sleep(0.001)
    stopping.set()
    await listening
    assert seen == list(range(1, here.position + 1))
