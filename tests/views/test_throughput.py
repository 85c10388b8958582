"""Throughput ignores time in which the clock stands, and says nothing without evidence."""

import pytest

from projections.views.campaign.throughput import ENOUGH, MINUTE_US, WINDOW_US, Throughput

SECOND_US = 1_000_000


def worked(seconds: list[int], *, pause_s: int = 0) -> Throughput:
    """Return the throughput of units that took *seconds* each, one after the other; after each the clock stands for a while."""
    throughput = Throughput()
    at_us = 0
    for duration in seconds:
        throughput.start(at_us)
        at_us += duration * SECOND_US
        throughput.stop(at_us)
        throughput.count_done(at_us)
        at_us += pause_s * SECOND_US
    return throughput


def test_two_units_are_no_evidence() -> None:
    """B-VIEW-1."""
    assert worked([10, 10]).rate(0) is None
    assert worked([10, 10, 10]).rate(0) == pytest.approx(0.1)


def test_time_in_which_the_clock_stands_does_not_count() -> None:
    """B-VIEW-1: parked for an hour after each unit."""
    assert worked([10] * 5, pause_s=3600).rate(10**18) == pytest.approx(0.1)


def test_time_in_which_nothing_gets_done_lowers_the_pace() -> None:
    """B-VIEW-1: a unit runs on, or nobody comes for one."""
    throughput = worked([10] * 5)
    throughput.start(100 * SECOND_US)
    assert throughput.rate(150 * SECOND_US) == pytest.approx(0.05)


def test_the_window_slides_over_active_time() -> None:
    """B-VIEW-1: an hour of quick work is forgotten after half an hour of slow work."""
    throughput = worked([1] * 3600 + [30] * 80)
    assert throughput.rate(0) == pytest.approx(1 / 30, rel=0.1)
    assert len(throughput.minutes) <= WINDOW_US // MINUTE_US + 2


def test_the_window_slides_though_nothing_more_gets_done() -> None:
    """B-VIEW-1: after a quick hour and an idle one, what a reading leaves out is what the next completion forgets."""
    throughput = worked([1] * 3600)
    throughput.start(3600 * SECOND_US)
    rates = [throughput.rate((3600 + idle_s) * SECOND_US) for idle_s in (0, 600, 1200, 3600)]
    assert rates == [pytest.approx(rate, rel=0.05) for rate in (1, 2 / 3, 1 / 3, 61 / 3660)]
    throughput.count_done(7200 * SECOND_US)
    assert throughput.rate(7200 * SECOND_US) == pytest.approx(62 / 3660)


def test_slow_work_is_judged_over_as_long_as_it_takes_to_see_enough() -> None:
    """B-VIEW-1: units of four hours."""
    throughput = worked([4 * 3600] * 50)
    assert throughput.rate(0) == pytest.approx(1 / (4 * 3600), rel=0.1)
    assert sum(done for _, done in throughput.minutes) == ENOUGH + 1 or len(throughput.minutes) <= ENOUGH + 1


def test_of_a_silence_before_a_new_leader_a_minute_counts() -> None:
    """B-VIEW-1: while the service is away nothing can get done."""
    throughput = worked([10] * 5)
    throughput.start(100 * SECOND_US)
    throughput.exclude_outage(8 * 3600 * SECOND_US)
    assert throughput.read((100 + 8 * 3600) * SECOND_US) == (50 + 60) * SECOND_US
    throughput.exclude_outage(10 * SECOND_US)
    assert throughput.read((100 + 8 * 3600) * SECOND_US) == (50 + 60) * SECOND_US
    throughput.stop((100 + 8 * 3600) * SECOND_US)
    throughput.exclude_outage(8 * 3600 * SECOND_US)
    assert throughput.read(10**18) == (50 + 60) * SECOND_US
