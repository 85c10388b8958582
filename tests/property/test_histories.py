"""Whatever is ordered, in whatever order, at whatever time: the promises hold after every decision."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.property.actions import ACTIONS, Action, history
from tests.property.world import World

NUMBERS = st.integers(0, 255)
STEPS = st.lists(st.tuples(st.sampled_from(ACTIONS), NUMBERS, NUMBERS), min_size=20, max_size=80)


@settings(max_examples=300)
@given(luck=NUMBERS, steps=STEPS, narrow=st.booleans())
def test_every_history_keeps_every_promise(luck: int, steps: list[tuple[Action, int, int]], *, narrow: bool) -> None:
    """A1 A2 A3 A5 A7 A8 A9 A11, B-UNIT-1, B-UNIT-2, B-UNIT-5, B-CAMP-1, B-CLAIM-1, B-CLAIM-7, B-GROUP-4, B-BREAK-1, B-VIEW-5."""
    world = World(luck, narrow=narrow)
    for action, one, two in steps:
        action(world, one, two)


@pytest.mark.parametrize("seed", range(16))
@pytest.mark.parametrize("narrow", [False, True], ids=["at_once", "in_rounds"])
def test_a_long_history_keeps_every_promise(seed: int, *, narrow: bool) -> None:
    """A1 A2 A3 A5 A7 A8 A9 A11, B-DAG-2, B-DAG-3, B-UNIT-5, B-VIEW-5."""
    history(seed, 300, narrow=narrow)


def test_the_histories_reach_what_they_are_to_prove() -> None:
    """A run that meets no late result, no trip and no skip proves nothing of them."""
    kinds = {event.body.kind for seed in range(16) for event in history(seed, 150, narrow=seed % 2 == 1).log}
    assert kinds >= {
        "campaign.breaker_reset",
        "campaign.breaker_tripped",
        "campaign.cancelled",
        "campaign.completed",
        "campaign.reopened",
        "quota.gate_closed",
        "quota.gate_opened",
        "unit.heartbeat",
        "unit.late_result",
        "unit.lease_expired",
        "unit.parked",
        "unit.quarantine_cleared",
        "unit.quarantined",
        "unit.released",
        "unit.skipped",
        "unit.fanout",
        "unit.unblocked",
        "unit.unparked",
        "unit.unskipped",
        "worker.fenced",
    }
