"""Leases are overdue when they are over, unless a person is asked about them."""

from datetime import timedelta

from projections.measures.worker_gauges import totals
from projections.views.fold import ReadModels
from service.domain import events as e
from service.domain import ids
from service.domain.recovery import recovery_id
from tests.domain.scenario import NIGHT, START, Scenario, adding, campaign, claim, given


def overdue(story: Scenario) -> int:
    """Return `muster_leases_overdue` an hour after the beginning of a story."""
    cards = ReadModels()
    for event in story.log:
        cards.fold(event)
    (value,) = [number for family, _, number in totals(cards, START + timedelta(hours=1)) if family == "muster_leases_overdue"]
    return int(value)


def test_leases_that_a_recovery_plan_asks_about_are_not_overdue() -> None:
    """B-RECOV-1: whoever waits for a person is not stuck."""
    story = given(campaign(lease_s=60), adding("a", "b"), claim(most=2))
    assert overdue(story) == 2
    story.given(e.Fact(e.RecoveryDetected(resumable=(ids.UnitKey("a"), ids.UnitKey("b")), preserved=0, last_position=1), NIGHT))
    assert overdue(story) == 0
    story.given(e.Fact(e.RecoveryClosed(recovery=recovery_id(story.log[-1].position)), NIGHT))
    assert overdue(story) == 2
