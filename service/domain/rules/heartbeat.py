"""How old a heartbeat may be: the levels of a worker."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import lru_cache

from service.domain import ids
from service.domain.policy import DEFAULT, HeartbeatPolicy

LEVELS: tuple[ids.Level, ...] = ("healthy", "warn", "stale", "dead")


@lru_cache(maxsize=256)
def span(seconds: float) -> timedelta:
    """Return *seconds* as a span; cached, because installations use few different leases and every heartbeat asks."""
    return timedelta(seconds=seconds)


def lease_end(at: datetime, lease_s: float) -> datetime:
    """Return the end of a lease that is renewed at *at*."""
    return at + span(lease_s)


def age(beat_at: datetime, at: datetime) -> float:
    """Return the seconds since *beat_at*, never negative."""
    return max((at - beat_at).total_seconds(), 0.0)


def level(policy: HeartbeatPolicy, seconds: float, *, alive: bool = True) -> ids.Level:
    """Return the level of a worker last heard *seconds* ago; strictly greater crosses a threshold.

    >>> [level(HeartbeatPolicy(), age) for age in (30, 30.1, 60.1, 300, 300.1)]
    ['healthy', 'warn', 'stale', 'stale', 'dead']
    """
    if not alive or seconds > policy.dead_s:
        return "dead"
    if seconds > policy.stale_s:
        return "stale"
    return "warn" if seconds > policy.warn_s else "healthy"


def strictest(policies: Iterable[HeartbeatPolicy]) -> HeartbeatPolicy:
    """Return the policy that calls a worker dead first; the default for a worker without a campaign."""
    return min(policies, key=lambda policy: (policy.dead_s, policy.stale_s, policy.warn_s), default=DEFAULT.heartbeat)
