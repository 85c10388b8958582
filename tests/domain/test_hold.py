"""What holds a campaign back: the one rule behind blockers and the time report."""

from itertools import product
from typing import get_args

import pytest

from projections.views.campaign.time_account import CAUSE_OF_HOLD, CAUSES
from service.domain.rules.hold import Hold, held_back

SWITCHES = ("engine_paused", "auto", "paused", "tripped", "gate_closed")


@pytest.mark.parametrize("values", list(product([False, True], repeat=len(SWITCHES))))
def test_every_cause_that_holds_is_named_and_no_other(values: tuple[bool, ...]) -> None:
    """In the order in which a person would undo them."""
    switches = dict(zip(SWITCHES, values, strict=True))
    holding = {
        "engine": switches["engine_paused"],
        "auto": not switches["auto"],
        "paused": switches["paused"],
        "breaker": switches["tripped"],
        "quota": switches["gate_closed"],
    }
    assert held_back(**switches) == [hold for hold in get_args(Hold) if holding[hold]]


def test_the_time_report_knows_a_cause_for_every_hold() -> None:
    assert set(CAUSE_OF_HOLD) == set(get_args(Hold))
    assert set(CAUSE_OF_HOLD.values()) <= set(CAUSES)
