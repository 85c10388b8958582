"""When a park ends, as far as whoever orders it names a usable time."""

from datetime import datetime, timedelta

from service.domain.policy import Policy

DEFAULT_PARK = timedelta(minutes=15)
SHORT_PARK = timedelta(seconds=1)
"""A claim that ends in a shorter park does not count towards `max_claims`."""


def usable_end(policy: Policy, resume_at: datetime | None, resume_after_s: float | None, at: datetime) -> datetime | None:
    """Return when a park shall end; None when no time was given, or one that is not at least a back-off ahead.

    A span is judged by the database's clock, and so goes first: the clock of a worker may be wrong.
    """
    if resume_after_s is not None:
        return at + timedelta(seconds=resume_after_s)
    soonest = at + timedelta(milliseconds=policy.retry.backoff_ms)
    return resume_at if resume_at is not None and resume_at >= soonest else None
