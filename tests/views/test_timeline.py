"""The course of a campaign keeps every count, whatever time goes by."""

from projections.views.campaign.timeline import NARROWEST_US, SLOTS, Timeline


def test_a_campaign_of_months_keeps_its_slots_few_and_its_counts_whole() -> None:
    """B-VIEW-4: throughput over time costs the same, however long it ran."""
    course = Timeline()
    course.begin(0)
    for hour in range(5000):
        course.count_done(hour * 3_600_000_000)
        if hour % 10 == 0:
            course.count_failed(hour * 3_600_000_000)
    assert (sum(course.done), sum(course.failed)) == (5000, 500)
    assert len(course.done) == len(course.failed) <= SLOTS
    assert course.width_us % NARROWEST_US == 0


def test_the_first_slot_begins_with_the_first_claim() -> None:
    course = Timeline()
    course.begin(7)
    course.begin(9)
    course.count_done(7 + NARROWEST_US)
    assert (course.begun_us, course.done) == (7, [0, 1])
