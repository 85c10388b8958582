"""Alive is not progress: who beats and gets nothing out, and who beats and takes nothing, is shown as such."""

from datetime import timedelta
from typing import Any

import pytest

from projections.views.fold import ReadModels
from projections.views.worker.view import Offer, WorkerView, worker_view
from service.domain import commands as c
from service.domain import ids
from tests.domain.scenario import NIGHT, START, Scenario, W, adding, after, beat, campaign, claim, success

WAITS = Offer(NIGHT, {}, START)


def shown(story: Scenario, *offers: Offer) -> WorkerView:
    """Return the view of the story's worker now."""
    cards = ReadModels()
    for event in story.log:
        cards.fold(event)
    return worker_view(cards.workers[W], story.at, offers)


def held(output_s: int | None = 0) -> Scenario:
    """Return a story in which the worker holds a unit whose output was seen."""
    story = Scenario().given(campaign(), adding("a", "b"), claim())
    said: dict[str, Any] = {} if output_s is None else {"output_at": START + timedelta(seconds=output_s)}
    return story.given(beat(next(iter(story.state.claims)), **said))


def beating(story: Scenario, times: int, every_s: float, **said: Any) -> Scenario:  # noqa: ANN401 - as a heartbeat
    """Let the worker beat."""
    for _ in range(times):
        story.given(after(seconds=every_s), beat(next(iter(story.state.claims)), **said))
    return story


def test_a_worker_that_beats_while_its_output_stands_still_is_stalled() -> None:
    """B-BEAT-6: three beats, a minute."""
    story = beating(held(), 3, 20)
    assert not shown(story).stalled
    seen = shown(beating(story, 1, 20))
    assert (seen.level, seen.stalled, seen.claims[0].stalled) == ("healthy", True, True)


def test_the_same_word_of_the_same_output_is_standing_still_too() -> None:
    """B-BEAT-6: repeating where the output stood is no output."""
    assert shown(beating(held(), 4, 20, output_at=START)).stalled


def test_new_output_ends_the_standstill() -> None:
    """B-BEAT-6."""
    story = beating(held(), 5, 20)
    assert shown(story).stalled
    story.given(beat(next(iter(story.state.claims)), output_at=story.at))
    assert not shown(story).stalled


def test_who_never_spoke_of_output_is_not_called_stalled() -> None:
    """B-BEAT-6: no evidence, no word."""
    assert not shown(beating(held(None), 10, 20)).stalled


def test_a_beating_worker_that_takes_nothing_while_work_waits_is_shown() -> None:
    """B-BEAT-6."""
    story = Scenario().given(campaign(), adding("a"), c.BeatWorker(worker=W), after(seconds=61), c.BeatWorker(worker=W))
    assert shown(story, WAITS).idle_while_work_waits
    assert not shown(story).idle_while_work_waits


@pytest.mark.parametrize(
    ("labels", "offer"),
    [
        ({"gpu": "no"}, Offer(NIGHT, {"gpu": "yes"}, START)),
        ({}, Offer(NIGHT, {}, START + timedelta(seconds=10))),
    ],
)
def test_work_that_does_not_fit_or_came_just_now_accuses_nobody(labels: dict[str, str], offer: Offer) -> None:
    """B-BEAT-6."""
    story = Scenario().given(c.BeatWorker(worker=W, labels=labels), after(seconds=61), c.BeatWorker(worker=W))
    assert not shown(story, offer).idle_while_work_waits


def test_who_holds_a_unit_or_held_one_a_moment_ago_is_not_idle() -> None:
    """B-BEAT-6."""
    story = Scenario().given(campaign(), adding("a", "b"), c.BeatWorker(worker=W), after(seconds=100), claim())
    assert not shown(story, WAITS).idle_while_work_waits
    story.given(after(seconds=100), success(next(iter(story.state.claims))), after(seconds=30), c.BeatWorker(worker=W))
    assert not shown(story, WAITS).idle_while_work_waits
    story.given(after(seconds=31), c.BeatWorker(worker=W))
    assert shown(story, WAITS).idle_while_work_waits


@pytest.mark.parametrize("order", [c.DrainWorker(worker=W), c.FenceWorker(worker=W), c.BeatWorker(worker=W, alive=False)])
def test_who_is_not_to_claim_is_not_idle(order: c.Command) -> None:
    """B-BEAT-6, B-BEAT-7."""
    story = Scenario().given(c.BeatWorker(worker=W), after(seconds=100), order)
    assert not shown(story, WAITS).idle_while_work_waits


def test_a_label_that_only_one_of_them_carries_is_no_obstacle() -> None:
    """B-BEAT-6: as for a claim."""
    story = Scenario().given(c.BeatWorker(worker=W, labels={"gpu": "no"}), after(seconds=61), c.BeatWorker(worker=W))
    assert shown(story, Offer(ids.CampaignName("x"), {"team": "core"}, START)).idle_while_work_waits
