"""Groups of similar failures: the quarantine of a campaign, counted by reason and by the shape of the error."""

import re
from datetime import datetime

from msgspec import Struct

from projections.views.unit.quarantine import QuarantineCard
from service.domain import ids

MAX_GROUPS = 40
PATTERN_CHARS = 160
ANYTHING = "*"
VARYING = re.compile(r"(?:/[\w.+@%~-]+){2,}/?|\b0x[0-9a-f]+\b|\b[0-9a-f]{8,}\b|\d+(?:\.\d+)*|[*\s]+", re.IGNORECASE)
RUNS = re.compile(r"\*[* ]*\*")


class FailureGroup(Struct, kw_only=True):
    """Quarantined units with similar errors; *pattern* is a glob that matches them, *unit* the last one, quarantined at *at*."""

    reason: ids.QuarantineReason
    pattern: str
    count: int
    unit: ids.UnitKey
    at: datetime


def pattern_of(error: str | None) -> str:
    """Return the shape of an error as a glob that matches it: numbers, identifiers and paths become `*`.

    >>> pattern_of("exit 137 after 12.5 s: /tmp/run-7/a.py is gone")
    'exit * after * s: * is gone'
    """
    if not error:
        return ""
    shape = VARYING.sub(lambda found: " " if found[0] == " " else ANYTHING, error[:PATTERN_CHARS])
    return RUNS.sub(ANYTHING, shape + ANYTHING if len(error) > PATTERN_CHARS else shape)


def join(groups: list[FailureGroup], card: QuarantineCard) -> None:
    """Count a unit that goes into quarantine, and note the pattern of its group on its card."""
    card.pattern = pattern_of(card.error)
    group = group_of(groups, card)
    # The number of groups is bounded, because the card holds them: further kinds of errors share one group.
    if group is None and len(groups) >= MAX_GROUPS:
        card.pattern = ANYTHING
        group = group_of(groups, card)
    if group is None:
        group = FailureGroup(reason=card.reason, pattern=card.pattern, count=0, unit=card.key, at=card.quarantined_at)
        groups.append(group)
    group.count += 1
    group.unit, group.at = card.key, card.quarantined_at


def leave(groups: list[FailureGroup], card: QuarantineCard) -> None:
    """Count a unit that leaves the quarantine."""
    group = group_of(groups, card)
    if group is None:
        return  # its card was stored before groups existed; a rebuild repairs both
    group.count -= 1
    if not group.count:
        groups.remove(group)


def group_of(groups: list[FailureGroup], card: QuarantineCard) -> FailureGroup | None:
    """Return the group that *card* is counted in."""
    return next((group for group in groups if group.pattern == card.pattern and group.reason == card.reason), None)
