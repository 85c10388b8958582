"""The breaker: what counts, when it trips, what arms it again."""

import pytest

from service.domain import commands as c
from service.domain import events as e
from service.domain import ids
from service.domain.rejections import NotFound
from tests.domain.scenario import (
    NIGHT,
    Step,
    W,
    adding,
    after,
    campaign,
    claim,
    claimed,
    clearing,
    editing,
    expiring,
    fact,
    failure,
    given,
    handing_back,
    order,
    parking,
    success,
)


def failing(*keys: str) -> tuple[Step, ...]:
    """Let units fail one after the other."""
    return tuple(step for key in keys for step in (claimed(key, f"t-{key}"), failure(f"t-{key}")))


BEGIN = (campaign(concurrency=9), adding(*"abcdefgh"))
TRIPPED = (*BEGIN, claimed("h", "early", mode="manual"), *failing("a", "b", "c"))


def test_the_third_failure_in_a_row_trips_the_breaker_and_names_all_three() -> None:
    """B-BREAK-1, B-BREAK-2."""
    story = given(*BEGIN, *failing("a", "b"), claimed("c", "t")).when(failure("t"))
    story.then(
        fact(e.AttemptFailed, position=10),
        fact(e.RetryScheduled),
        fact(e.BreakerTripped, campaign=NIGHT, failures=(4, 7, 10), threshold=3),
    )
    assert story.when(claim(NIGHT)).outcome.reply.blocked == (c.BlockedCampaign(NIGHT, "breaker"),)
    assert story.when(claim(most=9)).grants == []


def test_other_campaigns_are_untouched() -> None:
    """B-BREAK-2."""
    story = given(*TRIPPED, campaign("day"), adding("x", to="day"))
    assert story.when(claim(most=9)).grants == ["x"]


@pytest.mark.parametrize("reason", ["crash", "timeout", "idle_no_output", "launch_failed", "spawn", "error", "max_duration"])
def test_every_failed_attempt_adds_one(reason: ids.FailureReason) -> None:
    """B-BREAK-1."""
    story = given(*BEGIN, claimed("a", "t", mode="manual"), failure("t", reason))
    assert story.campaign().consecutive == 1


def test_a_success_sets_zero() -> None:
    """B-BREAK-1."""
    story = given(*BEGIN, *failing("a", "b"), claimed("c", "t"), success("t"), *failing("d", "e"))
    assert (story.campaign().consecutive, story.campaign().tripped) == (2, None)


@pytest.mark.parametrize(
    "end",
    [
        parking("t"),
        handing_back("t"),
        handing_back("t", "stop"),
        order(c.StopUnit, "h"),
        order(c.CancelUnit, "h"),
        order(c.QuarantineUnit, "h"),
        order(c.ParkUnit, "h"),
        c.FenceWorker(worker=W),
        c.DrainWorker(worker=W),
    ],
    ids=lambda command: type(command).__name__,
)
def test_neutral_ends_change_nothing(end: c.Command) -> None:
    """B-BREAK-1."""
    story = given(*BEGIN, *failing("a", "b"), claimed("h", "t")).when(end)
    assert not any(isinstance(event.body, e.BreakerTripped) for event in story.outcome.events)
    assert story.campaign().consecutive == 2


def test_the_breaker_can_count_units_instead_of_attempts() -> None:
    """B-BREAK-1."""
    story = given(
        campaign(breaker={"counts": "units", "threshold": 2}, max_attempts=1), adding("a", "b", "c"), order(c.QuarantineUnit)
    )
    assert story.campaign().consecutive == 0
    story.given(*failing("b"), claimed("c", "t")).when(failure("t"))
    story.then(fact(e.AttemptFailed), fact(e.UnitQuarantined), fact(e.BreakerTripped, failures=(6, 9)), fact(e.CampaignCompleted))


def test_a_rest_is_no_failed_unit() -> None:
    """B-BREAK-1."""
    story = given(campaign(breaker={"counts": "units", "threshold": 1}), adding("a"), *failing("a"))
    assert (story.campaign().consecutive, story.campaign().tripped) == (0, None)


def test_manual_claims_work_and_a_manual_success_after_the_trip_arms_it_again() -> None:
    """B-BREAK-3."""
    story = given(*TRIPPED).given(claim(mode="manual"))
    token = story.unit("d").token or ""
    story.when(success(token)).then(fact(e.UnitCompleted), fact(e.BreakerReset, cause="manual_success", by="me"))
    assert story.campaign().tripped is None
    assert story.when(claim()).grants == ["e"]


def test_a_success_of_an_attempt_claimed_before_the_trip_does_not_arm_it() -> None:
    """B-BREAK-3."""
    story = given(*TRIPPED).when(success("early")).then(fact(e.UnitCompleted))
    assert story.campaign().tripped is not None
    assert story.campaign().consecutive == 0


def test_an_automatic_success_after_the_trip_does_not_arm_it() -> None:
    """B-BREAK-3."""
    story = given(*BEGIN, claimed("h", "auto"), *failing("a", "b", "c")).when(success("auto")).then(fact(e.UnitCompleted))
    assert story.campaign().tripped is not None


def test_a_late_manual_success_arms_it_by_its_own_claim() -> None:
    """B-BREAK-3, B-CLAIM-5."""
    story = given(*TRIPPED, claimed("d", "t", mode="manual"), after(seconds=300), expiring("t"))
    story.when(success("t")).then(fact(e.UnitCompleted), fact(e.BreakerReset, cause="manual_success"))


@pytest.mark.parametrize(
    "steps",
    [
        (editing(auto=False), editing(auto=True)),
        (c.PauseCampaign(name=NIGHT), c.ResumeCampaign(name=NIGHT)),
        (editing(policy={"breaker": {"threshold": 9}}),),
        (c.PauseEngine(), c.ResumeEngine()),
        (c.TickEngine(force=True),),
    ],
)
def test_switches_do_not_clear_it(steps: tuple[c.Command, ...]) -> None:
    """B-BREAK-4."""
    story = given(*TRIPPED, *steps)
    assert story.when(claim(NIGHT)).outcome.reply.blocked == (c.BlockedCampaign(NIGHT, "breaker"),)


def test_it_trips_once_however_many_failures_follow() -> None:
    """B-BREAK-2."""
    story = given(*BEGIN, claimed("h", "t"), *failing("a", "b", "c")).when(failure("t"))
    story.then(fact(e.AttemptFailed), fact(e.RetryScheduled))


def test_a_reset_counts_from_zero_and_kicks_one_sweep() -> None:
    """B-BREAK-5."""
    story = given(*TRIPPED).when(c.ResetBreaker(name=NIGHT, reason="mended"))
    story.then(fact(e.BreakerReset, campaign=NIGHT, cause="reset", by="me", reason="mended"), fact(e.EngineSwept, cause="reset"))
    assert story.when(claim()).grants == ["d"]
    story.given(*failing("e", "f"))
    assert story.campaign().tripped is None
    given(*BEGIN).when(c.ResetBreaker(name=NIGHT)).then()
    given().when(c.ResetBreaker(name=NIGHT)).refused(NotFound).recorded()


def test_a_lower_threshold_trips_at_once_when_it_is_already_reached() -> None:
    """B-BREAK-2, B-CAMP-3."""
    story = given(*BEGIN, *failing("a", "b")).when(editing(policy={"breaker": {"threshold": 2}}))
    story.then(fact(e.CampaignEdited), fact(e.BreakerTripped, failures=(4, 7), threshold=2))


def test_a_higher_threshold_names_as_many_failures_as_it_asks_for() -> None:
    """B-BREAK-2."""
    story = given(*BEGIN, *failing("a", "b"), editing(policy={"breaker": {"threshold": 4}}), *failing("c"), claimed("d", "t"))
    story.when(failure("t")).then(fact(e.AttemptFailed), fact(e.RetryScheduled), fact(e.BreakerTripped, failures=(4, 7, 11, 14)))


def test_a_retry_of_failed_units_does_not_clear_it() -> None:
    """B-BREAK-4."""
    story = given(campaign(max_attempts=1), adding("a", "b", "c"), *failing("a", "b", "c"), clearing("a"))
    assert story.campaign().tripped is not None


def test_all_consequences_follow_their_cause_in_order() -> None:
    """events.md: failed, quarantined, skipped, tripped, completed."""
    story = given(campaign(breaker={"threshold": 1}, max_attempts=1), adding("a"), claimed("a", "t"))
    from_import = c.AddUnits(campaign=NIGHT, units=(c.UnitSpec(key=ids.UnitKey("b"), depends_on=(ids.UnitKey("a"),)),))
    story.given(from_import).when(failure("t")).then(
        fact(e.AttemptFailed, unit="a"),
        fact(e.UnitQuarantined, unit="a"),
        fact(e.UnitSkipped, unit="b"),
        fact(e.BreakerTripped),
        fact(e.CampaignCompleted),
    )
    first = story.outcome.events[0].position
    assert [event.position for event in story.outcome.events] == list(range(first, first + 5))
