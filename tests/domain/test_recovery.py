"""Recoveries: what to do with a campaign whose workers all went while the service was away."""

from datetime import datetime, timedelta

import pytest

from service.domain import commands as c
from service.domain import events as e
from service.domain import ids
from service.domain.rejections import Conflict, NotFound
from tests.domain.scenario import (
    NIGHT,
    START,
    Scenario,
    W,
    adding,
    after,
    beat,
    campaign,
    claim,
    claimed,
    expiring,
    fact,
    failure,
    given,
    order,
    revoking,
    success,
)

BACK = START + timedelta(hours=1)
AWAY = (campaign(), adding("a", "b", "c", "d"), claimed("a", "t1"), success("t1"), claimed("c", "t3"), claimed("b", "t2"))
GONE = (*AWAY, after(hours=1, seconds=30))


def detecting(last_position: int = 6) -> c.DetectRecovery:
    """Return the watcher's order to look for what died with the service."""
    return c.DetectRecovery(campaign=NIGHT, last_position=last_position, heard_since=BACK)


def plan(story: Scenario) -> ids.RecoveryId:
    """Return the name of the story's plan."""
    return list(story.state.recoveries)[-1]


def applying(story: Scenario) -> c.ApplyRecovery:
    return c.ApplyRecovery(id=plan(story))


def declining(story: Scenario) -> c.DeclineRecovery:
    return c.DeclineRecovery(id=plan(story))


def test_a_campaign_whose_claims_all_died_with_the_service_gets_one_plan() -> None:
    """B-RECOV-1."""
    story = given(*GONE)
    story.when(detecting()).then(fact(e.RecoveryDetected, campaign=NIGHT, resumable=("b", "c"), preserved=1, last_position=6))
    assert plan(story) == f"r{len(story.log):x}"
    story.when(detecting()).then()


def closing(story: Scenario, heard_since: datetime = BACK) -> c.CloseRecoveries:
    """Return the watcher's order to close the story's plan if nobody need decide it."""
    return c.CloseRecoveries(ids=(plan(story), ids.RecoveryId("gone")), heard_since=heard_since)


def ending(*tokens: str) -> tuple[c.Command, ...]:
    """Return the watcher's orders to take claims back that a clock says are over."""
    return expiring(*tokens, heard_since=BACK), revoking(*tokens, heard_since=BACK)


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
def test_one_word_of_its_workers_and_there_is_no_plan(word: c.Command) -> None:
    """B-RECOV-1."""
    given(*AWAY, after(hours=1, seconds=5), word, after(seconds=25)).when(detecting()).then()


def test_a_campaign_without_claims_gets_no_plan() -> None:
    """B-RECOV-1."""
    given(campaign(), adding("a"), after(hours=1, seconds=30)).when(detecting()).then()
    unknown = c.DetectRecovery(campaign=ids.CampaignName("other"), last_position=1, heard_since=BACK)
    given(*GONE).when(unknown).then()


def test_to_apply_a_plan_makes_its_units_ready_and_counts_nothing() -> None:
    """B-RECOV-2, B-UNIT-2, B-BREAK-1."""
    story = given(*GONE, detecting())
    story.when(applying(story)).then(
        fact(e.RecoveryApplied, campaign=NIGHT, recovery=plan(story), units=("b", "c"), by="me"),
        fact(e.UnitReleased, unit="b", worker="w", token="t2", cause="recovery"),
        fact(e.UnitReleased, unit="c", worker="w", token="t3", cause="recovery"),
    )
    assert story.states() == {"a": "done", "b": "ready", "c": "ready", "d": "ready"}
    assert (story.unit("b").attempts, story.campaign().consecutive, story.state.engine.in_use) == (0, 0, 0)


def test_what_came_back_to_life_is_not_taken() -> None:
    """B-RECOV-2."""
    story = given(*GONE, detecting(), after(seconds=1), beat("t3"))
    story.when(applying(story)).then(fact(e.RecoveryApplied, units=("b",)), fact(e.UnitReleased, unit="b"))
    assert story.unit("c").state == "running"


def test_to_decline_a_plan_cancels_the_campaign() -> None:
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


@pytest.mark.parametrize("minutes", [5, 9.9])
def test_what_a_person_is_asked_about_is_taken_by_no_clock(minutes: float) -> None:
    """B-RECOV-1, B-CLAIM-3, B-RETRY-9: not by leases, not by dead ticks, not by watchdogs."""
    story = given(campaign(max_duration_s=60, heartbeat={"dead_s": 61}), *GONE[1:], detecting(), after(minutes=minutes))
    for clock in ending("t2", "t3"):
        story.when(clock).then()
    story.when(closing(story)).then()
    story.when(applying(story)).then(fact(e.RecoveryApplied, units=("b", "c")), *[fact(e.UnitReleased)] * 2)
    assert story.unit("b").attempts == 0


def test_a_plan_that_nobody_decides_is_closed_after_ten_minutes_and_policy_decides() -> None:
    """B-RECOV-1, B-CLAIM-3."""
    story = given(*GONE, detecting(), after(minutes=10, microseconds=-1))
    story.when(closing(story)).then()
    story.given(after(microseconds=1)).when(closing(story)).then(fact(e.RecoveryClosed, campaign=NIGHT, recovery=plan(story)))
    story.when(closing(story)).then()
    story.when(applying(story)).refused(Conflict, current="closed").recorded()
    story.when(expiring("t2", "t3", heard_since=BACK)).then(
        *[fact(e.LeaseExpired), fact(e.AttemptFailed, reason="lease_expired"), fact(e.RetryScheduled)] * 2
    )


def test_the_minutes_in_which_nobody_could_answer_do_not_count() -> None:
    """B-RECOV-1: a plan from before a second outage waits as long as one that is new."""
    story = given(*GONE, detecting(), after(hours=1))
    again = story.at
    story.given(after(minutes=9)).when(closing(story, again)).then()
    story.given(after(minutes=1)).when(closing(story, again)).then(fact(e.RecoveryClosed))


@pytest.mark.parametrize(
    "word",
    [beat("t2"), c.BeatWorker(worker=W), beat("t2", alive=False), success("t2"), failure("t2")],
    ids=["beats", "registers", "calls itself dead", "succeeds", "fails"],
)
def test_a_plan_is_closed_when_one_of_its_workers_is_back(word: c.Command) -> None:
    """B-RECOV-1: a heartbeat, or the report of an end; the claims of others are judged as ever."""
    story = given(
        *AWAY[:-1], claimed("b", "t2", worker="w"), claimed("d", "t4", worker="v"), after(hours=1, seconds=30), detecting()
    )
    story.when(closing(story)).then()
    story.given(after(seconds=1), word).when(closing(story)).then(fact(e.RecoveryClosed))
    story.given(after(seconds=269)).when(expiring("t4", heard_since=BACK)).then(
        fact(e.LeaseExpired), fact(e.AttemptFailed), fact(e.RetryScheduled)
    )


def test_a_person_who_steers_a_unit_of_a_plan_leaves_the_rest_to_decide() -> None:
    """B-RECOV-2."""
    story = given(*GONE, detecting(), order(c.CancelUnit, "b"), after(minutes=5))
    story.when(closing(story)).then()
    story.when(applying(story)).then(fact(e.RecoveryApplied, units=("c",)), fact(e.UnitReleased, unit="c"))


def test_a_plan_is_closed_when_its_units_have_all_moved_on() -> None:
    """B-RECOV-1."""
    story = given(*GONE, detecting(), order(c.CancelUnit, "b"), order(c.StopUnit, "c"))
    story.when(closing(story)).then(fact(e.RecoveryClosed))


def test_a_late_completion_under_a_plan_is_accepted() -> None:
    """B-CLAIM-5, A1: nobody has claimed the unit since; two valid tokens never are."""
    story = given(*GONE, detecting(), after(minutes=9))
    story.when(success("t2")).then(fact(e.UnitCompleted, unit="b"))
    story.when(claim(NIGHT, most=9))
    assert story.grants == ["d"]


@pytest.mark.parametrize(
    ("ask", "goes_on"),
    [
        (claim(NIGHT, worker="new"), True),
        (claim(NIGHT, "other", worker="new"), True),
        (claim("other", worker="new"), False),
        (claim(worker="new"), True),
        (claim(NIGHT, worker="new", gpu="no"), False),
        (claim(worker="new", gpu="no"), False),
        (claim(worker="new", mode="manual"), True),
        (claim(NIGHT, worker="drained"), False),
        (c.ClaimWork(worker=ids.WorkerId("new"), campaigns=(NIGHT,), kind="investigation"), False),
    ],
    ids=["it", "it among others", "another", "any", "it, not fitting", "any, not fitting", "any, by hand", "drained", "looking"],
)
def test_a_plan_is_closed_when_somebody_asks_for_work_of_its_campaign(ask: c.ClaimWork, goes_on: bool) -> None:
    """B-RECOV-1: its orchestrator is back, also where the plan's units are the last; they come back when their leases end."""
    drained = ids.WorkerId("drained")
    story = given(c.BeatWorker(worker=drained), c.DrainWorker(worker=drained), campaign("other"), adding("x", to="other"))
    story.given(campaign(labels={"gpu": "yes"}), *GONE[1:-1], claimed("d", "t4"), order(c.CancelUnit, "x", of="other"), GONE[-1])
    story.given(detecting()).when(ask)
    assert story.outcome.reply.claims == ()
    story.then(*[fact(e.RecoveryClosed, campaign=NIGHT)] * goes_on)
    story.given(after(seconds=1)).when(ask).then()
    story.when(detecting()).then()
    story.given(after(seconds=269)).when(expiring("t2", heard_since=BACK))
    story.then(*[fact(e.LeaseExpired), fact(e.AttemptFailed), fact(e.RetryScheduled)] * goes_on)


@pytest.mark.parametrize("where", [(), (NIGHT,)])
def test_a_plan_is_closed_when_somebody_is_given_work_of_its_campaign(where: tuple[str, ...]) -> None:
    """B-RECOV-1."""
    story = given(*GONE, detecting()).when(claim(*where, worker="new"))
    story.then(fact(e.UnitClaimed, unit="d", worker="new"), fact(e.RecoveryClosed, campaign=NIGHT))
    story.when(applying(story)).refused(Conflict, current="closed").recorded()


def test_a_worker_that_gets_all_it_asks_for_elsewhere_says_nothing_about_a_plan() -> None:
    """B-RECOV-1."""
    story = given(*GONE, detecting(), order(c.CancelUnit, "d"), campaign("other"), adding("x", "y", to="other"))
    story.when(claim(worker="new")).then(fact(e.UnitClaimed, campaign="other"))
    story.when(claim(worker="new", most=2)).then(fact(e.UnitClaimed, campaign="other"), fact(e.RecoveryClosed, campaign=NIGHT))


@pytest.mark.parametrize(("mode", "goes_on"), [("auto", False), ("manual", True)])
def test_who_may_have_nothing_of_a_paused_campaign_asks_for_it_by_name(mode: ids.Mode, goes_on: bool) -> None:
    """B-RECOV-1."""
    paused = (*GONE, detecting(), c.PauseCampaign(name=NIGHT))
    given(*paused).when(claim(worker="new", mode=mode)).then(
        *[fact(e.UnitClaimed), fact(e.RecoveryClosed)] * goes_on,
    )
    given(*paused).when(claim(NIGHT, worker="new")).then(fact(e.RecoveryClosed))


def test_a_full_pool_of_dead_claims_keeps_nobody_from_going_on() -> None:
    """B-RECOV-1, B-CLAIM-7: the claims of the plan fill every slot."""
    story = given(*GONE, detecting(), c.ResizePool(pool_size=2))
    story.when(claim(NIGHT, worker="new")).then(fact(e.RecoveryClosed))
    assert [blocked.reason for blocked in story.outcome.reply.blocked] == ["pool"]


def test_nobody_is_asked_twice_about_the_same_death() -> None:
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
