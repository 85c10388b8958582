"""Whatever happens, the views say what the state says, and the series say what the log holds."""

from collections import Counter
from datetime import datetime, timedelta

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import asdict

from projections.measures.gauges import FoldLag, gauges
from projections.measures.series_store import SeriesStore
from projections.views.campaign.card import CampaignCard
from projections.views.fold import ReadModels
from projections.views.unit.attempts import attempt_history
from service.domain import events as e
from service.domain import ids
from service.domain.campaign import Campaign
from service.domain.evolve import evolve
from service.domain.state import State
from tests.histories import BEGIN, History

SEEDS = st.integers(min_value=0, max_value=10**9)
SHARED = (
    "title", "policy", "labels", "auto", "quota", "brief", "brief_rev", "deadline", "version", "created_at", "started_at",
    "completed_at", "cancelled_at", "outcome", "paused_at", "paused_by", "paused_reason", "consecutive", "tripped", "counts",
    "state",
)  # fmt: skip


def folded(events: list[e.Recorded]) -> tuple[ReadModels, SeriesStore]:
    cards, series_store = ReadModels(), SeriesStore()
    for event in events:
        cards.fold(event)
        series_store.fold([event])
    return cards, series_store


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS, steps=st.integers(5, 250))
def test_the_campaign_view_agrees_with_the_state(seed: int, steps: int) -> None:
    """A5, B-VIEW-6."""
    history = History(seed).grow(steps)
    cards, _ = folded(history.events)
    for name, campaign in history.state.campaigns.items():
        card = cards.campaigns[name]
        assert {field: getattr(card, field) for field in SHARED} == {field: getattr(campaign, field) for field in SHARED}
        reasons = Counter(card.reason for (owner, _), card in cards.quarantine.items() if owner == name)
        assert card.quarantined_by_reason == reasons
    quarantined = {key for key, unit in history.state.units.items() if unit.state == "quarantined"}
    assert cards.quarantine.keys() == quarantined
    assert cards.engine.in_use == history.state.engine.in_use
    assert cards.engine.pool_size == history.state.engine.pool_size


def ticks(state: State, campaign: Campaign) -> bool:
    """Tell whether the state lets a campaign's clock run."""
    counts, quota = campaign.counts, state.quotas.get(campaign.quota) if campaign.quota is not None else None
    if campaign.started_at is None or campaign.paused_at is not None or counts.running:
        return counts.running > 0 and campaign.paused_at is None
    shut = state.engine.paused_at is not None or (quota is not None and quota.reason is not None)
    held = shut or not campaign.auto or campaign.tripped is not None
    return campaign.state == "running" and (counts.ready > 0 or counts.delayed > 0) and not held


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS, steps=st.integers(5, 250), size=st.integers(1, 40))
def test_after_every_event_the_clock_of_a_campaign_runs_if_the_state_says_so(seed: int, steps: int, size: int) -> None:
    """B-VIEW-1, B-VIEW-6: and it shows the same for any cut of the log into pages."""
    events, state = History(seed).grow(steps).events, State()
    whole, paged = ReadModels(), ReadModels()
    for number, event in enumerate(events):
        evolve(state, event)
        for cards in (whole, paged):
            cards.fold(event)
        for name, campaign in state.campaigns.items():
            assert (whole.campaigns[name].throughput.since_us is not None) == ticks(state, campaign), event.body
        if number % size == 0:
            paged.campaigns = msgspec.json.decode(msgspec.json.encode(paged.campaigns), type=dict[ids.CampaignName, CampaignCard])
    assert {name: card.throughput for name, card in paged.campaigns.items()} == {
        name: card.throughput for name, card in whole.campaigns.items()
    }


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS, steps=st.integers(5, 250))
def test_the_worker_and_quota_views_agree_with_the_state(seed: int, steps: int) -> None:
    """A5, B-BEAT-2, B-VIEW-6."""
    history = History(seed).grow(steps)
    cards, _ = folded(history.events)
    for name, worker in history.state.workers.items():
        card = cards.workers[name]
        for field in ("state", "registered", "capacity", "labels", "version", "level", "level_at", "alive", "watched"):
            assert getattr(card, field) == getattr(worker, field), field
        assert card.last_heartbeat_at == worker.beat_at
        held = {token: claim for token, claim in history.state.claims.items() if claim.worker == name}
        assert card.claims.keys() == held.keys()
        for token, claim in held.items():
            assert asdict(card.claims[token]).items() >= {
                "attempt": claim.attempt, "lease_until": claim.lease_until, "progress": claim.progress, "note": claim.note,
                "output_at": claim.output_at,
            }.items()  # fmt: skip
    for key, quota in history.state.quotas.items():
        if key in cards.quotas:
            for field in ("reason", "closed_at", "resume_at", "utilization", "resets_at", "consecutive_failures", "policy"):
                assert getattr(cards.quotas[key], field) == getattr(quota, field), field


@settings(max_examples=40, deadline=None)
@given(seed=SEEDS, steps=st.integers(5, 250))
def test_the_counters_are_a_recount_of_the_log(seed: int, steps: int) -> None:
    """A6."""
    events = History(seed).grow(steps).events
    _, series_store = folded(events)
    kinds = Counter(event.body.kind for event in events)
    assert {labels[0]: row.value for (family, labels), row in series_store.series.items() if family == "muster_events_total"} == {
        event.kind: kinds[event.kind] for event in e.EVENTS
    }
    ends = sum(
        value(series_store, "muster_attempts_total", outcome)
        for outcome in ("completed", "failed", "expired", "released", "parked")
    )
    told = sum(
        isinstance(event.body, e.UnitCompleted | e.AttemptFailed | e.UnitReleased)
        or (isinstance(event.body, e.UnitParked) and event.body.token is not None)
        for event in events
    )
    assert ends == told
    assert value(series_store, "muster_retries_scheduled_total") == kinds["unit.retry_scheduled"]
    claims = series_store.series["muster_unit_wait_seconds", ()]
    assert claims.value == sum(claims.buckets) == kinds["unit.claimed"]


@settings(max_examples=40, deadline=None)
@given(seed=SEEDS, steps=st.integers(5, 150), size=st.integers(1, 400))
def test_events_that_count_the_same_are_counted_together_as_if_one_by_one(seed: int, steps: int, size: int) -> None:
    """A6: the cut of the pages makes no difference."""
    events = History(seed).grow(steps).events
    _, series_store = folded(events)
    paged = SeriesStore()
    for start in range(0, len(events), size):
        paged.fold(events[start : start + size])
    assert paged.series == series_store.series
    assert paged.touched == series_store.touched


READY = e.UnitUnblocked | e.UnitUnparked | e.UnitReleased | e.RetryDue
OUTCOMES = {
    e.UnitCompleted: "completed",
    e.UnitQuarantined: "quarantined",
    e.UnitSkipped: "skipped",
    e.UnitCancelled: "cancelled",
}


@settings(max_examples=40, deadline=None)
@given(seed=SEEDS, steps=st.integers(5, 250))
def test_the_time_of_a_unit_is_counted_from_its_first_readiness_to_each_of_its_ends(seed: int, steps: int) -> None:
    """A6: found once more from the events alone."""
    events = History(seed).grow(steps).events
    _, series_store = folded(events)
    first: dict[tuple[str | None, str | None], datetime] = {}
    spans: dict[str, list[timedelta]] = {outcome: [] for outcome in OUTCOMES.values()}
    for event in events:
        unit = event.campaign, event.unit
        match event.body:
            case e.UnitsAdded(units=units):
                first |= {(event.campaign, new.key): event.at for new in units if not new.waits_for}
            case e.QuarantineCleared(to="ready") | e.UnitUnskipped(to="ready"):
                first.setdefault(unit, event.at)
            case body if isinstance(body, READY):
                first.setdefault(unit, event.at)
            case body if type(body) in OUTCOMES and unit in first:
                spans[OUTCOMES[type(body)]].append(event.at - first[unit])
    for outcome, each in spans.items():
        row = series_store.series["muster_unit_duration_seconds", (outcome,)]
        assert row.value == sum(row.buckets) == sum(row.exponential.values()) == len(each)
        assert timedelta(microseconds=row.sum_us) == sum(each, timedelta())


def value(series_store: SeriesStore, family: str, *labels: str) -> int:
    return series_store.series[family, labels].value


@settings(max_examples=40, deadline=None)
@given(seed=SEEDS, steps=st.integers(5, 150))
def test_units_come_and_go_as_often_as_the_transitions_say(seed: int, steps: int) -> None:
    """A6: what came into a final state and never left is there now."""
    history = History(seed).grow(steps)
    cards, series_store = folded(history.events)
    lag = FoldLag(at=history.at, head=len(history.events), position=len(history.events), generation=1, oldest_at=None)
    shown = {(sample.family, sample.labels): sample.value for sample in gauges(cards, lag)}
    for state in ("done", "cancelled"):
        assert shown["muster_units", (state,)] == value(series_store, "muster_unit_transitions_total", state)
    assert shown["muster_projection_lag_events", ("views",)] == 0


@settings(max_examples=40, deadline=None)
@given(seed=SEEDS, steps=st.integers(5, 150))
def test_the_story_of_a_unit_counts_its_attempts(seed: int, steps: int) -> None:
    """B-UNIT-2, B-UNIT-4: every execution is told, the one in flight before it ends."""
    history = History(seed).grow(steps)
    for (campaign, key), unit in history.state.units.items():
        own = [event for event in history.events if event.campaign == campaign and event.unit == key]
        attempts = attempt_history(own)
        assert len(attempts) == sum(isinstance(event.body, e.UnitClaimed) for event in own)
        flying = [attempt for attempt in attempts if attempt.ended_at is None]
        assert len(flying) == (unit.state == "running")
        assert all(attempt.started_at >= BEGIN for attempt in attempts)
