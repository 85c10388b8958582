"""Plans after an outage, decided in a real browser."""

import asyncio
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import asyncpg
import httpx
import pytest
from playwright.sync_api import expect

from ops.cockpit.scene import Scene
from tests.browser.conftest import Sight, Stage
from tests.patience import PATIENCE_S
from tests.replica import eventually

BRIEF = {"lease_s": 12, "heartbeat": {"warn_s": 0.1, "stale_s": 1, "dead_s": 2}, "concurrency": 100}
PLANS = [f"{decision}-{number}" for decision in ("apply", "decline") for number in range(4)]


@pytest.fixture(scope="module")
def plans(stage: Stage) -> Iterator[int]:
    """An outage in which every claim of some campaigns died; one number for each test."""
    with Scene.at(stage.url) as scene:
        for name in PLANS:
            scene.campaign(name, 3, policy=BRIEF)
            scene.claim(name, f"w-{name}", 2)
    stage.kill()
    aside(lapsed(stage.dsn))
    stage.again()
    aside(eventually(lambda: planned(stage.url), 90))
    return count()


def aside(waiting: Coroutine[None, None, None]) -> None:
    """Wait in a thread of its own: the browser's library has the loop of this one."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, waiting).result()


async def lapsed(dsn: str) -> None:
    """Return when the leases are over."""
    connection = await asyncpg.connect(dsn)
    try:
        left = "extract(epoch FROM max(lease_until) - clock_timestamp())"
        await connection.execute(f"SELECT pg_sleep({left}) FROM claims WHERE campaign = ANY(ARRAY{PLANS})")
    finally:
        await connection.close()


async def planned(url: str) -> bool:
    """Tell whether every plan was found."""
    async with httpx.AsyncClient(base_url=url, timeout=PATIENCE_S) as http:
        found = {plan["campaign"] for plan in (await http.get("/v1/recovery")).json()["items"]}
    return found >= set(PLANS)


def test_a_plan_is_applied_or_declined(sight: Sight, plans: Iterator[int]) -> None:
    """B-RECOV-2: with a script and without."""
    number = next(plans)
    page = sight.go("/recovery")
    card = page.locator("li.card", has=page.get_by_role("link", name=f"apply-{number}", exact=True))
    expect(card).to_contain_text("2 units can continue")
    card.get_by_role("button", name=f"Apply the plan for apply-{number}").click()
    expect(page.locator(".flash")).to_contain_text("its units are ready again")
    expect(card).to_have_count(0)
    card = page.locator("li.card", has=page.get_by_role("link", name=f"decline-{number}", exact=True))
    card.locator("summary").click()
    card.get_by_role("button", name="Decline and cancel").click()
    expect(page.locator(".flash")).to_contain_text("the campaign is cancelled")
    expect(card).to_have_count(0)
    sight.go(f"/campaigns/decline-{number}")
    expect(page.locator(".head .badge")).to_have_text("cancelled")
    sight.go(f"/campaigns/apply-{number}?state=ready")
    expect(page.locator("tr.item")).to_have_count(3)
    assert sight.errors == []
