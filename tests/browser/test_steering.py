"""More of the cockpit in a real browser: files, refused forms, quotas, keys, what is seen live."""

import json
import re
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from ops.cockpit.scene import Scene
from tests.browser.conftest import Sight, Stage

NUMBERS = count()


def fresh(stage: Stage, **fields: object) -> str:
    """Make a campaign for one test, and return its name."""
    name = f"fresh-{next(NUMBERS)}"
    with Scene.at(stage.url) as scene:
        scene.campaign(name, 3, **fields)
        scene.settle()
    return name


def said(page: Page, words: str) -> None:
    """Wait for the word about an order."""
    expect(page.locator(".flash")).to_contain_text(words)


def asked(page: Page, menu: str, sure: str) -> None:
    """Open the question before an order, and say yes."""
    page.locator(f"#{menu} summary").click()
    page.get_by_role("button", name=sure).click()


def test_every_order_about_units(sight: Sight, stage: Stage) -> None:
    """B-RETRY-7, B-PARK-1: with a script and without."""
    name = fresh(stage, policy={"max_attempts": 1})
    worker = f"w-{name}"
    with Scene.at(stage.url) as scene:
        scene.work(name, worker, 0, 1)
        scene.claim(name, worker)
        scene.settle()
        keys = {unit["state"]: unit["key"] for unit in scene.http.get(f"/v1/campaigns/{name}/units").json()["items"]}
    page = sight.go(f"/campaigns/{name}")
    page.get_by_role("link", name="Retry failed").click()
    page.get_by_role("button", name="Retry 1 unit").click()
    said(page, "1 unit is back at work")
    page.get_by_role("link", name=keys["ready"]).first.click()
    page.get_by_role("button", name="Park for an hour").click()
    said(page, "parked for an hour")
    page.get_by_role("button", name="Unpark").click()
    said(page, "no longer parked")
    asked(page, "quarantine", "Quarantine it")
    said(page, "in quarantine")
    page.get_by_role("button", name="Retry", exact=True).click()
    said(page, "back at work")
    asked(page, "cancel", "Cancel it")
    said(page, "cancelled")
    sight.go(f"/campaigns/{name}?state=running")
    page.get_by_role("link", name=keys["running"]).first.click()
    asked(page, "stop", "Stop it")
    said(page, "taken back from its worker")
    sight.go(f"/campaigns/{name}")
    asked(page, "cancel", "Cancel the campaign")
    said(page, f"{name}: cancelled")
    assert sight.errors == []


def test_every_order_about_workers_and_the_engine(sight: Sight, stage: Stage) -> None:
    """B-BEAT-7, B-ENGINE-1: with a script and without."""
    name = fresh(stage)
    worker = f"w-{name}"
    with Scene.at(stage.url) as scene:
        scene.claim(name, worker)
        scene.settle()
    page = sight.go(f"/workers/{worker}")
    page.get_by_role("button", name="Drain").click()
    said(page, "drains")
    asked(page, "fence-one", "Fence it")
    said(page, "its claims were revoked")
    sight.go("/workers")
    page.locator("#fence-stale summary").click()
    page.locator("#fence-stale button").click()
    expect(page.locator(".flash")).to_contain_text(re.compile("fenced|no worker is stale or dead"))
    sight.go("/")
    page.locator("#pool-size summary").click()
    page.locator("#pool-size input[name=pool_size]").fill("many")
    page.get_by_role("button", name="Resize the pool").click()
    expect(page.locator("#pool-size .wrong")).to_contain_text("whole number")
    page.locator("#pool-size input[name=pool_size]").fill("900")
    page.get_by_role("button", name="Resize the pool").click()
    said(page, "the pool has 900 slots")


def test_every_gate_is_opened_by_hand(sight: Sight, stage: Stage) -> None:
    """B-ENGINE-1: with a script and without; who gives the order is asked first."""
    quota = f"quota-{next(NUMBERS)}"
    name = fresh(stage, quota=quota)
    resume_at = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    with Scene.at(stage.url) as scene:
        [token] = scene.claim(name, f"w-{name}")
        scene.report(f"w-{name}", {"type": "parked", "token": token, "reason": "rate_limit", "resume_at": resume_at})
        scene.settle()
    sight.go(f"/quotas/{quota}")
    expect(sight.page.locator(".head .badge")).to_have_text("closed")
    page = sight.go("/")
    asked(page, "tick", "Open every gate")
    said(page, "every gate is open, and a sweep was made")
    expect(page.locator("#tick")).to_have_count(0)
    sight.go(f"/quotas/{quota}")
    expect(page.locator(".head .badge")).to_have_text("open")
    assert sight.errors == []


def test_a_tripped_breaker_is_reset_from_its_card(sight: Sight, stage: Stage) -> None:
    """B-BREAK-5, B-BREAK-6: with a script and without."""
    name = fresh(stage, policy={"max_attempts": 1, "breaker": {"threshold": 3}})
    with Scene.at(stage.url) as scene:
        scene.campaign(name, 3)
        scene.http.post(f"/v1/campaigns/{name}/units", json=[{"key": "left"}]).raise_for_status()
        scene.work(name, f"w-{name}", 0, 3)
        scene.settle()
    page = sight.go(f"/?q={name}")
    card = page.locator(f"#c-{name}")
    expect(card).to_contain_text("Auto paused · 3 fails")
    card.get_by_role("button", name="Reset").click()
    said(page, "the breaker is reset")
    expect(card).not_to_contain_text("Auto paused")
    assert sight.errors == []


def test_diagnostics_are_taken_as_a_file(sight: Sight, stage: Stage) -> None:
    """B-DIAG-1: with a script and without; so soon again it is refused."""
    name = fresh(stage)
    page = sight.go(f"/campaigns/{name}")
    with page.expect_download() as taken:
        page.get_by_role("button", name="Diagnostics").click()
    assert re.fullmatch(rf"muster-{name}-\d{{4}}-\d\d-\d\dT\d{{6}}Z\.json", taken.value.suggested_filename)
    bundle = json.loads(Path(taken.value.path()).read_text(encoding="utf-8"))
    assert (bundle["schema_version"], bundle["campaign"]["name"]) == (2, name)
    page.get_by_role("button", name="Diagnostics").click()
    expect(page.locator("h1")).not_to_have_text(name)
    with page.expect_download():
        page.get_by_role("button", name="Export anyway").click()


def test_a_refused_form_keeps_what_was_typed(sight: Sight, stage: Stage) -> None:
    name = fresh(stage)
    page = sight.go(f"/campaigns/{name}?edit=1&still=1")
    page.locator("input[name=title]").fill("Typed and kept")
    page.locator("input[name='policy.concurrency']").fill("0")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".wrong")).to_be_visible()
    flawed = page.locator("input[name='policy.concurrency']")
    expect(flawed).to_have_attribute("aria-invalid", "true")
    expect(flawed).to_be_focused()
    expect(flawed).to_have_value("0")
    expect(page.locator("input[name=title]")).to_have_value("Typed and kept")
    flawed.fill("7")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".title")).to_have_text("Typed and kept")
    expect(page.locator(".wrong")).to_have_count(0)
    assert [said for said in sight.errors if "status of 4" not in said] == []


def test_a_quota_is_set_and_read(sight: Sight, stage: Stage) -> None:
    """B-QUOTA-1, B-QUOTA-2."""
    name = fresh(stage, quota=f"quota-{next(NUMBERS)}")
    with Scene.at(stage.url) as scene:
        quota = scene.http.get(f"/v1/campaigns/{name}").json()["quota"]
    page = sight.go(f"/quotas/{quota}")
    page.locator("select[name='policy.fire']").select_option("when_available")
    page.get_by_role("button", name="Save the policy").click()
    expect(page.locator(".head .badge")).to_have_text("closed")
    page.locator("input[name=used]").fill("much")
    page.get_by_role("button", name="Save the reading").click()
    expect(page.locator(".wrong")).to_contain_text("percent")
    expect(page.locator("input[name=used]")).to_have_value("much")
    page.locator("input[name=used]").fill("40")
    page.get_by_role("button", name="Save the reading").click()
    expect(page.locator(".head .badge")).to_have_text("open")
    expect(page.get_by_role("link", name=name)).to_be_visible()


@pytest.mark.parametrize("key", [".", ".."])
def test_a_unit_whose_key_a_browser_takes_out_of_a_path_is_reached(sight: Sight, stage: Stage, key: str) -> None:
    name = fresh(stage)
    with Scene.at(stage.url) as scene:
        scene.http.post(f"/v1/campaigns/{name}/units", json=[{"key": key}]).raise_for_status()
        scene.settle()
    page = sight.go(f"/campaigns/{name}")
    page.get_by_role("link", name=key, exact=True).click()
    expect(page.locator("h1")).to_have_text(key)
    page.get_by_role("button", name="Park for an hour").click()
    expect(page.locator(".flash")).to_contain_text("parked for an hour")
    expect(page.locator("h1")).to_have_text(key)
    expect(page.locator(".head .badge")).to_have_text("parked")
    assert sight.errors == []


def test_keys_give_orders_about_what_is_chosen(live: Sight, stage: Stage) -> None:
    name = fresh(stage, policy={"max_attempts": 1})
    with Scene.at(stage.url) as scene:
        scene.work(name, "w-keys", 0, 1)
        scene.settle()
    page = live.go(f"/?q={name}")
    page.locator(f"#c-{name} .go").first.focus()
    page.keyboard.press("p")
    expect(page.locator(f"#c-{name} .badge")).to_have_text("paused")
    page.locator(f"#c-{name} .go").first.focus()
    page.keyboard.press("r")
    expect(page.locator("#retry")).to_contain_text("1 quarantined unit matches")
    live.go(f"/campaigns/{name}")
    with page.expect_download():
        page.keyboard.press("D")
    page.locator("#units-q, input[name=q]").first.focus()
    page.keyboard.type("1?K")
    expect(page.locator("input[name=q]").first).to_have_value("1?K")
    expect(page).to_have_title(re.compile(name))


def test_a_worker_is_seen_to_go_warn_stale_and_dead(live: Sight, stage: Stage) -> None:
    """B-BEAT-1, B-BEAT-3: without a touch, level by level; its age ticks."""
    worker = f"silent-{next(NUMBERS)}"
    name = fresh(stage, policy={"lease_s": 600, "heartbeat": {"warn_s": 4, "stale_s": 12, "dead_s": 20, "dead_ticks": 60}})
    with Scene.at(stage.url) as scene:
        scene.claim(name, worker)
    page = live.go(f"/campaigns/{name}")
    row = page.locator("tr.item", has_text=worker)
    for level in ("warn", "stale", "dead"):
        expect(row.locator(".badge")).to_contain_text(level, timeout=40_000)
    assert live.errors == []


def test_a_change_is_seen_within_a_second_of_the_browsers_own_clock(live: Sight, stage: Stage) -> None:
    """The stream says it; nobody waits for the slow look of every 15 s."""
    name = fresh(stage)
    page = live.go(f"/campaigns/{name}")
    page.wait_for_function("document.getElementById('link').hidden")
    page.clock.install()
    with Scene.at(stage.url) as scene:
        scene.post(f"/v1/campaigns/{name}/pause", reason="seen at once")
    for _ in range(10):
        page.clock.run_for(100)
    expect(page.locator(".wait")).to_contain_text("seen at once")
