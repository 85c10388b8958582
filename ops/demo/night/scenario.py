"""The scenario of the night: two campaigns, what each unit does, and its expected outcome."""

from typing import Any, NamedTuple

Unit = dict[str, Any]

POLICY: dict[str, Any] = {
    "max_attempts": 2,
    "retry": {"backoff_ms": 500, "factor": 1},
    "breaker": {"threshold": 100},
    "concurrency": 6,
    "lease_s": 24,
    "heartbeat": {"warn_s": 9, "stale_s": 10, "dead_s": 12, "dead_ticks": 1},
}
SHAKY_POLICY: dict[str, Any] = {**POLICY, "max_attempts": 1, "concurrency": 1, "breaker": {"threshold": 3}}
SHAKY = 6


def unit(key: str, action: str, *depends_on: str, group: int, seconds: float = 1.0, priority: int = 0) -> Unit:
    """Return one unit; *action* is what its command does."""
    payload = {"action": action, "seconds": seconds}
    return {"key": key, "payload": payload, "group": group, "priority": priority, "depends_on": list(depends_on)}


def evening() -> list[Unit]:
    """Return the units that are imported at the start."""
    return [
        *(unit(f"fetch/{number}", "work", group=10) for number in range(1, 5)),
        unit("fetch/limited", "limited", group=10),
        unit("long/killed", "long", group=20, priority=9),
        unit("long/silent", "long", group=20, priority=8),
        unit("clumsy", "once", group=20, priority=2),
        unit("poison", "poison", group=20, priority=2),
        unit("after-poison", "work", "poison", group=20),
        unit("after-after", "work", "after-poison", "fetch/1", group=20),
        *(unit(f"build/{number}", "work", f"fetch/{number}", group=20, seconds=2) for number in range(1, 5)),
        unit("report", "work", *(f"build/{number}" for number in range(1, 5)), group=30),
    ]


def late() -> list[Unit]:
    """Return units that are added later, in an earlier group than those that run."""
    return [unit(f"late/{number}", "work", group=5) for number in (1, 2)]


def shaky() -> list[Unit]:
    """Return units that fail while the service that they need is down."""
    return [unit(f"shaky/{number}", "shaky", group=10, seconds=0.3) for number in range(1, SHAKY + 1)]


class ExpectedOutcome(NamedTuple):
    """The state that a unit must end in, and the kinds of events that its history must hold."""

    state: str
    kinds: frozenset[str]


DONE = ExpectedOutcome("done", frozenset({"unit.claimed", "unit.completed"}))
EXPECTED_OUTCOMES: dict[str, ExpectedOutcome] = {
    "long/killed": ExpectedOutcome(
        "done", frozenset({"unit.lease_expired", "unit.attempt_failed", "unit.retry_scheduled", "unit.completed"})
    ),
    "long/silent": ExpectedOutcome(
        "done", frozenset({"unit.lease_expired", "unit.attempt_failed", "unit.completed", "unit.late_result"})
    ),
    "fetch/limited": ExpectedOutcome("done", frozenset({"unit.parked", "unit.unparked", "unit.completed"})),
    "clumsy": ExpectedOutcome("done", frozenset({"unit.attempt_failed", "unit.retry_scheduled", "unit.completed"})),
    "poison": ExpectedOutcome("quarantined", frozenset({"unit.attempt_failed", "unit.quarantined"})),
    "after-poison": ExpectedOutcome("skipped", frozenset({"unit.skipped"})),
    "after-after": ExpectedOutcome("skipped", frozenset({"unit.skipped"})),
    **{
        f"shaky/{number}": ExpectedOutcome("done", frozenset({"unit.quarantined", "unit.quarantine_cleared", "unit.completed"}))
        for number in range(1, 4)
    },
}


def expected_outcome(key: str) -> ExpectedOutcome:
    """Return the expected outcome of a unit."""
    return EXPECTED_OUTCOMES.get(key, DONE)
