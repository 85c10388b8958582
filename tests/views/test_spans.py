"""What only the cards can measure, and what the histograms make of it."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from projections.measures.book import Book
from projections.projector import Fold
from projections.store import Checkpoint
from projections.views.cards import Cards
from service.domain import events as e
from tests.histories import History


def fold_of(events: list[e.Recorded], cuts: list[int]) -> Fold:
    """Fold *events* in pages that end at *cuts*."""
    fold = Fold(Checkpoint(0, 1, 0), Cards(), Book())
    bounds = [0, *sorted({cut % (len(events) + 1) for cut in cuts}), len(events)]
    for start, end in pairwise(bounds):
        fold.take(events[start:end])
    return fold


@given(seed=st.integers(0, 10**6), cuts=st.lists(st.integers(0, 10**6), max_size=8))
def test_series_do_not_depend_on_how_the_log_is_cut(seed: int, cuts: list[int]) -> None:
    """A5: counts, sums, exemplars, exponential buckets, and the position of the last change."""
    events = History(seed).grow(120).events
    assert fold_of(events, cuts).book.series == fold_of(events, []).book.series


def test_what_the_cards_measure_is_what_the_log_says() -> None:
    """Every quarantine that ended has its age, every heartbeat but those of the same moment its interval."""
    for seed in range(8):
        events = History(seed).grow(250).events
        series = fold_of(events, []).book.series
        cleared = sum(isinstance(event.body, e.QuarantineCleared) for event in events)
        assert series["muster_quarantine_age_seconds", ("retry",)].value == cleared
        unparked = sum(isinstance(event.body, e.UnitUnparked) for event in events)
        assert series["muster_park_duration_seconds", ()].value == unparked
        ended = sum(isinstance(event.body, e.UnitCompleted | e.UnitQuarantined) for event in events)
        assert series["muster_unit_retries", ()].value == ended


def test_dependents_skipped_at_one_stroke_are_one_observation() -> None:
    for seed in range(30):
        events = History(seed).grow(250).events
        sizes: list[int] = []
        size, last = 0, None
        for event in events:
            if isinstance(event.body, e.UnitSkipped):
                size, last = size + 1, event.campaign
            elif event.campaign == last and size and type(event.body) in FOLDED:
                sizes.append(size)
                size = 0
        row = fold_of(events, []).book.series["muster_skip_cascade_units", ()]
        assert (row.value, row.sum_us) == (len(sizes), sum(sizes))


FOLDED = {kind for kind in e.EVENTS if not kind.kind.startswith(("investigation.", "recovery.", "worker."))} - {
    e.UnitHeartbeat, e.LeaseExpired, e.LateResult, e.UnitsUpdated,
}  # fmt: skip


def test_an_exemplar_is_the_newest_of_its_bucket_and_names_its_event() -> None:
    events = History(5).grow(250).events
    by_position = {event.position: event for event in events}
    row = fold_of(events, []).book.series["muster_attempt_duration_seconds", ("completed",)]
    kept = [exemplar for exemplar in row.exemplars if exemplar is not None]
    assert kept
    for observed, at, position, unit in kept:
        event = by_position[position]
        assert isinstance(event.body, e.UnitCompleted)
        assert (at, unit, observed) == (event.at, event.unit, round(event.body.duration * 1_000_000))
    assert sum(row.exponential.values()) == sum(row.buckets) == row.value
