"""What a campaign's life counts: its beginning, its recovery, its end."""

from collections import Counter
from typing import Any

from projections.measures.measure import measure
from service.domain import commands as c
from tests.domain.outage import GONE, applying, detecting
from tests.domain.scenario import NIGHT, Scenario, adding, after, campaign, claim, given


def counted(story: Scenario, family: str) -> dict[Any, int]:
    """Return what a story adds to a family, by its labels; of a histogram how much it observed."""
    found: Counter[Any] = Counter()
    for event in story.log:
        increments, observations = measure(event)
        for (name, labels), number in (*increments, *observations):
            if name == family:
                found[labels[0]] += number
    return dict(found)


def test_a_campaign_begins_once_with_its_first_claim() -> None:
    story = given(campaign(), adding("a", "b", "c"), claim(most=2), claim())
    assert counted(story, "muster_campaign_transitions_total") == {"created": 1, "started": 1}


def test_a_cancelled_campaign_lasted_from_its_first_claim_if_there_was_one() -> None:
    cancel = c.CancelCampaign(name=NIGHT)
    begun = given(campaign(), adding("a"), after(minutes=1), claim(), after(minutes=2), cancel)
    assert counted(begun, "muster_campaign_duration_seconds") == {"cancelled": 120_000_000}
    assert counted(given(campaign(), adding("a"), after(minutes=1), cancel), "muster_campaign_duration_seconds") == {}


def test_a_plan_that_is_applied_recovers_its_campaign() -> None:
    """B-RECOV-2."""
    story = given(*GONE).when(detecting())
    story.when(applying(story))
    assert counted(story, "muster_campaign_transitions_total")["recovered"] == 1
