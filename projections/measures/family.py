"""Families of metrics: the entries of the catalogue."""

from itertools import product
from typing import Literal

from msgspec import Struct

Kind = Literal["counter", "gauge", "histogram", "info"]
Scope = Literal["F", "S", "T", "P"]
Values = tuple[str, ...] | None

ATTEMPT_OUTCOMES = ("completed", "failed", "expired", "released", "parked", "cancelled")
UNIT_OUTCOMES = ("completed", "quarantined", "skipped", "cancelled")
ATTEMPT_ENDS = "unit.completed unit.attempt_failed unit.released unit.parked unit.cancelled"
"""The kinds of events that end an attempt."""


class Family(Struct, frozen=True, kw_only=True):
    """One metric.

    *labels* gives each label its closed set of values, None where the set is open (a campaign, a quota). *scope* is F for an
    exact fold of events, S for a snapshot of the cards, T for a snapshot and the clock, P for this process alone. A histogram
    may keep *exemplars*, the newest of each bucket, and *exponential* buckets beside its own.
    """

    name: str
    kind: Kind
    help: str
    scope: Scope
    labels: dict[str, Values] = {}
    unit: str = ""
    buckets: tuple[float, ...] = ()
    events: tuple[str, ...] = ()
    exemplars: bool = False
    exponential: bool = False

    def combinations(self, **fixed: str) -> list[tuple[str, ...]]:
        """Return every combination of label values; none if an open label has no value in *fixed*."""
        choices = [(fixed[label],) if label in fixed else values for label, values in self.labels.items()]
        closed = [choice for choice in choices if choice is not None]
        return list(product(*closed)) if len(closed) == len(choices) else []

    def bounds_us(self) -> list[int]:
        """Return the buckets' upper bounds as integers: microseconds of a time, else the number itself."""
        scale = 1_000_000 if self.unit == "seconds" else 1
        return [round(bound * scale) for bound in self.buckets]


def counter(name: str, help_text: str, events: str, **labels: Values) -> Family:
    """Return a counter that is folded from *events*."""
    return Family(name=name, kind="counter", help=help_text, scope="F", labels=labels, events=tuple(events.split()))


def histogram(
    name: str,
    help_text: str,
    events: str,
    buckets: str,
    *,
    exemplars: bool = False,
    exponential: bool = False,
    **labels: Values,
) -> Family:
    """Return a histogram that is folded from *events*; its unit is the suffix of its name."""
    return Family(
        name=name,
        kind="histogram",
        help=help_text,
        scope="F",
        labels=labels,
        unit="seconds" if name.endswith("_seconds") else "",
        buckets=tuple(float(bound) for bound in buckets.split()),
        events=tuple(events.split()),
        exemplars=exemplars,
        exponential=exponential,
    )


def gauge(name: str, help_text: str, scope: Scope = "S", **labels: Values) -> Family:
    """Return a gauge that is read from the cards; its unit is the suffix of its name."""
    unit = next((unit for unit in ("seconds", "bytes", "ratio") if name.endswith(f"_{unit}")), "")
    return Family(name=name, kind="gauge", help=help_text, scope=scope, labels=labels, unit=unit)


def info(name: str, help_text: str, labels: str) -> Family:
    """Return a metric whose labels describe a subject; its value is always 1."""
    return Family(name=name, kind="info", help=help_text, scope="S", labels=dict.fromkeys(labels.split()))


def process(kind: Kind, name: str, help_text: str, buckets: str = "", **labels: Values) -> Family:
    """Return a metric of this process alone."""
    return Family(
        name=name,
        kind=kind,
        help=help_text,
        scope="P",
        labels=labels,
        unit="seconds" if name.endswith("_seconds") else "",
        buckets=tuple(float(bound) for bound in buckets.split()),
    )
