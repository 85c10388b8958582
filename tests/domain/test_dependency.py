"""Groups and dependencies: what waits for what, what is skipped and comes back."""

import pytest

from service.domain import commands as c
from service.domain import events as e
from service.domain.rejections import Conflict, MissingDependency, Unprocessable, Validation
from tests.domain.scenario import (
    NIGHT,
    Scenario,
    adding,
    after,
    campaign,
    claim,
    claimed,
    clearing,
    editing,
    fact,
    failure,
    given,
    handing_back,
    order,
    parking,
    rested,
    spec,
    success,
)

DIAMOND = (campaign(), adding("a", spec("b", "a"), spec("c", "a"), spec("d", "b", "c")))


def test_the_lowest_group_runs_and_later_ones_wait_until_it_has_drained() -> None:
    """B-GROUP-1, B-GROUP-2."""
    story = given(campaign(concurrency=3), adding(spec("x"), spec("a", group=1), spec("b", group=1), spec("y", group=2)))
    assert story.when(claim(most=9)).grants == ["a", "b"]
    assert story.when(claim(NIGHT, most=9)).outcome.reply.blocked == (c.BlockedCampaign(NIGHT, "group"),)
    story.given(success(story.unit("a").token or ""), failure(story.unit("b").token or "", retryable=False))
    assert story.when(claim(most=9)).grants == ["y"]


def test_free_slots_are_filled_from_the_same_group() -> None:
    """B-GROUP-2."""
    story = given(campaign(concurrency=2), adding(*[spec(key, group=1) for key in "abc"], spec("x", group=2)))
    assert story.when(claim(most=9)).grants == ["a", "b"]
    story.given(success(story.unit("a").token or ""))
    assert story.when(claim(most=9)).grants == ["c"]


@pytest.mark.parametrize("end", [failure("t"), parking("t"), handing_back("t")], ids=["delayed", "parked", "ready"])
def test_a_unit_that_rests_holds_later_groups_back(end: c.Command) -> None:
    """B-GROUP-2."""
    story = given(campaign(), adding(spec("a", group=1), spec("x", group=2)), claimed("a", "t"), end)
    assert "x" not in story.when(claim(NIGHT, most=9)).grants


def test_a_unit_that_waits_for_a_later_group_holds_nothing_back() -> None:
    """B-GROUP-2: blocked units do not hold, or the campaign would stand still."""
    story = given(campaign(), adding(spec("x", group=2), spec("a", "x", group=1)))
    assert story.when(claim(most=9)).grants == ["x"]
    story.given(success(story.unit("x").token or ""))
    assert story.when(claim(most=9)).grants == ["a"]


def test_a_late_arrival_fires_at_once_beside_what_runs() -> None:
    """B-GROUP-3."""
    story = given(campaign(concurrency=2), adding(spec("x", group=5), spec("y", group=5)), claimed("x", "t1"))
    story.given(adding(spec("late", group=1)))
    assert story.when(claim(most=9)).grants == ["late"]
    assert story.when(claim(NIGHT)).grants == []


def test_without_groups_all_run_beside_each_other() -> None:
    """B-GROUP-1."""
    story = given(campaign(groups="none", concurrency=9), adding(spec("x", group=2), spec("a", group=1)))
    assert story.when(claim(most=9)).grants == ["a", "x"]


def test_an_unknown_dependency_is_refused_by_its_field() -> None:
    """B-DAG-1."""
    story = given(campaign(), adding("a"))
    story.when(adding("b", spec("c", "a", "z"))).refused(MissingDependency, field="units[1].depends_on", current="z").recorded()


@pytest.mark.parametrize("loop", [("a",), ("a", "b"), ("a", "b", "c")])
def test_a_cycle_is_refused_with_its_path(loop: tuple[str, ...]) -> None:
    """B-DAG-1."""
    specs = [spec(key, loop[(index + 1) % len(loop)]) for index, key in enumerate(loop)]
    given(campaign()).when(adding("x", *specs)).refused(Unprocessable, field="depends_on", path=[*loop, loop[0]]).recorded()


def test_a_key_given_twice_is_refused() -> None:
    given(campaign()).when(adding("a", "b", "a")).refused(Validation, field="units[2].key", current="a").recorded()


def test_dependents_run_after_the_last_of_their_dependencies() -> None:
    """B-DAG-4, B-UNIT-5."""
    story = given(*DIAMOND)
    assert story.when(claim(most=9)).grants == ["a"]
    story.when(success(story.unit("a").token or "")).then(
        fact(e.UnitCompleted), fact(e.UnitUnblocked, unit="b", by="a"), fact(e.UnitUnblocked, unit="c", by="a")
    )
    assert story.when(claim(most=9)).grants == ["b", "c"]
    story.given(success(story.unit("b").token or ""))
    story.when(success(story.unit("c").token or "")).then(fact(e.UnitCompleted), fact(e.UnitUnblocked, unit="d", by="c"))


def test_a_new_unit_waits_only_for_what_is_not_done() -> None:
    """B-DAG-1."""
    story = given(campaign(), adding("a", "b"), claimed("a", "t1"), success("t1"), adding(spec("c", "a", "b"), spec("d", "a")))
    assert (story.unit("c").waits_for, story.states()["c"], story.states()["d"]) == (1, "blocked", "ready")


def test_a_quarantine_skips_all_that_depends_on_it_with_cause_and_path() -> None:
    """B-DAG-2, B-RETRY-4."""
    story = given(*DIAMOND, claimed("a", "t1")).when(failure("t1", retryable=False))
    story.then(
        fact(e.AttemptFailed, unit="a"),
        fact(e.UnitQuarantined, unit="a"),
        fact(e.UnitSkipped, unit="b", because_of="a", path=("a", "b"), was="blocked"),
        fact(e.UnitSkipped, unit="c", because_of="a", path=("a", "c")),
        fact(e.UnitSkipped, unit="d", because_of="a", path=("a", "b", "d")),
        fact(e.CampaignCompleted, outcome="failed"),
    )
    assert story.unit("d").attempts == 0
    assert story.campaign().consecutive == 1


def test_a_retry_brings_skipped_dependents_back() -> None:
    """B-DAG-3, B-RETRY-7."""
    story = given(*DIAMOND, order(c.QuarantineUnit)).when(order(c.RetryUnit))
    story.then(
        fact(e.QuarantineCleared, unit="a", to="ready"),
        fact(e.UnitUnskipped, unit="b", because_of="a", path=("a", "b"), to="blocked"),
        fact(e.UnitUnskipped, unit="c"),
        fact(e.UnitUnskipped, unit="d", to="blocked"),
        fact(e.CampaignReopened, cause="retry"),
    )
    finish(story, "a", "b", "c", "d")


def finish(story: Scenario, *keys: str) -> None:
    """Claim and complete *keys*, which have to come in this order, and nothing else is left."""
    for key in keys:
        grants = story.when(claim()).grants
        assert grants == [key]
        story.given(success(story.unit(key).token or ""))
    assert story.campaign().outcome == "achieved"


def test_a_dependent_of_two_quarantined_units_waits_for_both_retries() -> None:
    """B-DAG-3."""
    story = given(campaign(), adding("a", "b", spec("c", "a", "b"), spec("d", "c")))
    story.given(order(c.QuarantineUnit, "a"), order(c.QuarantineUnit, "b"))
    assert (story.unit("c").because_of, story.unit("d").because_of) == ("a", "a")
    story.when(order(c.RetryUnit, "a")).then(
        fact(e.QuarantineCleared, unit="a"),
        fact(e.UnitUnskipped, unit="c", to="blocked"),
        fact(e.UnitSkipped, unit="c", because_of="b", path=("b", "c")),
        fact(e.UnitUnskipped, unit="d", to="blocked"),
        fact(e.UnitSkipped, unit="d", because_of="b", path=("b", "c", "d")),
        fact(e.CampaignReopened),
    )
    assert story.states() == {"a": "ready", "b": "quarantined", "c": "skipped", "d": "skipped"}
    story.when(order(c.RetryUnit, "b")).then(
        fact(e.QuarantineCleared, unit="b"), fact(e.UnitUnskipped, unit="c", to="blocked"), fact(e.UnitUnskipped, unit="d")
    )
    finish(story, "a", "b", "c", "d")


def test_a_dependency_done_meanwhile_is_not_waited_for_again() -> None:
    """B-DAG-3."""
    story = given(
        campaign(), adding("a", "b", spec("c", "a", "b")), order(c.QuarantineUnit, "a"), claimed("b", "t1"), success("t1")
    )
    story.given(order(c.RetryUnit, "a"))
    assert story.unit("c").waits_for == 1
    finish(story, "a", "c")


@pytest.mark.parametrize("keys", [("a", "b"), ("b", "a")])
def test_a_bulk_retry_of_a_chain_brings_all_of_it_back(keys: tuple[str, ...]) -> None:
    """B-RETRY-7, B-DAG-3."""
    story = given(
        campaign(), adding("a", spec("b", "a"), spec("c", "b")), order(c.QuarantineUnit, "b"), order(c.QuarantineUnit, "a")
    )
    story.given(clearing(*keys))
    assert story.states() == {"a": "ready", "b": "blocked", "c": "blocked"}
    finish(story, "a", "b", "c")


@pytest.mark.parametrize(("end", "state"), [(c.QuarantineUnit, "quarantined"), (c.CancelUnit, "cancelled")])
def test_a_retry_of_a_unit_whose_dependency_is_lost_is_refused_by_the_name_of_that(end: type[c.UnitCommand], state: str) -> None:
    """B-DAG-2, B-DAG-3: it would be skipped at once."""
    story = given(campaign(), adding("a", spec("b", "a")), order(c.QuarantineUnit, "b"), order(end, "a"))
    refusal = story.when(order(c.RetryUnit, "b")).refused(Conflict, field="depends_on", current="a").recorded().outcome.rejection
    assert f"'a', which is {state}" in str(refusal)


def test_a_bulk_retry_without_the_dependency_skips_for_it_and_all_below_name_the_first_cause() -> None:
    """B-DAG-2, B-RETRY-7, B-UNIT-5."""
    story = given(
        campaign(), adding("a", spec("b", "a"), spec("c", "b")), order(c.QuarantineUnit, "b"), order(c.QuarantineUnit, "a")
    )
    story.when(clearing("b")).then(
        fact(e.QuarantineCleared, unit="b", to="blocked"),
        fact(e.UnitSkipped, unit="b", because_of="a", path=("a", "b")),
        fact(e.UnitUnskipped, unit="c", to="blocked"),
        fact(e.UnitSkipped, unit="c", because_of="a", path=("a", "b", "c")),
        fact(e.CampaignReopened),
        fact(e.CampaignCompleted, outcome="failed"),
    )
    story.given(order(c.RetryUnit, "a"))
    finish(story, "a", "b", "c")


@pytest.mark.parametrize("end", [c.QuarantineUnit, c.CancelUnit])
def test_dependents_run_all_the_same_where_the_policy_says_so(end: type[c.UnitCommand]) -> None:
    """B-DAG-2."""
    story = given(campaign(on_dependency_failure="run"), adding("a", "x", spec("b", "a"), spec("c", "a", "x"))).when(order(end))
    assert story.states()["b"] == "ready"
    assert story.states()["c"] == "blocked"
    story.given(claimed("x", "t1")).when(success("t1")).then(fact(e.UnitCompleted), fact(e.UnitUnblocked, unit="c", by="x"))


def test_a_retried_dependency_is_waited_for_again_and_counted_once() -> None:
    """B-DAG-2, B-DAG-3."""
    story = given(campaign(on_dependency_failure="run"), adding("a", "x", spec("b", "a", "x")), order(c.QuarantineUnit))
    assert story.unit("b").waits_for == 1
    story.given(order(c.RetryUnit), adding(spec("c", "a")))
    assert (story.unit("b").waits_for, story.unit("c").waits_for) == (2, 1)
    story.given(claimed("a", "t1"), success("t1"))
    assert (story.unit("b").waits_for, story.unit("c").state) == (1, "ready")


def test_a_unit_added_below_a_lost_one_keeps_the_count_when_that_comes_back() -> None:
    """B-DAG-2: a dependent that came after the quarantine never counts below zero."""
    story = given(campaign(on_dependency_failure="run"), adding("a"), order(c.QuarantineUnit), adding(spec("b", "a")))
    assert story.unit("b").state == "ready"
    story.given(order(c.RetryUnit), claimed("a", "t1"), success("t1"))
    assert story.unit("b").waits_for == 0


def test_a_cancelled_blocked_parent_takes_its_dependents_with_it() -> None:
    """B-DAG-2, B-CAMP-4."""
    story = given(campaign(), adding("a", spec("b", "a"), spec("c", "b"))).when(order(c.CancelUnit, "b"))
    story.then(fact(e.UnitCancelled, unit="b", was="blocked"), fact(e.UnitSkipped, unit="c", because_of="b", path=("b", "c")))


def test_units_below_a_skipped_one_name_the_first_cause() -> None:
    """B-DAG-2."""
    story = given(campaign(), adding("z", "a", spec("b", "a")), order(c.QuarantineUnit), adding(spec("c", "b"), spec("d", "c")))
    assert [(story.unit(key).state, story.unit(key).because_of) for key in "cd"] == [("skipped", "a"), ("skipped", "a")]


def test_a_change_of_policy_leaves_nobody_waiting_for_ever() -> None:
    """B-UNIT-5, B-CAMP-3."""
    story = given(campaign(), adding("a", "x"), order(c.QuarantineUnit), editing(policy={"on_dependency_failure": "run"}))
    story.given(adding(spec("b", "a", "x")))
    assert story.unit("b").state == "skipped"
    story.given(order(c.RetryUnit))
    assert story.unit("b").state == "blocked"


def test_a_rest_that_ends_frees_the_group() -> None:
    """B-GROUP-2, B-RETRY-1."""
    story = given(campaign(), adding(spec("a", group=1), spec("x", group=2)), claimed("a", "t1"), failure("t1"), after(seconds=1))
    story.given(rested("a"))
    assert story.when(claim(most=9)).grants == ["a"]
