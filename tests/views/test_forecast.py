"""When a campaign may end, and what its breaker's threshold means: said with evidence, or not at all."""

from datetime import timedelta
from random import Random
from typing import Any

import pytest

from projections.views.campaign.card import CampaignCard
from projections.views.campaign.durations import MAX_COUNT, Durations
from projections.views.campaign.forecast import attempts_between_false_trips, failure_rate, remaining_s
from projections.views.campaign.throughput import Throughput
from projections.views.campaign.timeline import Timeline
from projections.views.campaign.view import campaign_view
from projections.views.fold import ReadModels
from projections.views.measurement import microseconds
from service.domain import commands as c
from service.domain import events as e
from service.domain.campaign import Counts
from service.domain.policy import BreakerPolicy, Policy
from tests.domain.scenario import NIGHT, START, Scenario, W, adding, after, campaign, claim, failure, success

THROUGHPUT = Throughput(clock_us=100_000_000, minutes=[[0, 10]])
EVEN = Durations({40: 10})


def card(**fields: Any) -> CampaignCard:  # noqa: ANN401 - fields of a card
    """Return the card of a campaign with *fields*."""
    base: dict[str, Any] = {
        "name": NIGHT, "title": "Night", "policy": Policy(), "labels": {}, "auto": True, "quota": None, "brief": None,
        "brief_rev": 0, "deadline": None, "created_at": START,
    }  # fmt: skip
    return CampaignCard(**(base | fields))


def folded(story: Scenario) -> CampaignCard:
    """Return the card of the story's campaign."""
    cards = ReadModels()
    for event in story.log:
        cards.fold(event)
    return cards.campaigns[NIGHT]


def pace_of(story: Scenario) -> float | None:
    """Return the units that are done in a second, as the story's campaign tells it now."""
    return folded(story).throughput.rate(microseconds(story.at))


def finish(story: Scenario, seconds: float) -> None:
    """Claim one unit, work for a while, and end it."""
    story.given(claim(), after(seconds=seconds))
    story.when(success(story.outcome.reply.claims[0].token))


def test_those_that_run_share_what_is_left_and_every_wave_takes_a_unit_of_time() -> None:
    """B-VIEW-1: ten units on five hands are two rounds; in four waves they are four."""
    counts = Counts(ready=5, running=5, done=10)
    assert remaining_s(card(durations=EVEN, counts=counts)) == pytest.approx((2 * 1.024, 2 * 1.024))
    assert remaining_s(card(durations=EVEN, counts=counts, waves_left=4)) == pytest.approx((4 * 1.024, 4 * 1.024))
    half_fail = Timeline(done=[10], failed=[10])
    assert remaining_s(card(durations=EVEN, counts=counts, timeline=half_fail)) == pytest.approx((4 * 1.024, 4 * 1.024))


def test_the_interval_encloses_the_eta_and_is_wider_where_units_differ() -> None:
    """B-VIEW-1."""
    uneven = Durations({40: 6, 56: 4})
    seen = campaign_view(card(durations=uneven, counts=Counts(ready=5, running=5, done=10), throughput=THROUGHPUT), None, START)
    assert seen.eta is not None
    assert seen.eta_low is not None
    assert seen.eta_high is not None
    assert seen.eta_low <= seen.eta <= seen.eta_high
    assert seen.eta_high - seen.eta_low > timedelta(seconds=20)


@pytest.mark.parametrize(
    "fields",
    [
        {"durations": Durations({40: 2}), "counts": Counts(ready=5, running=5)},
        {"durations": EVEN, "counts": Counts(ready=5)},
        {"durations": EVEN, "counts": Counts(ready=5, running=1), "paused_at": START},
        {"durations": EVEN, "counts": Counts(ready=5, running=1), "tripped": 3},
        {"durations": Durations({200: 9}), "counts": Counts(ready=10**6, running=1)},
    ],
)
def test_the_interval_is_absent_rather_than_wrong(fields: dict[str, Any]) -> None:
    """B-VIEW-1."""
    seen = campaign_view(card(throughput=THROUGHPUT, **fields), None, START)
    assert (seen.eta_low, seen.eta_high) == (None, None)


def test_quantiles_stay_within_a_tenth_and_follow_what_units_take_lately() -> None:
    """B-VIEW-1: bounded, however many units there were."""
    dice, durations = Random(1), Durations()
    taken = sorted(dice.lognormvariate(3, 1) for _ in range(1000))
    for seconds in taken:
        durations.observe(seconds)
    for part in (0.5, 0.9):
        assert durations.quantile(part) == pytest.approx(taken[int(part * 1000)], rel=0.1)
    for _ in range(3 * MAX_COUNT):
        durations.observe(0.5)
    assert durations.quantile(0.9) == pytest.approx(0.5, rel=0.1)
    assert durations.count < MAX_COUNT


def test_paused_time_does_not_count_though_something_still_runs() -> None:
    """B-VIEW-1, B-CAMP-2: what drains during a pause says nothing about the pace."""
    story = Scenario().given(campaign(), adding(*"abcdefgh"))
    for _ in range(4):
        finish(story, 10)
    story.given(claim(most=2), c.PauseCampaign(name=NIGHT), after(hours=2))
    assert pace_of(story) == pytest.approx(0.1)
    tokens = list(story.state.claims)
    story.given(success(tokens[0]), after(hours=1), c.ResumeCampaign(name=NIGHT), after(seconds=10))
    story.when(success(tokens[1]))
    assert pace_of(story) == pytest.approx(0.1)


def test_an_outage_of_the_service_does_not_slow_a_campaign_down() -> None:
    """B-VIEW-1: a night without a leader, a unit running."""
    story = Scenario().given(campaign(lease_s=86_400, max_duration_s=604_800), adding(*"abcdefgh"))
    for _ in range(4):
        finish(story, 60)
    story.given(claim(), after(seconds=30), c.BeatWorker(worker=W), after(hours=8))
    token = next(iter(story.state.claims))
    story.given(c.ElectLeader(replica="r"), after(seconds=30), success(token))
    assert pace_of(story) == pytest.approx(5 / (4 * 60 + 30 + 60 + 30))


def test_a_new_leader_without_a_silence_changes_nothing() -> None:
    """B-VIEW-1: a replica took over at once."""
    story = Scenario().given(campaign(), adding(*"abcdefgh"))
    for _ in range(3):
        story.given(claim(), after(seconds=50), c.ElectLeader(replica="r"), after(seconds=50))
        story.when(success(next(iter(story.state.claims))))
    assert pace_of(story) == pytest.approx(0.01)


@pytest.mark.parametrize(("rate", "threshold", "attempts"), [(0.5, 1, 2), (0.5, 3, 14), (0.2, 3, 155), (0.9, 5, 6.935)])
def test_the_formula_is_the_mean_of_the_first_run_of_failures(rate: float, threshold: int, attempts: float) -> None:
    """B-BREAK-2: (1 - p^k) / (p^k (1 - p)), held against coin flips."""
    assert attempts_between_false_trips(rate, threshold) == pytest.approx(attempts, rel=1e-3)
    dice, flips, trips, run = Random(7), 200_000, 0, 0
    for _ in range(flips):
        run = run + 1 if dice.random() < rate else 0
        if run == threshold:
            trips, run = trips + 1, 0
    assert flips / trips == pytest.approx(attempts, rel=0.06)


def test_the_card_says_how_many_attempts_lie_between_false_trips_once_there_is_evidence() -> None:
    """B-BREAK-2: twenty attempts, a fifth of them failed."""
    few = card(timeline=Timeline(done=[15], failed=[4]))
    assert (failure_rate(few), campaign_view(few, None, START).breaker.expected_attempts_between_false_trips) == (None, None)
    assert failure_rate(card(timeline=Timeline(done=[50], failed=[]))) is None
    enough = card(timeline=Timeline(done=[10, 6], failed=[1, 3]))
    assert campaign_view(enough, None, START).breaker.expected_attempts_between_false_trips == pytest.approx(155)
    units = Policy(breaker=BreakerPolicy(threshold=2, counts="units"))
    counted = card(policy=units, counts=Counts(done=30, quarantined=10), timeline=Timeline(done=[30], failed=[100]))
    assert campaign_view(counted, None, START).breaker.expected_attempts_between_false_trips == pytest.approx(20)


def test_failures_of_a_story_give_its_rate() -> None:
    """B-BREAK-1, B-BREAK-2: counted from the log."""
    story = Scenario().given(campaign(max_attempts=1, breaker={"threshold": 3}), adding(*(f"u{n:02}" for n in range(30))))
    for number in range(24):
        story.given(claim(), after(seconds=1))
        token = next(iter(story.state.claims))
        story.when(failure(token) if number % 4 == 0 else success(token))
    assert failure_rate(folded(story)) == 0.25
    assert isinstance(story.log[-1].body, e.UnitCompleted)
