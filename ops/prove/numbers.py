"""Numbers of one source: by family and label values, in whole microseconds and billionths where they are times and ratios."""

from collections.abc import Iterable
from decimal import Decimal

from ops.prove.formula import Labels, Total
from projections.measures.catalogue import CATALOGUE
from projections.measures.family import Family

Numbers = dict[str, dict[Labels, Total]]
SCALES = {"seconds": 1_000_000, "ratio": 1_000_000_000}
SUBJECTS = ("campaign", "worker", "quota")


def gauge(family: str, value: float | Decimal) -> Total:
    """Return the value of a gauge."""
    return Total(round(value * SCALES.get(CATALOGUE[family].unit, 1)))


def subjects(numbers: Numbers) -> set[tuple[str, str]]:
    """Return every campaign, worker and quota that has a series by its name."""
    return {
        (label, labels[place])
        for name, series in numbers.items()
        for place, label in subject_labels(CATALOGUE[name])
        for labels in series
    }


def without(numbers: Numbers, hidden: set[tuple[str, str]]) -> Numbers:
    """Return *numbers* without the series of the *hidden* campaigns, workers and quotas."""
    return {
        name: {
            labels: total
            for labels, total in series.items()
            if not any((label, labels[place]) in hidden for place, label in subject_labels(CATALOGUE[name]))
        }
        for name, series in numbers.items()
    }


def subject_labels(family: Family) -> Iterable[tuple[int, str]]:
    """Return the labels of a family that name a subject, with their places."""
    return [(place, label) for place, label in enumerate(family.labels) if label in SUBJECTS]
