"""Waves are the topological levels, and count what their units do from the first claim to the last end."""

from collections import Counter
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from projections.views.fold import ReadModels
from projections.views.wave.card import WaveCard
from projections.views.wave.view import wave_view
from service.domain import commands as c
from service.domain import events as e
from service.domain import ids
from tests.domain.scenario import NIGHT, START, Scenario, adding, after, campaign, claim, clearing, failure, spec, success
from tests.histories import History

DIAMOND = (spec("D", "B", "C"), spec("B", "A"), spec("C", "A"), spec("A"))


def waves(log: list[e.Recorded]) -> list[WaveCard]:
    """Return the waves of the campaign `night` in their order."""
    cards = ReadModels()
    for event in log:
        cards.fold(event)
    return [card for _, card in sorted(cards.waves.cards.items())]


def keys(log: list[e.Recorded]) -> list[set[str]]:
    """Return the keys of each wave but the first."""
    cards = ReadModels()
    for event in log:
        cards.fold(event)
    found: list[set[str]] = [set() for _ in range(cards.campaigns[NIGHT].waves - 1)]
    for (_, key), wave in cards.waves.wave_of.items():
        found[wave - 2].add(key)
    return found


def finish(story: Scenario, seconds: int = 10) -> None:
    """Claim one unit, work for a while, and end it."""
    story.given(claim(), after(seconds=seconds))
    story.when(success(story.outcome.reply.claims[0].token))


def test_a_diamond_has_three_waves_however_it_is_listed() -> None:
    """B-DAG-4: [A], [B, C], [D]."""
    story = Scenario().given(campaign(), adding(*DIAMOND))
    assert keys(story.log) == [{"B", "C"}, {"D"}]
    assert [card.units.total for card in waves(story.log)] == [1, 2, 1]


def test_a_unit_stands_behind_the_last_of_what_it_depends_on_in_whatever_import_that_came() -> None:
    """B-DAG-4: the longest way from a beginning counts."""
    story = Scenario().given(campaign(), adding(*DIAMOND))
    story.given(adding(spec("E", "A", "D"), spec("F", "A"), spec("G", "E", "F"), spec("H")))
    assert keys(story.log) == [{"B", "C", "F"}, {"D"}, {"E"}, {"G"}]
    assert waves(story.log)[0].units.total == 2


def test_a_wave_lasts_from_its_first_claim_to_its_last_final_unit() -> None:
    """B-DAG-4: no pause before the first claim counts, and an open wave has no end yet."""
    story = Scenario().given(campaign(), adding(*DIAMOND), after(hours=1))
    finish(story, 10)
    story.given(after(seconds=5))
    finish(story, 20)
    first, second, third = waves(story.log)
    assert (first.started_at, first.ended_at) == (at(3600), at(3610))
    assert (second.started_at, second.ended_at) == (at(3615), None)
    finish(story, 30)
    assert waves(story.log)[1].ended_at == at(3665)
    assert wave_view(waves(story.log)[1], []).duration_s == 50
    assert (third.started_at, third.ended_at, wave_view(third, []).duration_s) == (None, None, None)


def test_a_wave_that_is_skipped_has_an_end_and_no_duration() -> None:
    """B-DAG-4, B-DAG-2: nobody ever claimed it; a retry of the cause opens it again."""
    story = Scenario().given(campaign(max_attempts=1), adding(*DIAMOND), claim())
    story.when(failure(story.outcome.reply.claims[0].token))
    second = waves(story.log)[1]
    assert (second.units.skipped, second.started_at, second.ended_at) == (2, None, START)
    assert wave_view(second, []).duration_s is None
    story.given(after(seconds=9)).when(clearing("A"))
    assert [card.ended_at for card in waves(story.log)] == [None, None, None]


def test_a_wave_that_gets_new_units_after_its_end_goes_on() -> None:
    """B-DAG-4, B-CAMP-1."""
    story = Scenario().given(campaign(), adding("A"))
    finish(story, 10)
    assert waves(story.log)[0].ended_at == at(10)
    story.given(adding("B"))
    assert waves(story.log)[0].ended_at is None
    finish(story, 10)
    [wave] = waves(story.log)
    assert (wave.started_at, wave.ended_at) == (START, at(20))


def at(seconds: int) -> datetime:
    """Return an instant of the story."""
    return START + timedelta(seconds=seconds)


def depth(history: History, name: ids.CampaignName, key: ids.UnitKey) -> int:
    """Return how far a unit is from a beginning, by the rows of the state."""
    return 1 + max((depth(history, name, parent) for parent in history.state.parents.get((name, key), ())), default=0)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**9), steps=st.integers(5, 200))
def test_the_waves_are_a_recount_of_the_units(seed: int, steps: int) -> None:
    """A5, B-DAG-4, B-VIEW-6: whatever happened."""
    history = History(seed).grow(steps)
    cards = ReadModels()
    for event in history.events:
        cards.fold(event)
    by_wave: Counter[tuple[str, int, str]] = Counter()
    for (name, key), unit in history.state.units.items():
        by_wave[name, depth(history, name, key), unit.state] += 1
    counted = {
        (name, wave, state): count
        for (name, wave), card in cards.waves.cards.items()
        for state in ids.UNIT_STATES
        if (count := getattr(card.units, state))
    }
    assert counted == by_wave
    for name in history.state.campaigns:
        mine = [card for (owner, _), card in cards.waves.cards.items() if owner == name]
        assert cards.campaigns[name].waves_left == sum(card.units.open > 0 for card in mine)
        assert cards.campaigns[name].waves == max((card.wave for card in mine), default=1)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**9), steps=st.integers(5, 150), size=st.integers(1, 100))
def test_what_a_page_needs_is_named_before_it_is_folded(seed: int, steps: int, size: int) -> None:
    """A5: pages that forget everything between them count the same."""
    events = History(seed).grow(steps).events
    whole, paged = ReadModels(), ReadModels()
    stored: tuple[dict[object, WaveCard], dict[object, int]] = ({}, {})
    for event in events:
        whole.fold(event)
    for start in range(0, len(events), size):
        page = events[start : start + size]
        waves = paged.waves
        waves.wave_of |= {unit: stored[1].get(unit, 1) for unit in waves.units_to_load(page, paged.wave_count)}
        waves.cards |= {wave: stored[0][wave] for wave in waves.waves_to_load(page, paged.wave_count) if wave in stored[0]}
        for event in page:
            paged.fold(event)
        stored[0].update({wave: waves.cards[wave] for wave in waves.touched})
        stored[1].update({(name, key): wave for name, key, wave in waves.unsaved_units})
        waves.saved()
        waves.cards.clear()
        waves.wave_of.clear()
    assert stored[0] == whole.waves.cards
    assert stored[1] == whole.waves.wave_of
    assert paged.campaigns == whole.campaigns


def test_a_report_that_was_refused_moves_no_wave() -> None:
    """B-UNIT-1, B-DAG-4."""
    story = Scenario().given(campaign(max_attempts=1), adding("A"), claim())
    token = story.outcome.reply.claims[0].token
    story.when(failure(token))
    before = waves(story.log)
    story.when(c.CompleteUnit(token=token))
    assert waves(story.log) == before
