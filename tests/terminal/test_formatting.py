"""Times in the viewer's zone, and columns that fit."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from service.client.api_types import ApiBreaker, ApiCampaign, ApiPause
from service.domain.content.screen import plain
from service.terminal.formatting import line_in_local_time, one_line, safe_lines, time_text
from service.terminal.render import campaign as campaign_render
from service.worker.screen import Screen

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A viewer two hours east of Greenwich."""
    monkeypatch.setenv("TZ", "EAST-2")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("zone")
def test_times_are_in_the_viewers_zone() -> None:
    assert time_text(NOON, NOON) == "14:00:00"
    assert time_text(NOON - timedelta(hours=13), NOON) == "01:00:00"
    assert time_text(NOON - timedelta(hours=15), NOON) == "2026-01-30 23:00"


@pytest.mark.usefixtures("zone")
@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("quota exhausted · auto-resume ~14:30", "quota exhausted · auto-resume ~16:30"),
        ("quota exhausted · auto-resume ~23:45", "quota exhausted · auto-resume ~01:45"),
        ("quota exhausted", "quota exhausted"),
    ],
)
def test_the_time_in_a_quota_line_is_in_the_viewers_zone(words: str, shown: str) -> None:
    """B-PARK-4."""
    assert line_in_local_time(words, NOON) == shown


@pytest.mark.parametrize(
    "escape",
    [
        "\x1b[31m",
        "\x1b[38:2::1:2:3m",
        "\x9b2J",
        "\x1b]0;title\x07",
        "\x1b]8;;http://x\x1b\\",
        "\x9d0;title\x9c",
        "\x1bPq\x1b\\",
        "\x1bc",
        "\x1b(B",
    ],
)
def test_terminal_and_worker_remove_the_same_escapes_as_the_service(escape: str) -> None:
    text = f"a{escape}b"
    screen = Screen()
    screen.write(text.encode())
    assert [plain(text), one_line(text), *safe_lines(text), screen.last_line()] == ["ab"] * 4


def test_the_headline_of_a_campaign_is_what_holds_it_back() -> None:
    pause = ApiPause(since=datetime.now(UTC), reason="red tests", by="local/admin")
    breaker = ApiBreaker(consecutive_failures=3, threshold=3, line="Auto paused · 3 fails")
    assert (
        campaign_render.headline(ApiCampaign(name="c", state="paused", paused=pause, breaker=breaker)) == "paused 0s: red tests"
    )
    assert campaign_render.headline(ApiCampaign(name="c", state="running", breaker=breaker)) == "Auto paused · 3 fails"
    assert campaign_render.headline(ApiCampaign(name="c", state="completed", outcome="failed")) == "failed"
    assert campaign_render.headline(ApiCampaign(name="c", state="running", auto=False)) == "auto off"


def test_the_parts_of_a_bar_differ_without_colours() -> None:
    """B-VIEW-2."""
    units = {"total": 100, "done": 50, "running": 20, "quarantined": 1, "skipped": 10, "cancelled": 10}
    assert campaign_render.progress(ApiCampaign(name="c", state="running", units=units), 10) == "█████▒▒!--"
