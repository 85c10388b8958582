"""The account: the same numbers from the API, from the log and from /metrics."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

STATE_AFTER = {
    "unit.claimed": "running",
    "unit.completed": "done",
    "unit.attempt_failed": "failed",
    "unit.lease_expired": "failed",
    "unit.retry_scheduled": "delayed",
    "unit.quarantined": "quarantined",
    "unit.quarantine_cleared": "ready",
    "unit.parked": "parked",
    "unit.unparked": "ready",
    "unit.released": "ready",
    "unit.skipped": "skipped",
    "unit.unskipped": "ready",
    "unit.cancelled": "cancelled",
}
FINAL = ("done", "quarantined", "skipped", "cancelled")


class Row(NamedTuple):
    """One number, three times."""

    what: str
    api: int
    log: int
    metrics: int

    @property
    def equal(self) -> bool:
        """Say whether the three agree."""
        return self.api == self.log == self.metrics


class History(NamedTuple):
    """What the campaign's log tells: how many events of each kind, how many units in each state."""

    kinds: Counter[str]
    states: Counter[str]

    @classmethod
    def of(cls, events: Iterable[Mapping[str, Any]]) -> "History":
        """Fold *events*, oldest first."""
        kinds: Counter[str] = Counter()
        states: dict[str, str] = {}
        for event in events:
            kinds[event["kind"]] += 1
            if event["kind"] == "units.added":
                states |= {unit["key"]: "ready" for unit in event["data"]["units"]}
            elif event["kind"] in STATE_AFTER:
                states[event["unit"]] = STATE_AFTER[event["kind"]]
        return cls(kinds, Counter(states.values()))


def account(api: Mapping[str, int], log: Mapping[str, int], metrics: Mapping[str, int]) -> list[Row]:
    """Set the three sources side by side: every final state, what is still to do, and all together."""

    def counts(source: Mapping[str, int]) -> list[int]:
        units = {state: count for state, count in source.items() if state != "total"}
        final = [units.get(state, 0) for state in FINAL]
        return [*final, sum(units.values()) - sum(final), sum(units.values())]

    names = (*FINAL, "still to do", "all units")
    return [Row(*row) for row in zip(names, counts(api), counts(log), counts(metrics), strict=True)]


def table(rows: Iterable[Row]) -> str:
    """Draw the account."""
    lines = [f"  {'units':<12} {'API':>7} {'log':>7} {'/metrics':>9}  equal"]
    lines += [f"  {row.what:<12} {row.api:>7,} {row.log:>7,} {row.metrics:>9,}  {'yes' if row.equal else 'NO'}" for row in rows]
    return "\n".join(lines)
