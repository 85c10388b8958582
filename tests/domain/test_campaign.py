"""Campaigns: beginning, edits, switches, end."""

from datetime import timedelta

import pytest

from service.domain import commands as c
from service.domain import events as e
from service.domain.policy import DEFAULT, merged
from service.domain.rejections import Conflict, NotFound, PreconditionFailed, StaleClaim, Unprocessable
from tests.domain.scenario import (
    NIGHT,
    START,
    adding,
    beat,
    campaign,
    claim,
    claimed,
    clearing,
    editing,
    fact,
    failure,
    given,
    order,
    parking,
    spec,
    success,
)

ONE = (campaign(), adding("a"))
TWO = (campaign(), adding("a", "b"))


def test_a_campaign_begins_with_a_complete_policy_and_its_units() -> None:
    """B-CAMP-3."""
    story = given().when(
        c.CreateCampaign(name=NIGHT, policy={"max_attempts": 5}, brief="do", units=(spec("a"), spec("b", "a", group=3)))
    )
    story.then(
        fact(e.CampaignCreated, campaign=NIGHT, title=NIGHT, policy=merged(DEFAULT, {"max_attempts": 5}), brief_rev=1),
        fact(e.UnitsAdded, campaign=NIGHT),
    )
    assert story.states() == {"a": "ready", "b": "blocked"}
    story.when(c.CreateCampaign(name=NIGHT)).refused(Conflict, field="name", current=NIGHT).recorded()


@pytest.mark.parametrize(
    ("command", "field"),
    [
        (c.CreateCampaign(name=NIGHT, policy={"max_attempts": 11}), "policy.max_attempts"),
        (c.CreateCampaign(name=NIGHT, policy={"retry": {"factor": 9}}), "policy.retry.factor"),
        (c.CreateCampaign(name=NIGHT, policy={"retry": {"jitter": {"ratio": 2}}}), "policy.retry.jitter.ratio"),
        (c.CreateCampaign(name=NIGHT, policy={"lease_s": 0}), "policy.lease_s"),
        (c.CreateCampaign(name=NIGHT, policy={"heartbeat": {"warn_s": 90}}), "policy.heartbeat"),
        (c.CreateCampaign(name=NIGHT, deadline=START), "deadline"),
        (c.CreateCampaign(name=NIGHT, units=(spec("a", "z"),)), "units[0].depends_on"),
        (c.CreateCampaign(name=NIGHT, units=(spec("a", "b"), spec("b", "a"))), "depends_on"),
    ],
)
def test_a_campaign_that_cannot_be_is_refused_by_the_field(command: c.CreateCampaign, field: str) -> None:
    """B-CAMP-3, B-DAG-1."""
    given().when(command).refused(Unprocessable, field=field).recorded()


def test_a_campaign_completes_when_nothing_is_open() -> None:
    """B-CAMP-1."""
    given(campaign()).when(order(c.StopUnit)).refused(NotFound).recorded()
    story = given(*TWO, claimed("a", "t1"), claimed("b", "t2"), success("t1"))
    story.when(success("t2")).then(
        fact(e.UnitCompleted, unit="b"),
        fact(e.CampaignCompleted, outcome="achieved", units={"done": 2, "skipped": 0, "cancelled": 0, "quarantined": 0}),
    )
    assert story.campaign().state == "completed"


@pytest.mark.parametrize("done", [0, 1])
def test_a_campaign_of_which_units_were_given_up_is_partial(done: int) -> None:
    """B-CAMP-1: also when nothing was done at all."""
    story = given(campaign(), adding("x", spec("a"), spec("b", "a")))
    story.given(*((claimed("x", "t"), success("t")) if done else (order(c.CancelUnit, "x"),)))
    units = {"done": done, "skipped": 1, "cancelled": 2 - done, "quarantined": 0}
    story.when(order(c.CancelUnit, "a"))
    story.then(fact(e.UnitCancelled), fact(e.UnitSkipped), fact(e.CampaignCompleted, outcome="partial", units=units))


def test_a_campaign_with_a_quarantined_unit_has_failed() -> None:
    """B-CAMP-1."""
    story = given(*TWO, claimed("a", "t1"), success("t1"), claimed("b", "t2")).when(failure("t2", retryable=False))
    story.then(
        fact(e.AttemptFailed),
        fact(e.UnitQuarantined, reason="not_retryable"),
        fact(e.CampaignCompleted, outcome="failed"),
    )


def test_a_paused_campaign_completes() -> None:
    """B-CAMP-1, B-CLAIM-6."""
    story = given(*ONE, claimed("a", "t1"), c.PauseCampaign(name=NIGHT), c.PauseEngine())
    story.when(success("t1")).then(fact(e.UnitCompleted), fact(e.CampaignCompleted, outcome="achieved"))


def test_new_units_and_retries_reopen_a_completed_campaign() -> None:
    """B-CAMP-1."""
    story = given(*ONE, claimed("a", "t1"), failure("t1", retryable=False))
    story.when(order(c.RetryUnit)).then(fact(e.QuarantineCleared, to="ready"), fact(e.CampaignReopened, cause="retry"))
    story.given(claimed("a", "t2"), success("t2"))
    story.when(adding("a")).then()
    story.when(adding("a", "b")).then(fact(e.UnitsAdded), fact(e.CampaignReopened, cause="units_added"))
    assert story.campaign().state == "running"


def test_an_import_that_is_skipped_at_once_leaves_the_campaign_completed() -> None:
    """B-CAMP-1, B-DAG-2."""
    story = given(*ONE, order(c.QuarantineUnit)).when(adding(spec("b", "a"), spec("c", "b")))
    story.then(
        fact(e.UnitsAdded),
        fact(e.UnitSkipped, unit="b", because_of="a", path=("a", "b")),
        fact(e.UnitSkipped, unit="c", because_of="a", path=("a", "b", "c")),
        fact(e.CampaignReopened),
        fact(e.CampaignCompleted, outcome="failed"),
    )


def test_pausing_twice_is_one_pause_with_its_first_reason() -> None:
    """B-CAMP-2."""
    story = given(*ONE).when(c.PauseCampaign(name=NIGHT, reason="lunch")).then(fact(e.CampaignPaused, reason="lunch", by="me"))
    story.when(c.PauseCampaign(name=NIGHT, reason="dinner")).then()
    row = story.campaign()
    assert (row.paused_at, row.paused_by, row.paused_reason, row.state) == (START, "me", "lunch", "paused")
    assert story.when(claim(NIGHT)).outcome.reply.blocked == (c.BlockedCampaign(NIGHT, "paused"),)
    assert story.when(claim(NIGHT, mode="manual")).grants == ["a"]
    story.when(c.ResumeCampaign(name=NIGHT)).then(fact(e.CampaignResumed, by="me"))
    story.when(c.ResumeCampaign(name=NIGHT)).then()


def test_an_edit_holds_old_and_new_and_is_guarded_by_the_version() -> None:
    """B-CAMP-3."""
    story = given(*ONE).when(editing(if_match=1, title="Night", policy={"concurrency": 9}, brief="new"))
    event = e.CampaignEdited(
        changes={
            "title": e.Change(NIGHT, "Night"),
            "brief": e.Change("do it", "new"),
            "policy": e.Change(DEFAULT, merged(DEFAULT, {"concurrency": 9})),
        },
        brief_rev=2,
    )
    story.then(fact(e.CampaignEdited, changes=event.changes, brief_rev=2))
    story.when(editing(if_match=1, title="Day")).refused(PreconditionFailed, current=2).recorded()
    story.when(editing(title="Night")).then()
    story.when(editing(deadline=START)).refused(Unprocessable, field="deadline")
    story.when(editing(policy={"concurrency": 0})).refused(Unprocessable, field="policy.concurrency").recorded()


def test_a_null_in_an_edit_gives_back_the_default() -> None:
    """B-CAMP-3."""
    story = given(
        campaign(labels={"team": "core", "gpu": "no"}, quota="q", concurrency=9), editing(deadline=START + timedelta(1))
    )
    story.given(editing(policy={"concurrency": None}, labels={"gpu": None}, quota=None, deadline=None, title=None, brief=None))
    row = story.then(fact(e.CampaignEdited)).campaign()
    assert (row.policy, row.labels, row.quota, row.deadline, row.title, row.brief) == (
        DEFAULT,
        {"team": "core"},
        None,
        None,
        NIGHT,
        None,
    )


def test_a_cancelled_campaign_cancels_what_is_not_final() -> None:
    """B-CAMP-4."""
    story = given(campaign(), adding("run", "done", "out", "park", spec("wait", "run"), "rest"))
    story.given(claimed("done", "t1"), success("t1"), order(c.QuarantineUnit, "out"), order(c.ParkUnit, "park"))
    story.given(claimed("rest", "t2"), failure("t2"), claimed("run", "t3"))
    story.when(c.CancelCampaign(name=NIGHT, reason="enough")).then(
        fact(e.CampaignCancelled, reason="enough", by="me"),
        fact(e.UnitReleased, unit="run", token="t3", cause="stop"),
        *[fact(e.UnitCancelled, unit=key, reason="enough") for key in ("run", "out", "park", "wait", "rest")],
    )
    assert story.states() == dict.fromkeys(("run", "out", "park", "wait", "rest"), "cancelled") | {"done": "done"}
    story.when(beat("t3")).refused(StaleClaim, signal="stop").recorded(fact(e.LateResult))
    story.when(success("t3")).refused(StaleClaim, current="cancelled").recorded(fact(e.LateResult))
    story.when(c.CancelCampaign(name=NIGHT)).then()


def test_a_cancelled_campaign_can_only_be_read() -> None:
    """B-CAMP-4."""
    story = given(*ONE, c.CancelCampaign(name=NIGHT))
    for command in (c.PauseCampaign(name=NIGHT), c.ResumeCampaign(name=NIGHT), adding("b"), clearing("a")):
        story.when(command).refused(Conflict, field="state", current="cancelled").recorded()
    assert story.when(claim(NIGHT)).outcome.reply.blocked == (c.BlockedCampaign(NIGHT, "cancelled"),)


def test_a_cancellation_goes_on_in_rounds_and_tells_running_workers_to_stop() -> None:
    """B-CAMP-4."""
    body = e.CampaignCancelled(reason=None, by="me")
    story = given(*TWO, claimed("a", "t1"), e.Fact(body, NIGHT))
    story.when(beat("t1")).then(fact(e.UnitHeartbeat))
    assert story.outcome.reply.signal == "stop"
    story.when(c.CancelRest(name=NIGHT, keys=("b",))).then(fact(e.UnitCancelled, unit="b"))  # type: ignore[arg-type]
    story.when(c.CancelRest(name=NIGHT, keys=("a", "b"))).then(fact(e.UnitReleased), fact(e.UnitCancelled, unit="a"))  # type: ignore[arg-type]


def test_a_completed_campaign_cannot_be_cancelled() -> None:
    """B-CAMP-4."""
    given(*ONE, claimed("a", "t1"), success("t1")).when(c.CancelCampaign(name=NIGHT)).refused(Conflict, current="completed")


def test_the_rest_of_a_cancelled_campaign_is_not_touched_in_one_that_lives() -> None:
    given(*ONE).when(c.CancelRest(name=NIGHT, keys=("a",))).then()  # type: ignore[arg-type]


def test_a_parked_unit_keeps_a_campaign_open() -> None:
    """B-CAMP-1, B-PARK-1."""
    story = given(*ONE, claimed("a", "t1")).when(parking("t1")).then(fact(e.UnitParked))
    assert story.campaign().state == "running"
