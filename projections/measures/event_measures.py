"""What events add to series, in parts: increments of counters, and observations of histograms."""

from datetime import datetime

from service.domain import events as e

Key = tuple[str, tuple[str, ...]]
"""A series: its family and its label values."""
Increments = tuple[tuple[Key, int], ...]
"""Counters, and how much each grows."""
Observations = tuple[tuple[Key, int], ...]
"""Histograms, and what each observes: microseconds, or the number itself."""


EventMeasures = tuple[Increments, Observations]
"""What one event adds beside its count by kind.

The store adds up events whose increments are the same object in one step. So the frequent events return constants, or tuples
out of a cache; a new tuple is as correct, and only slower. A plain tuple, because building a named one costs as much as the
rest of a measure.
"""


def us(seconds: float) -> int:
    """Return *seconds* in whole microseconds."""
    return round(seconds * 1_000_000)


def since(at: datetime, event: e.Recorded) -> int:
    """Return the microseconds from *at* to *event*."""
    return us((event.at - at).total_seconds())


def one(family: str, *labels: str) -> tuple[Key, int]:
    """Count one."""
    return (family, labels), 1


def counted(*increments: tuple[Key, int]) -> EventMeasures:
    """Return the measures of an event that only counters grow by."""
    return increments, ()


def entered(state: str, units: int = 1) -> tuple[Key, int]:
    """Count units that entered *state*."""
    return ("muster_unit_transitions_total", (state,)), units


def attempt_ended(campaign: str, outcome: str) -> Increments:
    """Count the end of an attempt."""
    return one("muster_attempts_total", outcome), one("muster_campaign_attempts_total", campaign, outcome)


def attempt_durations(event: e.Recorded, outcome: str, duration: float) -> Observations:
    """Observe the duration of an attempt, for all campaigns and for its own."""
    length = us(duration)
    return (
        (("muster_attempt_duration_seconds", (outcome,)), length),
        (("muster_campaign_attempt_duration_seconds", (event.campaign or "",)), length),
    )


def unit_ended(event: e.Recorded, outcome: str) -> tuple[Key, int]:
    """Count the end of a unit."""
    return one("muster_campaign_units_finished_total", event.campaign or "", outcome)


def unit_duration(event: e.Recorded, first_ready_at: datetime | None, outcome: str) -> Observations:
    """Observe the time from a unit's first readiness to its end; one that was never ready is not observed."""
    return () if first_ready_at is None else ((("muster_unit_duration_seconds", (outcome,)), since(first_ready_at, event)),)
