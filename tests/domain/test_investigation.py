"""Investigations: what is looked into, and what comes of it."""

import pytest
from msgspec import Raw

from service.domain import commands as c
from service.domain import events as e
from service.domain import ids
from service.domain.investigation import fix_key
from service.domain.rejections import Conflict, NotFound, Unprocessable
from tests.domain.investigation import LOST, ONCE, concluding, looking, only
from tests.domain.scenario import (
    NIGHT,
    adding,
    after,
    campaign,
    claimed,
    clearing,
    fact,
    failure,
    given,
    order,
    spec,
    success,
)


def test_a_quarantine_requests_one_investigation_after_its_skips_and_before_the_end() -> None:
    """B-INVEST-1."""
    story = given(*ONCE, adding(spec("b", "a"))).given(claimed("a", "t1"))
    story.when(failure("t1", error="exit 2", exit_code=2, screen_id="5c")).then(
        fact(e.AttemptFailed),
        fact(e.UnitQuarantined),
        fact(e.UnitSkipped, unit="b"),
        fact(
            e.InvestigationRequested,
            campaign=NIGHT,
            unit="a",
            reason="max_attempts",
            attempts=1,
            error="exit 2",
            exit_code=2,
            screen_id="5c",
        ),
        fact(e.CampaignCompleted, outcome="failed"),
    )


def test_every_quarantine_reason_requests_an_investigation() -> None:
    """B-INVEST-1."""
    story = given(*ONCE).when(order(c.QuarantineUnit, "a", reason="odd"))
    story.then(fact(e.UnitQuarantined), fact(e.InvestigationRequested, reason="manual", error="odd"), fact(e.CampaignCompleted))


def test_without_the_policy_there_are_no_investigations() -> None:
    """B-INVEST-1."""
    story = given(campaign(max_attempts=1), adding("a"), claimed("a", "t1"))
    story.when(failure("t1")).then(fact(e.AttemptFailed), fact(e.UnitQuarantined), fact(e.CampaignCompleted))


def test_its_result_is_one_new_unit_in_the_same_group_that_reopens_the_campaign() -> None:
    """B-INVEST-2, B-CAMP-1."""
    story = given(*LOST, looking(), after(seconds=90))
    assert story.campaign().state == "completed"
    story.when(concluding(story, c.Fix(ids.UnitKey("a.fix"), Raw(b'{"mend": 1}')))).then(
        fact(e.InvestigationProduced, unit="a", worker="sherlock", fix_unit="a.fix", root_cause="a typo", duration=90.0),
        fact(e.UnitsAdded, campaign=NIGHT),
        fact(e.CampaignReopened, cause="units_added"),
    )
    unit = story.unit("a.fix")
    assert (unit.state, unit.group, unit.kind, unit.fix_of, unit.payload) == ("ready", 10, "fix", "a", Raw(b'{"mend": 1}'))
    assert story.unit("a").state == "quarantined"
    assert story.given(claimed("a.fix", "t2"), success("t2")).campaign().outcome == "failed"


@pytest.mark.parametrize("key", [None, "a", "a.fix"])
def test_the_fix_has_its_name_whether_or_not_its_sender_knows_it(key: str | None) -> None:
    """B-INVEST-2."""
    story = given(*LOST, looking())
    story.given(concluding(story, c.Fix(None if key is None else ids.UnitKey(key))))
    assert "a.fix" in story.states()


def test_a_fix_under_another_name_is_refused() -> None:
    """B-INVEST-2."""
    story = given(*LOST, looking())
    story.when(concluding(story, c.Fix(ids.UnitKey("other")))).refused(Unprocessable, field="unit.key", allowed=["a.fix"])
    story.recorded()
    assert story.state.investigations[only(story)].state == "claimed"


def test_a_fix_that_fails_is_never_investigated() -> None:
    """B-INVEST-2."""
    story = given(*LOST, looking())
    story.given(concluding(story, c.Fix()), claimed("a.fix", "t2"))
    story.when(failure("t2")).then(fact(e.AttemptFailed), fact(e.UnitQuarantined, unit="a.fix"), fact(e.CampaignCompleted))


def test_a_fix_that_exists_is_not_made_again() -> None:
    """B-INVEST-2."""
    story = given(*LOST, looking())
    story.given(concluding(story, c.Fix()), clearing("a"), claimed("a", "t2"))
    story.when(failure("t2")).then(
        fact(e.AttemptFailed),
        fact(e.UnitQuarantined),
        fact(e.InvestigationSkipped, unit="a", investigation=None, why="fix_exists"),
    )
    assert story.when(looking(most=9)).grants == []


def test_a_fix_that_was_added_by_hand_in_the_meantime_is_not_made_again() -> None:
    """B-INVEST-2."""
    story = given(*LOST, looking(), adding("a.fix"))
    story.when(concluding(story, c.Fix())).then(fact(e.InvestigationSkipped, investigation=only(story), why="fix_exists"))
    story.when(concluding(story, c.Fix())).refused(Conflict, current="skipped").recorded()


def test_a_result_without_a_unit_ends_it_empty() -> None:
    """B-INVEST-2."""
    story = given(*LOST, looking(), after(seconds=5))
    story.when(concluding(story, root_cause="bad luck")).then(
        fact(e.InvestigationEmpty, worker="sherlock", why="no_fix", root_cause="bad luck", duration=5.0)
    )
    assert story.campaign().state == "completed"


def test_a_result_before_anybody_claimed_is_taken_too() -> None:
    """B-INVEST-2."""
    story = given(*LOST, after(seconds=7))
    story.when(concluding(story)).then(fact(e.InvestigationEmpty, duration=7.0, worker=None))
    assert story.when(looking()).grants == []


@pytest.mark.parametrize("fix", [None, c.Fix()])
def test_a_second_result_is_a_conflict(fix: c.Fix | None) -> None:
    """B-INVEST-2."""
    story = given(*LOST, looking())
    story.given(concluding(story, fix))
    story.when(concluding(story, fix)).refused(Conflict, field="state").recorded()


def test_an_unknown_investigation_is_not_found() -> None:
    """B-INVEST-2."""
    story = given(*LOST)
    story.when(c.ConcludeInvestigation(id=ids.InvestigationId("iff"))).refused(NotFound, field="id").recorded()


def test_a_retried_unit_gets_no_investigation() -> None:
    """B-INVEST-1."""
    story = given(*LOST)
    known = only(story)
    story.when(clearing("a")).then(
        fact(e.QuarantineCleared),
        fact(e.InvestigationSkipped, investigation=known, why="retried"),
        fact(e.CampaignReopened),
    )
    story.given(claimed("a", "t2")).when(failure("t2"))
    story.then(fact(e.AttemptFailed), fact(e.UnitQuarantined), fact(e.InvestigationRequested), fact(e.CampaignCompleted))


def test_a_unit_has_one_investigation_at_a_time() -> None:
    """B-INVEST-1."""
    story = given(*LOST, looking(), clearing("a"), claimed("a", "t2"))
    story.when(failure("t2")).then(
        fact(e.AttemptFailed),
        fact(e.UnitQuarantined),
        fact(e.InvestigationSkipped, investigation=None, why="under_way"),
        fact(e.CampaignCompleted),
    )


def test_a_cancelled_unit_gets_no_investigation() -> None:
    """B-INVEST-1."""
    story = given(*LOST)
    story.when(order(c.CancelUnit, "a")).then(
        fact(e.UnitCancelled), fact(e.InvestigationSkipped, investigation=only(story), why="cancelled")
    )


def test_a_cancelled_campaign_gets_no_investigation() -> None:
    """B-INVEST-1, B-CAMP-4."""
    story = given(*ONCE, adding("b"), claimed("a", "t1"), failure("t1"), looking(), c.CancelCampaign(name=NIGHT))
    story.when(c.EndInvestigations(ids=(only(story),))).then(fact(e.InvestigationSkipped, why="cancelled"))
    story.when(concluding(story, c.Fix())).refused(Conflict, current="skipped").recorded()
    assert "a.fix" not in story.states()


def test_a_unit_whose_fix_could_not_be_named_is_not_looked_into() -> None:
    """B-INVEST-2."""
    key = "x" * 197
    story = given(campaign(investigate=True, max_attempts=1), adding(key), claimed(key, "t1"))
    story.when(failure("t1")).then(
        fact(e.AttemptFailed),
        fact(e.UnitQuarantined),
        fact(e.InvestigationSkipped, why="key_too_long"),
        fact(e.CampaignCompleted),
    )
    assert len(fix_key(ids.UnitKey(key))) > 200
