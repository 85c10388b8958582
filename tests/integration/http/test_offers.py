"""Which campaigns offer work is what a claim would get, read without claiming."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from service.domain import commands as c
from service.domain import ids
from service.settings import Settings
from tests.fleet import NIGHTLY, WORKER, Fleet, fleet
from tests.replica import unit

QUOTA = ids.QuotaKey("q")
IN_THE_WAY: dict[str, c.Command] = {
    "paused": c.PauseCampaign(name=NIGHTLY),
    "not automatic": c.EditCampaign(name=NIGHTLY, patch={"auto": False}),
    "engine paused": c.PauseEngine(),
    "no slot": c.EditCampaign(name=NIGHTLY, patch={"policy": {"concurrency": 1}}),
    "no pool": c.ResizePool(pool_size=1),
    "gate closed": c.RecordReading(quota=QUOTA, failure="auth"),
    "cancelled": c.CancelCampaign(name=NIGHTLY),
}


@pytest.fixture
async def here(settings: Settings, pool: asyncpg.Pool) -> AsyncIterator[Fleet]:
    """A service with a campaign of which one unit runs."""
    async with fleet(settings, pool) as running:
        await running.begin("a", "b", quota=QUOTA, labels={"gpu": "no"})
        await running.claim()
        yield running


async def test_a_campaign_with_a_ready_unit_and_a_free_slot_offers_work(here: Fleet) -> None:
    """B-BEAT-6."""
    [offer] = await here.reader.offers()
    assert (offer.campaign, offer.labels) == (NIGHTLY, {"gpu": "no"})
    await here.order(c.BeatWorker(worker=WORKER))
    seen = await here.get(f"/v1/workers/{WORKER}")
    assert (seen["stalled"], seen["idle_while_work_waits"], seen["claims"][0]["stalled"]) == (False, False, False)


@pytest.mark.parametrize("obstacle", IN_THE_WAY)
async def test_a_blocked_claim_is_not_offered(here: Fleet, obstacle: str) -> None:
    """B-BEAT-6: nobody is called idle for what could not be claimed."""
    await here.order(IN_THE_WAY[obstacle])
    assert not await here.reader.offers()


async def test_a_group_that_waits_for_an_earlier_one_is_no_offer(here: Fleet) -> None:
    """B-BEAT-6, B-GROUP-2."""
    await here.claim()
    await here.order(c.AddUnits(campaign=NIGHTLY, units=(unit("later", group=100),)))
    assert not await here.reader.offers()
    await here.order(c.AddUnits(campaign=NIGHTLY, units=(unit("sooner", group=1),)))
    assert len(await here.reader.offers()) == 1
