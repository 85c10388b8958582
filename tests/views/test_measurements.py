"""What only the cards can measure, and what the histograms make of it."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from projections.measures.series_store import SeriesStore
from projections.projector import ProjectionState
from projections.store import Checkpoint
from projections.views.fold import ReadModels
from service.domain import events as e
from service.domain import ids
from service.domain.policy import Policy
from tests.histories import History


def fold_of(events: list[e.Recorded], cuts: list[int]) -> ProjectionState:
    """Fold *events* in pages that end at *cuts*."""
    fold = ProjectionState(Checkpoint(0, 1, 0), ReadModels(), SeriesStore())
    bounds = [0, *sorted({cut % (len(events) + 1) for cut in cuts}), len(events)]
    for start, end in pairwise(bounds):
        fold.take(events[start:end])
    return fold


@given(seed=st.integers(0, 10**6), cuts=st.lists(st.integers(0, 10**6), max_size=8))
def test_series_do_not_depend_on_how_the_log_is_cut(seed: int, cuts: list[int]) -> None:
    """A5: counts, sums, exemplars, exponential buckets, and the position of the last change."""
    events = History(seed).grow(120).events
    assert fold_of(events, cuts).series_store.series == fold_of(events, []).series_store.series


def test_what_the_cards_measure_is_what_the_log_says() -> None:
    """Every quarantine that ended has its age, every heartbeat but those of the same moment its interval."""
    for seed in range(8):
        events = History(seed).grow(250).events
        series = fold_of(events, []).series_store.series
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
        row = fold_of(events, []).series_store.series["muster_skip_cascade_units", ()]
        assert (row.value, row.sum_us) == (len(sizes), sum(sizes))


FOLDED = {kind for kind in e.EVENTS if not kind.kind.startswith(("investigation.", "recovery.", "worker."))} - {
    e.UnitHeartbeat, e.LeaseExpired, e.LateResult, e.UnitsUpdated,
}  # fmt: skip


def test_an_exemplar_is_the_newest_of_its_bucket_and_names_its_event() -> None:
    events = History(5).grow(250).events
    by_position = {event.position: event for event in events}
    row = fold_of(events, []).series_store.series["muster_attempt_duration_seconds", ("completed",)]
    kept = [exemplar for exemplar in row.exemplars if exemplar is not None]
    assert kept
    for observed, at, position, unit in kept:
        event = by_position[position]
        assert isinstance(event.body, e.UnitCompleted)
        assert (at, unit, observed) == (event.at, event.unit, round(event.body.duration * 1_000_000))
    assert sum(row.exponential.values()) == sum(row.buckets) == row.value


def test_a_wave_is_measured_from_its_first_claim_to_its_last_unit() -> None:
    """B-DAG-4: as wide as it is at its first claim, and as good as its units."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    log: list[e.Recorded] = []

    def say(body: e.Event, unit: str | None = None, after_s: float = 1) -> None:
        when = (log[-1].at if log else at) + timedelta(seconds=after_s)
        log.append(e.Recorded(len(log) + 1, when, body, ids.CampaignName("c"), None if unit is None else ids.UnitKey(unit)))

    a, b, c = map(ids.UnitKey, "abc")
    say(
        e.CampaignCreated(
            name=ids.CampaignName("c"),
            title="",
            policy=Policy(),
            labels={},
            auto=True,
            quota=None,
            brief=None,
            brief_rev=1,
            deadline=None,
        )
    )
    say(e.UnitsAdded(units=(e.NewUnit(key=a), e.NewUnit(key=b), e.NewUnit(key=c, depends_on=(a,), waits_for=1))))
    say(claimed("t1"), "a")
    say(completed("t1"), "a", after_s=10)
    say(e.UnitUnblocked(by=a), "c")
    say(claimed("t2"), "c")
    say(e.UnitQuarantined(reason="manual", attempts=1, error=None, worker=None, screen_id=None, was="running"), "c", after_s=3)
    say(e.UnitCancelled(reason=None, by="me", was="ready"), "b")
    fold = fold_of(log, [])
    series = fold.series_store.series
    assert fold.cards.campaigns[ids.CampaignName("c")].wave == 2
    assert (series["muster_wave_units", ()].value, series["muster_wave_units", ()].sum_us) == (2, 3)
    assert {outcome: series["muster_waves_total", (outcome,)].value for outcome in ("complete", "partial", "failed")} == {
        "complete": 0, "partial": 1, "failed": 1,
    }  # fmt: skip
    assert series["muster_wave_duration_seconds", ("failed",)].sum_us == 3_000_000
    assert series["muster_wave_duration_seconds", ("partial",)].sum_us == 16_000_000


def claimed(token: str) -> e.UnitClaimed:
    return e.UnitClaimed(
        token=ids.Token(token), fence=1, attempt=1, mode="auto", lease_until=datetime(2026, 1, 2, tzinfo=UTC), lease_s=60,
        brief_rev=1, resume_session=None, waited=0,
    )  # fmt: skip


def completed(token: str) -> e.UnitCompleted:
    return e.UnitCompleted(
        token=ids.Token(token), attempt=1, result=Raw(b"null"), evidence=Raw(b"null"), exit_code=0, signal=None,
        declared_result=None, mapped_from=None, usage=None, duration=10, was="running",
    )  # fmt: skip
