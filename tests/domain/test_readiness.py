"""When a unit was first ready: kept through all that may happen to it, and told by each of its ends."""

from datetime import timedelta

from service.domain import commands as c
from service.domain import events as e
from tests.domain.scenario import (
    START,
    Scenario,
    adding,
    after,
    campaign,
    claimed,
    clearing,
    fact,
    failure,
    given,
    order,
    parking,
    rested,
    spec,
    success,
)

HOUR = timedelta(hours=1)


def ends(story: Scenario) -> dict[str, object]:
    """Return what the last end of each unit tells."""
    final = e.UnitCompleted | e.UnitQuarantined | e.UnitSkipped | e.UnitCancelled
    return {event.unit or "": event.body.first_ready_at for event in story.log if isinstance(event.body, final)}


def test_a_retry_a_park_and_a_quarantine_do_not_move_the_first_readiness() -> None:
    """A6."""
    story = given(campaign(max_attempts=2), adding("a"), HOUR, claimed("a", "t1"), failure("t1"), after(seconds=2), rested("a"))
    story.given(claimed("a", "t2"), parking("t2"), HOUR, order(c.UnparkUnit), claimed("a", "t3"), failure("t3"))
    assert ends(story) == {"a": START}
    story.given(clearing("a"), claimed("a", "t4"), HOUR)
    story.when(success("t4")).then(fact(e.UnitCompleted, first_ready_at=START), fact(e.CampaignCompleted))
    assert story.unit().ready_at == story.at - HOUR


def test_a_dependent_is_first_ready_when_its_last_dependency_is_done() -> None:
    """A6."""
    story = given(campaign(), adding("a", spec("b", "a")), claimed("a", "t1"), HOUR, success("t1"), HOUR)
    story.when(order(c.CancelUnit, "b")).then(fact(e.UnitCancelled, first_ready_at=START + HOUR), fact(e.CampaignCompleted))


def test_a_unit_skipped_before_it_was_ready_has_no_first_readiness() -> None:
    """A6."""
    story = given(campaign(), adding("a", spec("b", "a"), spec("c", "b")), claimed("a", "t1"), failure("t1", retryable=False))
    assert ends(story) == {"a": START, "b": None, "c": None}


def test_a_unit_added_later_is_ready_from_then_on() -> None:
    """A6."""
    story = given(campaign(), adding("a"), HOUR, adding("b"), order(c.CancelUnit, "b"), order(c.CancelUnit, "a"))
    assert ends(story) == {"b": START + HOUR, "a": START}
