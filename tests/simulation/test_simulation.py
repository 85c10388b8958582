"""Ten thousand units, two thousand workers, hours of virtual time: the promises of the core hold, whatever goes wrong."""

from importlib import import_module

import pytest

from service.domain import commands as c
from service.domain import ids
from service.domain.decide import clock, report
from service.domain.decide.decision import Decider, Decision
from service.domain.state import State
from tests.domain.scenario import Scenario
from tests.property import test_mutants as mutants
from tests.property.agreement import agree
from tests.property.test_mutants import Mutant
from tests.simulation.night import Night, Size

SMALL = Size(units=400, campaigns=4, workers=80, concurrency=10)
SHRUNK = tuple(Size(units, campaigns, workers, 5) for units, campaigns, workers in ((8, 1, 4), (30, 2, 10), (100, 4, 30)))
BROKEN = (AssertionError, LookupError)
"""How a broken core shows: a promise that does not hold, or a row that is not there."""
MUST_BE_REACHED = {
    "late completion accepted", "unit.late_result", "refused stale-claim", "unit.lease_expired", "unit.attempt_failed",
    "unit.quarantined", "unit.quarantine_cleared", "unit.skipped", "unit.unskipped", "unit.parked", "unit.unparked",
    "unit.released", "campaign.breaker_tripped", "campaign.breaker_reset", "campaign.reopened", "quota.gate_closed",
    "quota.gate_opened", "worker.level_changed", "worker.fenced", "outage", "meter failed",
    "investigation.requested", "investigation.produced", "investigation.empty", "recovery.detected", "recovery.applied",
    "recovery.closed", "diagnostic.exported", "refused conflict",
}  # fmt: skip


def audit(night: Night) -> None:
    """Check the end of a night: A1 to A5, A7 to A11 by the model and the fold, the workers' own words against the log."""
    service = night.service
    story = Scenario()
    story.state, story.log, story.at = service.state, service.log, service.at
    agree(story, service.model)
    assert all(unit.state in (*ids.FINAL_STATES, "quarantined") for unit in service.state.units.values())
    assert not service.state.claims
    assert service.state.engine.in_use == 0
    assert service.completed == night.acknowledged, "what was acknowledged is in the log, and nothing else"
    assert not night.refused & service.completed, "what was refused is not"
    assert all(row.state == "completed" for row in service.state.campaigns.values())


def simulate(seed: int, size: Size) -> Night:
    """Let a night pass and check it; one that fails says how to see it again, as small as it still fails."""
    try:
        night = Night(seed, size).live()
        audit(night)
    except BROKEN as error:
        smaller = next((small for small in SHRUNK if small.units < size.units and fails(seed, small)), size)
        raise AssertionError(f"simulate({seed}, {smaller}) fails, as {size} did: {error}") from error
    return night


def fails(seed: int, size: Size) -> bool:
    """Tell whether a night fails."""
    try:
        audit(Night(seed, size).live())
    except BROKEN:
        return True
    return False


@pytest.mark.parametrize("seed", [1])
def test_ten_thousand_units_keep_every_promise_through_a_bad_night(seed: int) -> None:
    """A1 A2 A3 A4 A5 A7 A8 A9 A10 A11, B-UNIT-1, B-UNIT-2, B-CLAIM-5, B-CLAIM-7, B-BREAK-1, B-PARK-1, B-GROUP-2, B-DAG-2.

    With recoveries, investigations and bundles among it: B-RECOV-1, B-RECOV-2, B-INVEST-1, B-INVEST-2, B-INVEST-3, B-DIAG-1.
    """
    night = simulate(seed, Size())
    assert not MUST_BE_REACHED - night.service.reached.keys()
    assert len(night.service.state.units) >= 10_000


@pytest.mark.parametrize("seed", range(2, 6))
def test_a_small_night_keeps_every_promise_whatever_the_seed(seed: int) -> None:
    """A1 A2 A3 A4 A5 A7 A8 A9 A10 A11."""
    simulate(seed, SMALL)


def test_the_same_seed_is_the_same_night() -> None:
    """A failure that is printed can be seen again."""
    one, two = (Night(7, SHRUNK[-1]).live() for _ in range(2))
    assert one.service.log == two.service.log


def no_replay_detection(patch: pytest.MonkeyPatch) -> None:
    """A success that is said again is taken for a zombie's."""
    sound = report.complete

    def complete(state: State, command: c.CompleteUnit, context: c.DecisionContext) -> Decision[c.ReportReply]:
        if command.token not in state.claims and state.units[unit_of(state, command)].state == "done":
            yield from report.current(state, command, "completed")
        return (yield from sound(state, command, context))

    patch.setitem(
        import_module("service.domain.decide.decide").DECIDERS, c.CompleteUnit, Decider(complete, report.reads_complete)
    )


def unit_of(state: State, command: c.CompleteUnit) -> ids.UnitId:
    """Return the unit that a past claim held."""
    past = report.past_claim(state, command)
    return past.campaign, past.unit


def a_lapsed_success_that_is_lost(patch: pytest.MonkeyPatch) -> None:
    """A success whose lease is over is refused though nobody has taken the unit since, and done again."""
    patch.setattr(report, "UNCLAIMED", ())


def a_rest_that_never_ends(patch: pytest.MonkeyPatch) -> None:
    """Nobody wakes a unit that rests."""

    def release_retries(_state: State, _command: c.ReleaseRetries, _context: c.DecisionContext) -> Decision[None]:
        yield from ()

    decider = Decider(release_retries, clock.reads_due_units)
    patch.setitem(import_module("service.domain.decide.decide").DECIDERS, c.ReleaseRetries, decider)


MUTANTS: tuple[Mutant, ...] = (
    no_replay_detection,
    mutants.no_token_check,
    mutants.no_token_check_on_success,
    mutants.a_park_that_counts,
    mutants.a_success_that_does_not_reset,
    mutants.a_breaker_that_trips_late,
    mutants.a_breaker_that_stops_nothing,
    mutants.one_slot_too_many,
    mutants.a_gate_that_stands_open,
    mutants.dependents_that_are_forgotten,
    mutants.a_slot_that_leaks,
)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_the_simulator_catches(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    """A3 A4 A7 A8 A9 A11: a core with a fault in it does not get through a small night."""
    mutant(monkeypatch)
    assert any(fails(seed, SMALL) for seed in range(1, 4))


def test_a_failing_night_says_how_to_see_it_again_and_how_small_it_still_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """The smallest size that fails under the same seed is named."""
    mutants.a_slot_that_leaks(monkeypatch)
    with pytest.raises(AssertionError, match=r"^simulate\(1, Size\(units=8, .*\)\) fails, as Size\(units=400, .*\) did: "):
        simulate(1, SMALL)


def test_a_success_after_the_lease_is_worth_something(monkeypatch: pytest.MonkeyPatch) -> None:
    """B-CLAIM-5: a core that refuses it reaches no late completion, and so a night like this proves nothing."""
    a_lapsed_success_that_is_lost(monkeypatch)
    assert "late completion accepted" not in Night(1, SMALL).live().service.reached


def test_a_night_that_never_ends_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """B-UNIT-5: what rests for ever is not drained."""
    a_rest_that_never_ends(monkeypatch)
    with pytest.raises(AssertionError, match="not drained"):
        Night(1, SHRUNK[0]).live()
