"""The checker is tested too: a core with a fault in it must not pass for a sound one."""

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import msgspec
import pytest

from service.domain import commands as c
from service.domain import events as e
from service.domain import ids
from service.domain.campaign import Campaign
from service.domain.decide import claim, clock, report, worker
from service.domain.decide.consequences import unit_end
from service.domain.decide.decision import Consequence, Decider, Decision
from service.domain.evolve import campaign as campaign_folds
from service.domain.evolve import fanout as fanout_folds
from service.domain.evolve import fold
from service.domain.evolve import unit as unit_folds
from service.domain.evolve.folds import Folds
from service.domain.fanout import Fanout, FanoutRound
from service.domain.rules.claiming import Blocker
from service.domain.state import State
from service.domain.unit import Claim, Unit
from tests.domain import replay
from tests.property.actions import history

Mutant = Callable[[pytest.MonkeyPatch], None]
SOUND_REACH = replay.reach


def no_token_check(patch: pytest.MonkeyPatch) -> None:
    """Any token that was ever given speaks for whoever holds the unit now."""

    def current(state: State, command: c.Report, _kind: str) -> Decision[tuple[Unit, Claim]]:
        claim = state.claims.get(command.token) or report.past_claim(state, command)
        unit = state.units[claim.campaign, claim.unit]
        holder = state.claims.get(unit.token) if unit.token is not None else None
        yield from ()
        return unit, holder or claim

    patch.setattr(report, "current", current)


def no_token_check_on_success(patch: pytest.MonkeyPatch) -> None:
    """A zombie's success ends the unit that another worker holds."""

    def complete(state: State, command: c.CompleteUnit, context: c.DecisionContext) -> Decision[c.ReportReply]:
        claim = state.claims.get(command.token) or report.past_claim(state, command)
        unit = state.units[claim.campaign, claim.unit]
        if unit.state != "done":
            yield from report.succeed(state, unit, claim, command, context)
        return c.ReportReply("done")

    patch.setitem(
        import_module("service.domain.decide.decide").DECIDERS, c.CompleteUnit, Decider(complete, report.reads_complete)
    )


def a_success_out_of_quarantine(patch: pytest.MonkeyPatch) -> None:
    """A late success brings back what only a person may."""
    patch.setattr(report, "UNCLAIMED", (*report.UNCLAIMED, "quarantined"))


def a_park_that_counts(patch: pytest.MonkeyPatch) -> None:
    """A neutral end of a claim stays an attempt."""
    patch.setattr(unit_folds, "uncount", lambda _unit: None)


def a_success_that_does_not_reset(patch: pytest.MonkeyPatch) -> None:
    """The breaker counts failures that are not consecutive."""
    sound = fold.FOLDS[e.UnitCompleted]

    def completed(state: State, body: Any, event: e.Recorded) -> None:  # noqa: ANN401 - as every fold
        row = unit_folds.unit_of(state, event)
        campaign = state.campaigns[row.campaign]
        kept = campaign.consecutive, campaign.failures
        sound(state, body, event)
        campaign.consecutive, campaign.failures = kept

    folds: Folds = {**fold.FOLDS, e.UnitCompleted: completed}
    patch.setattr(fold, "FOLDS", folds)


def a_breaker_that_trips_late(patch: pytest.MonkeyPatch) -> None:
    """One failure too many is let through."""

    def trip(campaign: Campaign) -> Consequence:
        threshold = campaign.policy.breaker.threshold
        if campaign.tripped is None and campaign.consecutive > threshold:
            yield e.Fact(e.BreakerTripped(failures=tuple(campaign.failures), threshold=threshold), campaign.name)

    patch.setattr(unit_end, "trip", trip)


def a_breaker_that_stops_nothing(patch: pytest.MonkeyPatch) -> None:
    """Automatic claims ignore the trip."""
    patch.setattr("service.domain.rules.claiming.automatic_blockers", lambda _campaign: iter(()))


def one_slot_too_many(patch: pytest.MonkeyPatch) -> None:
    """A claim of several units looks at the slots only once."""

    def shares(_state: State, campaigns: Iterator[Campaign], count: int, _at: object) -> list[ids.CampaignName]:
        return [campaign.name for campaign in campaigns for _ in range(campaign.counts.ready)][:count]

    patch.setattr(claim, "shares", shares)


def groups_that_overtake(patch: pytest.MonkeyPatch) -> None:
    """A later group starts while an earlier one runs."""
    patch.setattr("service.domain.rules.claiming.group_blockers", lambda *_: iter(()))
    patch.setattr("service.domain.rules.claiming.claimable", lambda _state, campaign: campaign.counts.ready)


def a_gate_that_stands_open(patch: pytest.MonkeyPatch) -> None:
    """Claims pass a closed gate."""

    def nothing(*_: object) -> Iterator[Blocker]:
        yield from ()

    patch.setattr("service.domain.rules.claiming.gate_blockers", nothing)


def dependents_that_are_forgotten(patch: pytest.MonkeyPatch) -> None:
    """Nobody tells those who wait for a quarantined unit."""
    patch.setattr(unit_end, "fail_dependents", lambda *_: iter(()))


def dependencies_counted_twice(patch: pytest.MonkeyPatch) -> None:
    """A unit that is done again is taken off its dependents again."""

    def settle(state: State, unit: Unit, _event: e.Recorded, **_in_rounds: bool) -> None:
        fanout_folds.wait_for(state, unit, state.children.get((unit.campaign, unit.key), ()), -1)

    patch.setattr(unit_folds, "settle", settle)


def a_round_that_is_carried_out_again(patch: pytest.MonkeyPatch) -> None:
    """Dependents that know already are told a second time."""
    first: dict[tuple[str, str], FanoutRound] = {}

    def fits(reach: FanoutRound, fanout: Fanout) -> bool:
        return first.setdefault((fanout.campaign, fanout.unit), reach).position == fanout.position

    patch.setattr(FanoutRound, "fits", fits)
    patch.setattr(replay, "reach", lambda state, fanout: first.get((fanout.campaign, fanout.unit)) or SOUND_REACH(state, fanout))


def a_round_that_is_left_out(patch: pytest.MonkeyPatch) -> None:
    """Of many dependents the first ones alone learn what became of the unit."""
    patch.setattr(replay, "reach", lambda state, fanout: msgspec.structs.replace(SOUND_REACH(state, fanout), last=True))


def a_campaign_that_never_ends(patch: pytest.MonkeyPatch) -> None:
    """Nothing is left to do and nobody says so."""
    patch.setattr(unit_end, "complete_campaign", lambda *_: iter(()))


def a_slot_that_leaks(patch: pytest.MonkeyPatch) -> None:
    """The pool does not get back what a claim took."""
    sound = unit_folds.unclaim

    def unclaim(state: State, unit: Unit) -> None:
        sound(state, unit)
        state.engine.in_use += unit.state == "running"

    patch.setattr(unit_folds, "unclaim", unclaim)


def a_level_that_is_told_twice(patch: pytest.MonkeyPatch) -> None:
    """Whoever is heard is called healthy, though everybody knew."""

    def heard(_state: State, name: str) -> Consequence:
        yield e.Fact(e.LevelChanged(from_="healthy", to="healthy", age=0), worker=name)  # type: ignore[arg-type]

    patch.setattr(worker, "note_sign_of_life", heard)
    patch.setattr(report, "note_sign_of_life", heard)


def an_edit_that_a_replay_reads_otherwise(patch: pytest.MonkeyPatch) -> None:
    """A policy that comes back from the log stays a mere document."""
    patch.setattr(campaign_folds, "FIELD_TYPES", dict.fromkeys(campaign_folds.FIELD_TYPES, Any))


def a_question_that_a_clock_answers(patch: pytest.MonkeyPatch) -> None:
    """Leases expire while a person is asked what becomes of them."""
    patch.setattr(clock, "in_question", lambda _state, _claim: False)


MUTANTS: tuple[Mutant, ...] = (
    no_token_check,
    no_token_check_on_success,
    a_success_out_of_quarantine,
    a_park_that_counts,
    a_success_that_does_not_reset,
    a_breaker_that_trips_late,
    a_breaker_that_stops_nothing,
    one_slot_too_many,
    groups_that_overtake,
    a_gate_that_stands_open,
    dependents_that_are_forgotten,
    dependencies_counted_twice,
    a_round_that_is_carried_out_again,
    a_round_that_is_left_out,
    a_campaign_that_never_ends,
    a_slot_that_leaks,
    a_level_that_is_told_twice,
    an_edit_that_a_replay_reads_otherwise,
    a_question_that_a_clock_answers,
)


def histories() -> None:
    """Run as many short histories as a fault may take to show, every other one of them in rounds."""
    for seed in range(60):
        history(seed, 120, narrow=seed % 2 == 1)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_the_checker_catches(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    """A3 A5 A7 A8 A9 A11: each fault is caught by one of a few histories."""
    mutant(monkeypatch)
    with pytest.raises(AssertionError):
        histories()
