"""What holds every automatic claim of a campaign back: one rule for claims, for explanations and for the time report."""

from typing import Literal

Hold = Literal["engine", "auto", "paused", "breaker", "quota"]


def held_back(*, auto: bool, paused: bool, tripped: bool, engine_paused: bool = False, gate_closed: bool = False) -> list[Hold]:
    """Return everything that holds a campaign back, the first cause first; empty when its ready units may be claimed.

    A person comes first (the engine, the campaign's switch, its pause), then the breaker, then the gate of the quota.

    >>> held_back(auto=True, paused=True, tripped=False, gate_closed=True)
    ['paused', 'quota']
    """
    # Not a loop over a table: the fold of every event asks, and this takes a third of the time.
    holds: list[Hold] = []
    if engine_paused:
        holds.append("engine")
    if not auto:
        holds.append("auto")
    if paused:
        holds.append("paused")
    if tripped:
        holds.append("breaker")
    if gate_closed:
        holds.append("quota")
    return holds
