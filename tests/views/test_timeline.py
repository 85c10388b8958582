"""The timeline of a campaign keeps every count, whatever time goes by."""

from projections.views.campaign.timeline import NARROWEST_US, SLOTS, Timeline


def test_a_campaign_of_months_keeps_its_slots_few_and_its_counts_whole() -> None:
    """B-VIEW-4: throughput over time costs the same, however long it ran."""
    timeline = Timeline()
    timeline.begin(0)
    for hour in range(5000):
        timeline.count_done(hour * 3_600_000_000)
        if hour % 10 == 0:
            timeline.count_failed(hour * 3_600_000_000)
    assert (sum(timeline.done), sum(timeline.failed)) == (5000, 500)
    assert len(timeline.done) == len(timeline.failed) <= SLOTS
    assert timeline.width_us % NARROWEST_US == 0


def test_the_first_slot_begins_with_the_first_claim() -> None:
    timeline = Timeline()
    timeline.begin(7)
    timeline.begin(9)
    timeline.count_done(7 + NARROWEST_US)
    assert (timeline.begun_us, timeline.done) == (7, [0, 1])
