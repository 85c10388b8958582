"""A recovery plan that is open: what it holds back, and what closes it without a decision."""

import pytest

from service.domain import commands as c
from service.domain import events as e
from service.domain import ids
from service.domain.rejections import Conflict
from tests.domain.outage import AWAY, BACK, GONE, applying, closing, detecting, ending, plan
from tests.domain.scenario import (
    NIGHT,
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
    success,
)


@pytest.mark.parametrize("minutes", [5, 9.9])
def test_claims_of_an_open_plan_do_not_expire(minutes: float) -> None:
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
def test_a_claim_by_name_closes_the_plan_of_a_paused_campaign(mode: ids.Mode, goes_on: bool) -> None:
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
