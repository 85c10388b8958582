"""The page of numbers: its quantiles are those that native histograms have."""

import pytest

from projections.cockpit.pages.numbers import number
from projections.measures.catalogue import CATALOGUE
from projections.measures.family import Family

WAIT = CATALOGUE["muster_unit_wait_seconds"]
ATTEMPT = CATALOGUE["muster_attempt_duration_seconds"]


def row(family: Family, value: int, exponential: str | None, *labels: str) -> dict[str, object]:
    """Return a series of which everything lies in the first explicit bucket."""
    buckets = [value] + [0] * len(family.buckets)
    return {"family": family.name, "labels": labels, "value": value, "sum_us": 0, "buckets": buckets, "exponential": exponential}


def test_quantiles_are_those_of_the_exponential_buckets_of_all_series_together() -> None:
    rows = [row(ATTEMPT, 9, '{"-1": 9}', "completed"), row(ATTEMPT, 1, '{"23": 1}', "failed"), row(ATTEMPT, 0, None, "parked")]
    found = number(ATTEMPT, rows)
    assert found.value == 10
    assert found.p50 == pytest.approx(2 ** (-1 / 8 + 5 / 72))
    assert found.p95 == pytest.approx(2 ** (23.5 / 8))


def test_series_from_before_they_had_exponential_buckets_are_told_from_the_others() -> None:
    found = number(WAIT, [row(WAIT, 4, '{"-1": 1}')])
    assert [found.p50, found.p95] == pytest.approx([0.05, 0.095])


def test_what_was_never_observed_has_no_quantiles() -> None:
    assert number(WAIT, [row(WAIT, 0, None)]).p95 is None
