"""Quarantined units that failed alike are counted together, and no more than a few kinds are told apart."""

from datetime import UTC, datetime

from projections.views.campaign.failure_groups import ANYTHING, MAX_GROUPS, FailureGroup, join, leave, pattern_of
from projections.views.unit.quarantine import QuarantineCard
from service.domain import ids
from service.domain.rules.retry import matches


def card(key: str, error: str | None) -> QuarantineCard:
    """Return a unit that failed for good."""
    return QuarantineCard(
        campaign=ids.CampaignName("nightly"),
        key=ids.UnitKey(key),
        reason="max_attempts",
        attempts=3,
        error=error,
        worker=None,
        screen_id=None,
        quarantined_at=datetime(2026, 1, 1, tzinfo=UTC),
        position=1,
    )


def test_errors_that_differ_in_numbers_and_paths_are_one_kind() -> None:
    """B-VIEW-4: grouped by fingerprint."""
    groups: list[FailureGroup] = []
    for key, error in (("a", "exit 1: /tmp/x/1.py: line 7"), ("b", "exit 2: /tmp/y/2.py: line 12"), ("c", "killed")):
        join(groups, card(key, error))
    assert [(group.pattern, group.count, group.unit) for group in groups] == [("exit *: *: line *", 2, "b"), ("killed", 1, "c")]


def test_a_pattern_matches_every_error_that_it_stands_for() -> None:
    """B-RETRY-7: a kind of failure is retried by its glob."""
    for error in ("", "a\nb  c", "x" * 500, "7", "0xdeadbeef is not 12.5 of [a/b/c] ***", "/usr/lib/python3/a.py"):
        assert matches(pattern_of(error).lower(), error.lower())


def test_of_very_many_kinds_the_rest_is_counted_together_and_leaves_exactly() -> None:
    groups: list[FailureGroup] = []
    cards = [card(str(number), "".join(chr(ord("a") + int(digit)) for digit in str(number))) for number in range(MAX_GROUPS * 3)]
    for one in cards:
        join(groups, one)
    assert len(groups) == MAX_GROUPS + 1
    assert groups[-1].pattern == ANYTHING
    assert sum(group.count for group in groups) == MAX_GROUPS * 3
    for one in cards:
        leave(groups, one)
    assert groups == []
