"""`muster top`, driven without a terminal: panes, keys, actions, and a service that goes away."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic

import httpx
import pytest
from textual.pilot import Pilot
from typing_extensions import override

from service.client.http_client import ApiClient
from service.terminal.top.app import Top
from service.terminal.top.dialog import ConfirmDialog, TextDialog
from tests.patience import PATIENCE_S
from tests.terminal.conftest import FakeWorker

CreateCampaign = Callable[..., str]
Screen = Pilot[None]
SIZE = (80, 24)


class CuttableTransport(httpx.AsyncHTTPTransport):
    """A connection to the service that a test can cut."""

    cut = False

    @override
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.cut:
            raise httpx.ConnectError("cut")
        return await super().handle_async_request(request)


@pytest.fixture
def transport() -> CuttableTransport:
    """The connection of this test."""
    return CuttableTransport()


@pytest.fixture
async def top(url: str, transport: CuttableTransport, tmp_path: Path) -> AsyncIterator[Top]:
    """The application on that service."""
    async with ApiClient(url, transport=transport) as service:
        application = Top(service)
        application.folder = tmp_path
        yield application


def screen_text(top: Top) -> str:
    """Return the text on the screen."""
    return top.export_screenshot().replace("&#160;", " ")


def cancel(http: httpx.Client, name: str) -> None:
    """Cancel a campaign."""
    assert http.post(f"/v1/campaigns/{name}/cancel", json={}).is_success


async def until(pilot: Screen, holds: Callable[[], bool]) -> None:
    """Check again until *holds* is true."""
    began = monotonic()
    while not holds():
        assert monotonic() - began < PATIENCE_S, "it never came true"
        await pilot.pause(0.05)


async def choose(pilot: Screen, top: Top, name: str) -> None:
    """Move the cursor to a campaign."""
    await until(pilot, lambda: name in [campaign.name for campaign in top.panes.campaigns.items])
    top.panes.campaigns.move_cursor(row=[campaign.name for campaign in top.panes.campaigns.items].index(name))
    await pilot.pause()


async def test_the_numbers_show_the_panes_in_80_by_24(top: Top, create_campaign: CreateCampaign) -> None:
    name = create_campaign("a", "b")
    async with top.run_test(size=SIZE) as pilot:
        await choose(pilot, top, name)
        for key, pane, words in [
            ("2", "units", "open units"),
            ("3", "workers", "beat"),
            ("4", "quarantine", "reason"),
            ("5", "events", "units.added"),
            ("6", "engine", "slots in use"),
            ("1", "campaigns", "0/2"),
        ]:
            await pilot.press(key)
            await until(pilot, lambda pane=pane, words=words: top.pane == pane and words in screen_text(top))  # type: ignore[misc]
        assert "q quit" in screen_text(top)
        await until(pilot, lambda: " live" in screen_text(top))


async def test_j_and_k_move_and_enter_opens_the_units(top: Top, create_campaign: CreateCampaign) -> None:
    name = create_campaign("a", "b", "c")
    async with top.run_test(size=SIZE) as pilot:
        await choose(pilot, top, name)
        await pilot.press("enter")
        await until(pilot, lambda: len(top.panes.units.items) == 3)
        await pilot.press("j", "j", "k")
        assert top.unit is not None
        assert top.unit.key == "b"
        await pilot.press("s")
        await until(pilot, lambda: top.panes.units.items == [])
        assert "running units" in screen_text(top)


async def test_a_tripped_breaker_shows_the_line_of_the_api_and_b_resets_it(
    top: Top, create_campaign: CreateCampaign, fake_worker: FakeWorker
) -> None:
    """B-BREAK-6."""
    name = create_campaign("a", "b", policy={"breaker": {"threshold": 1}, "max_attempts": 1})
    fake_worker.fail(name)
    async with top.run_test(size=SIZE) as pilot:
        await choose(pilot, top, name)
        await until(pilot, lambda: "Auto paused · 1 fails" in screen_text(top))
        await pilot.press("b")
        await until(pilot, lambda: f"the breaker of {name} is reset" in screen_text(top))
        await until(pilot, lambda: top.campaign is not None and top.campaign.breaker.line is None)


async def test_the_time_of_a_closed_gate_is_in_the_viewers_zone(
    top: Top, create_campaign: CreateCampaign, fake_worker: FakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B-PARK-4."""
    name = create_campaign("a", quota="provider")
    token = fake_worker.claim(name)
    fake_worker.report(
        type="parked", token=token, reason="rate_limit", resume_at=f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%d}T14:30:00Z"
    )
    monkeypatch.setattr("service.terminal.render.campaign.line_in_local_time", lambda words: f"{words} here")
    async with top.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: "quota exhausted · auto-resume ~14:30 here" in screen_text(top))


async def test_p_pauses_and_resumes_the_campaign_and_asks_before_the_engine(top: Top, create_campaign: CreateCampaign) -> None:
    name = create_campaign("a")
    async with top.run_test(size=SIZE) as pilot:
        await choose(pilot, top, name)
        await pilot.press("p")
        await until(
            pilot, lambda: "muster top" in screen_text(top) and top.campaign is not None and top.campaign.paused is not None
        )
        await pilot.press("p")
        await until(pilot, lambda: top.campaign is not None and top.campaign.paused is None)
        await pilot.press("6", "p")
        await until(pilot, lambda: isinstance(top.screen, ConfirmDialog))
        await pilot.press("n")
        await until(pilot, lambda: not isinstance(top.screen, ConfirmDialog))
        assert top.snapshot is not None
        assert top.snapshot.engine.state == "running"


async def test_from_the_quarantine_to_the_cause_and_back_to_work(
    top: Top, create_campaign: CreateCampaign, fake_worker: FakeWorker, http: httpx.Client
) -> None:
    """B-RETRY-6."""
    name = create_campaign("a", "b", policy={"max_attempts": 1})
    fake_worker.fail(name, "no such file")
    fake_worker.fail(name)
    async with top.run_test(size=SIZE) as pilot:
        await choose(pilot, top, name)
        await pilot.press("4")
        await until(pilot, lambda: {unit.key for unit in top.panes.quarantine.items if unit.campaign == name} == {"a", "b"})
        keys = [(unit.campaign, unit.key) for unit in top.panes.quarantine.items]
        top.panes.quarantine.move_cursor(row=keys.index((name, "a")))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(top.screen, TextDialog))
        assert isinstance(top.screen, TextDialog)
        assert "error     no such file" in top.screen.text
        assert top.screen.text.endswith("last screen:\nline one\nred line")
        await pilot.press("q", "r")
        await until(pilot, lambda: "unit a is ready" in screen_text(top))
        await pilot.press("1")
        await choose(pilot, top, name)
        await pilot.press("r")
        await until(pilot, lambda: isinstance(top.screen, ConfirmDialog))
        assert f"Retry 1 quarantined unit of {name}?" in screen_text(top)
        await pilot.press("y")
        await until(pilot, lambda: http.get(f"/v1/campaigns/{name}").json()["units"]["ready"] == 2)


async def test_k_fences_stale_workers_once_confirmed(top: Top, create_campaign: CreateCampaign, fake_worker: FakeWorker) -> None:
    name = create_campaign("a", policy={"heartbeat": {"dead_ticks": 100}})
    fake_worker.report(type="heartbeat", token=fake_worker.claim(name), alive=False)
    async with top.run_test(size=SIZE) as pilot:
        await pilot.press("3")
        await until(pilot, lambda: any(w.worker == fake_worker.name and w.level == "dead" for w in top.panes.workers.items))
        await pilot.press("K")
        await until(pilot, lambda: isinstance(top.screen, ConfirmDialog))
        await pilot.press("y")
        await until(pilot, lambda: any(w.worker == fake_worker.name and w.state == "fenced" for w in top.panes.workers.items))


async def test_d_saves_the_diagnostics(top: Top, create_campaign: CreateCampaign, tmp_path: Path) -> None:
    name = create_campaign("a")
    async with top.run_test(size=SIZE) as pilot:
        await choose(pilot, top, name)
        await pilot.press("D")
        await until(pilot, lambda: [*tmp_path.glob(f"muster-{name}-*.json")] != [])


async def test_r_without_plans_and_a_refused_p_show_a_sentence(
    top: Top, create_campaign: CreateCampaign, http: httpx.Client
) -> None:
    name = create_campaign("a")
    cancel(http, name)
    async with top.run_test(size=SIZE) as pilot:
        await choose(pilot, top, name)
        await pilot.press("R")
        await until(pilot, lambda: "no recovery plans" in screen_text(top))
        await until(pilot, lambda: top.campaign is not None and top.campaign.over)
        await pilot.press("p")
        await until(pilot, lambda: "cancelled" in str(top.lines["keys"].render()))


async def test_during_an_outage_the_last_snapshot_stays_and_says_so(
    top: Top, transport: CuttableTransport, create_campaign: CreateCampaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.terminal.top.refresher.LIVE_S", 0.1)
    name = create_campaign("a")
    async with top.run_test(size=SIZE) as pilot:
        await choose(pilot, top, name)
        transport.cut = True
        await until(pilot, lambda: "away, trying again · no answer" in screen_text(top))
        assert name in screen_text(top)
        transport.cut = False
        await until(pilot, lambda: "away" not in screen_text(top))


async def test_help_names_every_key_and_q_quits(top: Top) -> None:
    async with top.run_test(size=SIZE) as pilot:
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(top.screen, TextDialog))
        for word in ("recovery plans", "fence every stale", "diagnostics"):
            assert word in screen_text(top)
        box = top.screen.query_one(".box").region
        assert abs(box.x - (SIZE[0] - box.right)) <= 1, "the dialog stands in the middle"
        assert abs(box.y - (SIZE[1] - box.bottom)) <= 1
        await pilot.press("escape", "q")
        await until(pilot, lambda: not top.is_running)


async def test_a_wide_terminal_shows_whole_names(top: Top, create_campaign: CreateCampaign) -> None:
    name = create_campaign("a", title="Night")
    async with top.run_test(size=(140, 30)) as pilot:
        await choose(pilot, top, name)
        assert [column.title for column in top.panes.campaigns.columns_of][-1] == "state"
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: [column.title for column in top.panes.campaigns.columns_of][1] == "state")
        assert top.panes.campaigns.row_count == len(top.panes.campaigns.items)
