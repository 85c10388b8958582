"""Recoveries: what to do with a campaign whose workers all went while the service was away."""

from datetime import timedelta

import pytest

from service.domain import commands as c
from service.domain import events as e
from service.domain import ids
from service.domain.rejections import Conflict, NotFound
from tests.domain.outage import AWAY, BACK, GONE, applying, closing, declining, detecting, plan
from tests.domain.scenario import (
    NIGHT,
    START,
    adding,
    after,
    beat,
    campaign,
    claimed,
    fact,
    given,
)


def test_a_campaign_whose_claims_all_died_with_the_service_gets_one_plan() -> None:
    """B-RECOV-1."""
    story = given(*GONE)
    story.when(detecting()).then(fact(e.RecoveryDetected, campaign=NIGHT, resumable=("b", "c"), preserved=1, last_position=6))
    assert plan(story) == f"r{len(story.log):x}"
    story.when(detecting()).then()


@pytest.mark.parametrize("lease_s", [1, 2, 300])
def test_a_plan_is_made_after_a_warning_or_half_a_lease(lease_s: float) -> None:
    """B-RECOV-1: who lives is heard until then."""
    patience = timedelta(seconds=min(lease_s / 2, 30))
    story = given(campaign(lease_s=lease_s), adding("a"), claimed("a", "t1"), after(hours=1))
    story.given(patience - after(milliseconds=1)).when(detecting()).then()
    story.given(after(milliseconds=1)).when(detecting()).then(fact(e.RecoveryDetected))


@pytest.mark.parametrize("late", [timedelta(seconds=300), timedelta(hours=5)])
def test_a_plan_is_still_made_when_leases_are_due_to_expire(late: timedelta) -> None:
    """B-RECOV-1: nobody has taken the claims back yet."""
    given(*AWAY, after(hours=1), late).when(detecting()).then(fact(e.RecoveryDetected, resumable=("b", "c")))


def test_a_plan_waits_until_the_leases_are_over() -> None:
    """B-RECOV-1: a service that was away for a moment cannot know yet."""
    quick = c.DetectRecovery(campaign=NIGHT, last_position=6, heard_since=START + timedelta(seconds=100))
    story = given(*AWAY, after(seconds=299)).when(quick).then()
    story.given(after(seconds=1)).when(quick).then(fact(e.RecoveryDetected))


@pytest.mark.parametrize("word", [beat("t2"), c.BeatWorker(worker=ids.WorkerId("w"))], ids=lambda word: type(word).__name__)
def test_a_report_of_its_workers_prevents_a_plan(word: c.Command) -> None:
    """B-RECOV-1."""
    given(*AWAY, after(hours=1, seconds=5), word, after(seconds=25)).when(detecting()).then()


def test_a_campaign_without_claims_gets_no_plan() -> None:
    """B-RECOV-1."""
    given(campaign(), adding("a"), after(hours=1, seconds=30)).when(detecting()).then()
    unknown = c.DetectRecovery(campaign=ids.CampaignName("other"), last_position=1, heard_since=BACK)
    given(*GONE).when(unknown).then()


def test_applying_a_plan_readies_its_units_without_counting_attempts() -> None:
    """B-RECOV-2, B-UNIT-2, B-BREAK-1."""
    story = given(*GONE, detecting())
    story.when(applying(story)).then(
        fact(e.RecoveryApplied, campaign=NIGHT, recovery=plan(story), units=("b", "c"), by="me"),
        fact(e.UnitReleased, unit="b", worker="w", token="t2", cause="recovery"),
        fact(e.UnitReleased, unit="c", worker="w", token="t3", cause="recovery"),
    )
    assert story.states() == {"a": "done", "b": "ready", "c": "ready", "d": "ready"}
    assert (story.unit("b").attempts, story.campaign().consecutive, story.state.engine.in_use) == (0, 0, 0)


def test_applying_a_plan_leaves_revived_claims_alone() -> None:
    """B-RECOV-2."""
    story = given(*GONE, detecting(), after(seconds=1), beat("t3"))
    story.when(applying(story)).then(fact(e.RecoveryApplied, units=("b",)), fact(e.UnitReleased, unit="b"))
    assert story.unit("c").state == "running"


def test_declining_a_plan_cancels_the_campaign() -> None:
    """B-RECOV-2."""
    story = given(*GONE, detecting())
    story.when(declining(story)).then(
        fact(e.RecoveryDeclined, recovery=plan(story), by="me"),
        fact(e.CampaignCancelled, campaign=NIGHT, reason="interrupted-not-resumed"),
        fact(e.UnitReleased, unit="b"),
        fact(e.UnitCancelled, unit="b"),
        fact(e.UnitReleased, unit="c"),
        fact(e.UnitCancelled, unit="c"),
        fact(e.UnitCancelled, unit="d"),
    )
    assert story.states() == {"a": "done", "b": "cancelled", "c": "cancelled", "d": "cancelled"}


@pytest.mark.parametrize("second", [c.ApplyRecovery, c.DeclineRecovery])
@pytest.mark.parametrize("first", [c.ApplyRecovery, c.DeclineRecovery])
def test_a_plan_is_decided_once(first: type[c.RecoveryCommand], second: type[c.RecoveryCommand]) -> None:
    """B-RECOV-2."""
    story = given(*GONE, detecting())
    current = "applied" if first is c.ApplyRecovery else "declined"
    story.given(first(id=plan(story))).when(second(id=plan(story))).refused(Conflict, field="state", current=current).recorded()


@pytest.mark.parametrize("kind", [c.ApplyRecovery, c.DeclineRecovery])
def test_an_unknown_plan_is_not_found(kind: type[c.RecoveryCommand]) -> None:
    """B-RECOV-2."""
    given(*GONE).when(kind(id=ids.RecoveryId("rff"))).refused(NotFound, field="id", current="rff").recorded()


def test_a_dead_claim_is_in_one_plan_only() -> None:
    """B-RECOV-1: but after another outage, of what is still there."""
    story = given(*GONE, detecting(), after(minutes=10))
    story.given(closing(story)).when(detecting()).then()
    story.given(after(minutes=1, seconds=30))
    again = c.DetectRecovery(campaign=NIGHT, last_position=9, heard_since=story.at - timedelta(seconds=30))
    story.when(again).then(fact(e.RecoveryDetected, resumable=("b", "c")))


def test_a_plan_without_dead_claims_is_closed_at_the_latest_when_somebody_decides() -> None:
    """B-RECOV-2."""
    story = given(*GONE, detecting(), after(seconds=1), beat("t2"), beat("t3"))
    story.when(declining(story)).refused(Conflict, current="closed").recorded(fact(e.RecoveryClosed))
    assert story.campaign().state == "running"


def test_a_second_outage_gets_a_second_plan() -> None:
    """B-RECOV-1."""
    story = given(*GONE, detecting())
    story.given(applying(story), claimed("b", "t4"), after(hours=2, seconds=30))
    again = c.DetectRecovery(campaign=NIGHT, last_position=9, heard_since=BACK + timedelta(hours=2))
    story.when(again).then(fact(e.RecoveryDetected, resumable=("b",), preserved=1))


def test_a_recovery_counts_toward_the_claims_of_a_unit() -> None:
    """B-RECOV-2, B-UNIT-6."""
    story = given(campaign(max_claims=1), adding("a"), claimed("a", "t1"), after(hours=1, seconds=30), detecting(3))
    story.when(applying(story)).then(
        fact(e.RecoveryApplied),
        fact(e.UnitReleased),
        fact(e.UnitQuarantined, reason="max_claims"),
        fact(e.CampaignCompleted),
    )
