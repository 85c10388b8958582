"""The cockpit in a real browser."""

import re
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # it has no types
from playwright.sync_api import Page, expect

from ops.cockpit.addresses import page_addresses
from ops.cockpit.camera import SAMPLE
from ops.cockpit.scene import Scene
from tests.browser.conftest import Sight, Stage

PAGES = (
    *page_addresses(SAMPLE).values(),
    "/campaigns/nightly-refactor?edit=1&still=1",
    "/campaigns/nightly-refactor?retry=1",
    "/campaigns/hostile",
)
TAPPED = "button, .button, nav a, summary, select, main input:not([type=hidden], [type=checkbox])"
SMALL = """(tapped) => [...document.querySelectorAll(tapped)]
    .filter((one) => one.checkVisibility() && one.getBoundingClientRect().height < 44).map((one) => one.outerHTML.slice(0, 90))"""
PANES = ("Workers", "Events", "Recovery", "Numbers", "Health")


def wide_as_the_window(page: Page) -> bool:
    """Tell whether nothing sticks out to the right."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


def test_every_page_fits_and_makes_no_error(sight: Sight) -> None:
    for path in PAGES:
        page = sight.go(path)
        expect(page.locator("h1")).to_have_count(1)
        assert wide_as_the_window(page), path
        assert page.evaluate(SMALL, TAPPED) == [], path
    assert sight.errors == []


def test_orders_work_with_a_script_and_without(sight: Sight, stage: Stage) -> None:
    """B-BREAK-5, B-CAMP-2: each order is a form that leads back with a word about it."""
    with Scene.at(stage.url) as scene:
        for name in ("flaky-suite", "nightly-refactor"):
            scene.post(f"/v1/campaigns/{name}/resume")
    page = sight.go("/")
    card = page.locator("#c-nightly-refactor")
    card.get_by_role("button", name="Pause").click()
    expect(page.locator(".flash")).to_contain_text("nightly-refactor: paused")
    expect(card.locator(".badge")).to_have_text("paused")
    expect(card.locator("button[data-key=p]")).to_have_text("Resume")
    card.get_by_role("button", name="Resume").click()
    expect(card.locator(".badge")).to_have_text("running")
    page.locator("#pause-engine summary").click()
    page.locator("#pause-engine input[name=reason]").fill("storm")
    page.locator("#pause-engine button").click()
    expect(page.locator(".flash")).to_contain_text("the engine is paused")
    page.get_by_role("button", name="Resume the engine").click()
    expect(page.locator(".flash")).to_contain_text("the engine goes on")
    page.goto(f"{sight.url}/campaigns/nightly-refactor?edit=1&still=1")
    page.locator("input[name=title]").fill("Another title")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".title")).to_have_text("Another title")
    assert sight.errors == []


def test_a_tripped_breaker_is_seen_and_reset(live: Sight, stage: Stage) -> None:
    """B-BREAK-5, B-BREAK-6, B-RETRY-6: live, and two clicks from the card to the cause."""
    with Scene.at(stage.url) as scene:
        scene.campaign("tripping", 6, policy={"max_attempts": 1, "breaker": {"threshold": 3}})
        page = live.go("/")
        card = page.locator("#c-tripping")
        scene.work("tripping", "w-9", 0, 3)
        expect(card).to_contain_text("Auto paused · 3 fails")
        card.get_by_role("link", name="3 failed").click()
        page.get_by_text("Last screen").first.click()
        expect(page.locator(".screen .ink1").first).to_contain_text("FAILED")
        page.get_by_role("button", name="Reset the breaker").click()
        expect(page.locator(".flash")).to_contain_text("the breaker is reset")
        expect(page.locator(".alarm")).to_have_count(0)
        expect(page.locator(".kinds details")).to_have_attribute("open", "")
    assert live.errors == []


def test_what_is_merged_keeps_focus_text_and_open_menus(live: Sight, stage: Stage) -> None:
    page = live.go("/")
    page.locator("#pool-size summary").click()
    field = page.locator("#pool-size input[name=pool_size]")
    field.fill("12")
    page.evaluate("scrollTo(0, 120)")
    with Scene.at(stage.url) as scene:
        scene.campaign("merged", 3)
        expect(page.locator("#c-merged")).to_have_count(1)
    expect(field).to_be_focused()
    expect(field).to_have_value("12")
    assert page.evaluate("scrollY") == 120
    assert live.errors == []


def test_keys_lead_through_the_panes(live: Sight) -> None:
    page = live.go("/")
    page.keyboard.press("j")
    expect(page.locator("article .go").first).to_be_focused()
    page.keyboard.press("j")
    expect(page.locator("article .go").nth(1)).to_be_focused()
    page.keyboard.press("k")
    expect(page.locator("article .go").first).to_be_focused()
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("Escape")
    for key, title in enumerate(PANES, start=2):
        page.keyboard.press(str(key))
        expect(page).to_have_title(re.compile(title))
    page.keyboard.press("1")
    expect(page).to_have_title(re.compile("Campaigns"))
    page.keyboard.press("R")
    expect(page).to_have_title(re.compile("Recovery"))
    page.keyboard.press("K")
    expect(page).to_have_title(re.compile("Workers"))
    page.keyboard.press("K")
    expect(page.locator("#fence-stale button")).to_be_visible()


def test_times_are_those_of_the_viewer(live: Sight) -> None:
    """B-PARK-4: the words stay, the time is shown where the viewer is."""
    page = live.go("/")
    expect(page.locator("#zone")).to_have_text("Times are Europe/Berlin.")
    line = page.locator("#c-long-context .wait")
    expect(line).to_have_text(re.compile(r"^quota exhausted · auto-resume ~\d\d:\d\d$"))
    at = line.locator("time").get_attribute("datetime")
    assert at is not None
    local = page.evaluate("(at) => new Date(at).toTimeString().slice(0, 5)", at)
    assert line.inner_text().endswith(local)


def test_a_killed_service_comes_back_and_the_page_recovers(live: Sight, stage: Stage) -> None:
    with live.page.expect_response("**/stream"):
        page = live.go("/")
    stage.kill()
    expect(page.locator("#link")).to_be_visible()
    stage.again()
    expect(page.locator("#link")).to_be_hidden(timeout=60_000)
    with Scene.at(stage.url) as scene:
        scene.campaign("recovered", 3)
    expect(page.locator("#c-recovered")).to_have_count(1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_checker_of_accessibility_finds_nothing_serious(live: Sight, scheme: Literal["light", "dark"]) -> None:
    live.page.emulate_media(color_scheme=scheme)
    for path in PAGES:
        found = Axe().run(live.go(path)).response
        assert found["passes"], path
        grave = [one for one in found["violations"] if one["impact"] in ("serious", "critical")]
        assert [(one["id"], one["nodes"][0]["html"]) for one in grave] == [], path


@pytest.mark.parametrize("wanted", ["reduce", "no-preference"])
def test_nothing_moves_for_who_wants_no_motion(live: Sight, wanted: str) -> None:
    live.page.emulate_media(reduced_motion="reduce" if wanted == "reduce" else "no-preference")
    page = live.go("/")
    assert moving(page) == (wanted != "reduce")


def moving(page: Page) -> bool:
    """Tell whether something on the page moves by itself or when it is touched."""
    return bool(
        page.evaluate(
            """() => [...document.querySelectorAll("*")].some((one) => {
                const style = getComputedStyle(one);
                return style.transitionDuration.split(",").some((time) => parseFloat(time) > 0) || style.animationName !== "none"
                    || style.scrollBehavior === "smooth";
            })"""
        )
    )
