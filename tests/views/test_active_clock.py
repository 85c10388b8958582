"""The clock of a campaign stands while that is parked, paused or held back; idle time is time like any other."""

from datetime import timedelta

import msgspec
import pytest

from projections.views.campaign.view import CampaignView, campaign_view
from projections.views.fold import ReadModels
from service.domain import commands as c
from service.domain import events as e
from service.domain import ids
from tests.domain.scenario import (
    NIGHT,
    START,
    Q,
    Scenario,
    Step,
    adding,
    after,
    campaign,
    claim,
    editing,
    failure,
    given,
    order,
    parking,
    rested,
    success,
    unparking,
)

KEYS = tuple(f"u{number:02}" for number in range(40))
CLOSED = e.Fact(e.QuotaGateClosed(key=Q, reason="auth", resume_at=None, source="meter"))
OPEN = e.Fact(e.QuotaGateOpened(key=Q, cause="forced", ramp_per_s=50.0))
TRIPPED = e.Fact(e.BreakerTripped(failures=(1, 2, 3), threshold=3), NIGHT)
PAUSED, RESUMED = c.PauseCampaign(name=NIGHT), c.ResumeCampaign(name=NIGHT)
HOLDS: dict[str, tuple[Step, Step]] = {
    "a closed gate": (CLOSED, OPEN),
    "another quota, behind a closed gate": (editing(quota="shut"), editing(quota=Q)),
    "a pause of the engine": (c.PauseEngine(), c.ResumeEngine()),
    "a pause of the campaign": (PAUSED, RESUMED),
    "no automatic claims": (editing(auto=False), editing(auto=True)),
    "a tripped breaker": (TRIPPED, c.ResetBreaker(name=NIGHT)),
}


def begun(*keys: str) -> Scenario:
    """Return a story of a campaign on a quota; the gate of another one is closed."""
    shut = e.QuotaGateClosed(key=ids.QuotaKey("shut"), reason="auth", resume_at=None, source="meter")
    return given(e.Fact(shut), campaign(quota=Q, lease_s=86_400, max_duration_s=604_800), adding(*keys or KEYS))


def finish(story: Scenario, work_s: float, idle_s: float = 0) -> None:
    """Claim a unit, work on it, end it, and be idle."""
    story.given(claim(), after(seconds=work_s))
    story.given(success(token(story)), after(seconds=idle_s))


def token(story: Scenario) -> str:
    """Return the token of the one claim there is."""
    (only,) = story.state.claims
    return only


def folded(story: Scenario) -> ReadModels:
    """Return the cards of a story; they are stored and loaded after every event, as at the end of a page."""
    cards = ReadModels()
    for event in story.log:
        cards.fold(event)
        for name, card in cards.campaigns.items():
            cards.campaigns[name] = msgspec.json.decode(msgspec.json.encode(card), type=type(card))
    return cards


def shown(story: Scenario) -> CampaignView:
    """Return the campaign as it is shown now."""
    cards = folded(story)
    return campaign_view(cards.campaigns[NIGHT], cards.quotas.get(Q), story.at)


def clock_s(story: Scenario) -> float:
    """Return the seconds that the campaign's clock shows now."""
    at_us = (story.at - START) // timedelta(microseconds=1) + round(START.timestamp() * 1_000_000)
    return folded(story).campaigns[NIGHT].throughput.read(at_us) / 1_000_000


def test_units_that_take_no_time_but_come_a_second_apart_are_one_a_second() -> None:
    """B-VIEW-1: the time between a completion and the next claim is neither parked nor paused."""
    story = begun()
    for _ in range(10):
        finish(story, 0, idle_s=1)
    seen = shown(story)
    assert seen.throughput_per_hour == pytest.approx(3600)
    assert seen.eta_s == pytest.approx(30)


def test_work_and_idle_time_make_the_pace_together() -> None:
    """B-VIEW-1: half a second of work, a second and a half until the next claim."""
    story = begun()
    for _ in range(10):
        finish(story, 0.5, idle_s=1.5)
    assert shown(story).throughput_per_hour == pytest.approx(1800)


def test_the_time_before_the_first_claim_does_not_count() -> None:
    """B-VIEW-1: from then on nothing but parks, pauses and what holds back is left out."""
    story = begun().given(after(hours=5))
    assert clock_s(story) == 0
    story.given(claim(), after(seconds=2))
    assert clock_s(story) == 2


def test_workers_that_stay_away_for_an_hour_lower_the_pace_with_the_hour() -> None:
    """B-VIEW-1: units are ready and nobody comes, so the end moves away; it is not the old pace that is told for ever."""
    story = begun()
    for _ in range(10):
        finish(story, 10)
    quick = shown(story)
    assert quick.throughput_per_hour == pytest.approx(360)
    assert quick.eta_s == pytest.approx(300)
    slow = shown(story.given(after(hours=1)))
    assert slow.throughput_per_hour == pytest.approx(10 / 3700 * 3600, abs=1e-3)
    assert slow.eta_s == pytest.approx(30 * 370)
    assert quick.eta is not None
    assert slow.eta is not None
    assert slow.eta > quick.eta + timedelta(hours=1)


def test_two_completions_are_no_evidence_however_long_nothing_came_after_them() -> None:
    """B-VIEW-1: absent rather than wrong."""
    story = begun()
    for _ in range(2):
        finish(story, 10)
    for hours in (0, 1, 100):
        seen = shown(story.given(after(hours=hours)))
        assert (seen.throughput_per_hour, seen.eta) == (None, None)


@pytest.mark.parametrize("hold", HOLDS)
def test_what_holds_a_campaign_back_stops_the_clock_while_nothing_runs(hold: str) -> None:
    """B-VIEW-1, B-PARK-2: units are ready, and half an hour long none of them may be claimed."""
    on, off = HOLDS[hold]
    story = begun()
    for _ in range(4):
        finish(story, 10)
    story.given(on, after(minutes=30))
    assert clock_s(story) == 40
    assert shown(story).throughput_per_hour == pytest.approx(360)
    story.given(off, after(seconds=5))
    assert clock_s(story) == 45
    finish(story, 5)
    assert shown(story).throughput_per_hour == pytest.approx(360)


@pytest.mark.parametrize("hold", [hold for hold in HOLDS if hold != "a pause of the campaign"])
def test_a_unit_that_runs_keeps_the_clock_running_whatever_holds_back_the_others(hold: str) -> None:
    """B-VIEW-1: what may still get done counts, until the last one has ended."""
    story = begun().given(claim(), after(seconds=3), HOLDS[hold][0], after(seconds=4))
    assert clock_s(story) == 7
    story.given(success(token(story)), after(hours=1))
    assert clock_s(story) == 7


def test_a_pause_of_the_campaign_stops_the_clock_though_a_unit_runs() -> None:
    """B-VIEW-1, B-CAMP-2: what drains says nothing about the pace."""
    story = begun().given(claim(), after(seconds=3), PAUSED, after(hours=1), c.PauseEngine())
    assert clock_s(story) == 3
    story.given(success(token(story)), RESUMED, after(hours=1))
    assert clock_s(story) == 3
    assert clock_s(story.given(c.ResumeEngine(), after(seconds=6))) == 9


def test_a_park_for_the_quota_stops_the_clock_until_the_gate_opens() -> None:
    """B-VIEW-1, B-PARK-1, B-PARK-2: half an hour, one unit parked, the others behind the gate."""
    story = begun()
    for _ in range(4):
        finish(story, 10)
    story.given(claim(), after(seconds=5))
    story.given(parking(token(story), resume_at=story.at + timedelta(minutes=30)), after(minutes=30))
    assert clock_s(story) == 45
    story.given(c.OpenGates(quotas=(Q,)), unparking("u04"), after(seconds=1))
    assert clock_s(story) == 46


def test_a_park_of_all_that_is_open_stops_the_clock() -> None:
    """B-VIEW-1, B-PARK-1: the gate is open, but there is nothing that could run."""
    story = begun("a", "b", "c", "d", "e", "f")
    for _ in range(4):
        finish(story, 10)
    story.given(order(c.ParkUnit, "e"), after(seconds=7))
    assert clock_s(story) == 47
    story.given(order(c.ParkUnit, "f"), after(minutes=30))
    assert clock_s(story) == 47
    story.given(order(c.UnparkUnit, "e"), after(seconds=3))
    assert clock_s(story) == 50


def test_the_rest_before_a_retry_counts_unless_the_campaign_is_held_back() -> None:
    """B-VIEW-1, B-RETRY-1: nobody parked it; the failure costs that time."""
    story = begun("a").given(claim(), after(seconds=1))
    story.given(failure(token(story)), after(seconds=2))
    assert story.states() == {"a": "delayed"}
    assert clock_s(story) == 3
    story.given(c.PauseEngine(), after(hours=1))
    assert clock_s(story) == 3
    assert clock_s(story.given(c.ResumeEngine(), after(seconds=4))) == 7
    story.given(CLOSED, after(hours=1), rested("a"), after(hours=1))
    assert (story.states(), clock_s(story)) == ({"a": "ready"}, 7)


@pytest.mark.parametrize("orders", [(c.CancelCampaign(name=NIGHT),), tuple(order(c.CancelUnit, key) for key in "bc")])
def test_the_clock_of_a_campaign_that_is_over_stands(orders: tuple[Step, ...]) -> None:
    """B-VIEW-1: cancelled, or nothing is open."""
    story = begun("a", "b", "c")
    finish(story, 10, idle_s=5)
    assert clock_s(story.given(*orders, after(days=1))) == 15


def test_an_outage_of_the_service_does_not_count_though_units_are_ready() -> None:
    """B-VIEW-1: of a night without a leader, in which nothing ran, a minute at most."""
    story = begun()
    finish(story, 10)
    assert clock_s(story.given(after(hours=8), c.ElectLeader(replica="r"), after(seconds=5))) == 10 + 60 + 5


def test_the_days_between_a_completion_and_more_work_do_not_count() -> None:
    """B-VIEW-1, B-CAMP-1: the clock goes on when the campaign is open again."""
    story = begun("a")
    finish(story, 10)
    story.given(after(days=3), adding("b"), after(seconds=5))
    assert clock_s(story) == 15
