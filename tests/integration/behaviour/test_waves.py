"""Waves over HTTP: the diamond, pages of wide waves, and the same cost whatever the size."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from service.domain import commands as c
from service.domain import ids
from service.settings import Settings
from tests.fleet import NIGHTLY, Fleet, fleet
from tests.replica import unit

WIDE = 60


@pytest.fixture
async def here(settings: Settings, pool: asyncpg.Pool) -> AsyncIterator[Fleet]:
    """A service with its projector."""
    async with fleet(settings, pool) as running:
        yield running


async def test_the_waves_of_a_diamond_are_listed_with_their_keys_states_and_times(here: Fleet) -> None:
    """B-DAG-4."""
    await here.begin("A")
    await here.order(c.AddUnits(campaign=NIGHTLY, units=(unit("D", "C", "B"), unit("B", "A"), unit("C", "A"))))
    [grant] = await here.claim()
    await here.order(c.CompleteUnit(token=grant.token))
    await here.claim()
    found = (await here.get("/v1/campaigns/nightly/waves"))["items"]
    assert [wave["wave"] for wave in found] == [1, 2, 3]
    assert [wave["keys"] for wave in found] == [["A"], ["B", "C"], ["D"]]
    assert [wave["units"]["total"] for wave in found] == [1, 2, 1]
    assert (found[1]["units"]["running"], found[1]["units"]["ready"], found[2]["units"]["blocked"]) == (1, 1, 1)
    assert found[0]["started_at"] < found[0]["ended_at"] <= found[1]["started_at"]
    assert found[0]["duration_s"] >= 0
    assert (found[1]["ended_at"], found[1]["duration_s"], found[2]["started_at"]) == (None, None, None)


async def test_a_wide_wave_shows_its_first_keys_and_the_list_of_units_has_the_rest(here: Fleet) -> None:
    """B-DAG-4, B-VIEW-4: never a table of thousands of rows."""
    roots, leaves = ([f"{name}{number:03}" for number in range(WIDE)] for name in ("root", "leaf"))
    await here.begin(*roots)
    units = (*(unit(leaf, root, group=number % 2) for number, (root, leaf) in enumerate(zip(roots, leaves, strict=True))),)
    await here.order(c.AddUnits(campaign=NIGHTLY, units=(*units, unit("last", *leaves))))
    page = await here.get("/v1/campaigns/nightly/waves", limit=2)
    assert [wave["keys"] for wave in page["items"]] == [roots[:20], leaves[:20]]
    rest = await here.get("/v1/campaigns/nightly/waves", limit=2, cursor=page["next"])
    assert ([wave["keys"] for wave in rest["items"]], rest["next"]) == ([["last"]], None)
    for number, keys in enumerate((roots, leaves, ["last"]), 1):
        seen: list[str] = []
        cursor: dict[str, str] = {}
        while True:
            page = await here.get("/v1/campaigns/nightly/units", wave=number, limit=25, **cursor)
            seen += [item["key"] for item in page["items"]]
            if page["next"] is None:
                break
            cursor = {"cursor": page["next"]}
        assert seen == keys
    even = await here.get("/v1/campaigns/nightly/units", wave=2, group=0, state="blocked", q="LEAF00")
    assert [item["key"] for item in even["items"]] == ["leaf000", "leaf002", "leaf004", "leaf006", "leaf008"]
    assert (await here.get("/v1/campaigns/nightly/units", wave=1, state="done"))["items"] == []


@pytest.mark.parametrize("query", ["waves?cursor=eA", "waves?limit=0", "units?wave=x"])
async def test_an_invalid_page_of_waves_is_refused_by_its_parameter(here: Fleet, query: str) -> None:
    await here.begin("A")
    answer = await here.client.get(f"/v1/campaigns/{NIGHTLY}/{query}")
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/validation")
    assert answer.json()["field"] == query.partition("?")[2].partition("=")[0]


async def test_a_campaign_that_nobody_knows_has_no_waves(here: Fleet) -> None:
    assert (await here.client.get(f"/v1/campaigns/{ids.CampaignName('other')}/waves")).status_code == 404
