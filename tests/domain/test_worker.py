"""Workers: levels, ticks, farewells, drain and fence."""

from datetime import timedelta

import pytest

from service.domain import commands as c
from service.domain import events as e
from service.domain import ids
from service.domain.rejections import NotFound, StaleClaim
from service.domain.rules.heartbeat import age
from tests.domain.scenario import (
    NIGHT,
    START,
    W,
    adding,
    after,
    beat,
    campaign,
    claim,
    claimed,
    editing,
    fact,
    failure,
    given,
    handing_back,
    judging,
    parking,
    revoking,
    success,
)

HELD = (campaign(lease_s=9999), adding("a", "b"), claimed("a", "t"))
HELLO = c.BeatWorker(worker=W)


def test_every_heartbeat_is_an_event_with_only_reported_fields() -> None:
    """B-BEAT-1."""
    story = given(*HELD).when(beat("t", progress=0.4, note="3 of 7", usage={"tokens": 9}))
    story.then(
        fact(
            e.UnitHeartbeat,
            unit="a",
            worker=W,
            progress=0.4,
            note="3 of 7",
            usage={"tokens": 9},
            session=None,
            idle=None,
            alive=None,
        )
    )
    story.given(HELLO).when(HELLO).then(fact(e.WorkerHeartbeat, worker=W, alive=True))


@pytest.mark.parametrize(
    ("seconds", "level"), [(30, None), (30.1, "warn"), (60, "warn"), (60.1, "stale"), (300, "stale"), (300.1, "dead")]
)
def test_a_level_is_strictly_by_age(seconds: float, level: str | None) -> None:
    """B-BEAT-1, B-BEAT-3."""
    story = given(*HELD, after(seconds=seconds)).when(judging())
    if level is None:
        story.then()
    else:
        story.then(fact(e.LevelChanged, worker=W, from_="healthy", to=level, age=seconds))
        story.when(judging()).then()


def test_an_age_is_never_negative() -> None:
    """B-BEAT-1."""
    assert age(START + timedelta(seconds=5), START) == 0


@pytest.mark.parametrize(
    "report", [beat("t"), success("t"), failure("t"), parking("t"), handing_back("t")], ids=lambda r: type(r).__name__
)
def test_any_sign_of_life_makes_a_silent_worker_healthy_once(report: c.Report) -> None:
    """B-BEAT-3, B-BEAT-4."""
    story = given(*HELD, HELLO, after(seconds=301), judging()).when(report)
    assert [event.body.to for event in story.outcome.events if isinstance(event.body, e.LevelChanged)] == ["healthy"]
    story.given(after(seconds=5)).when(judging()).then()


def test_alive_false_is_dead_at_once() -> None:
    """B-BEAT-1."""
    story = (
        given(*HELD)
        .when(beat("t", alive=False))
        .then(fact(e.UnitHeartbeat, alive=False), fact(e.LevelChanged, to="dead", age=0.0))
    )
    story.when(judging()).then()
    story.when(beat("t")).then(fact(e.UnitHeartbeat), fact(e.LevelChanged, from_="dead", to="healthy"))


def test_work_without_a_worker_has_no_level() -> None:
    """B-BEAT-2."""
    given(campaign(), adding(*[f"u{n}" for n in range(1000)]), after(days=1)).when(judging()).then()


def test_a_worker_without_lease_and_registration_has_no_level() -> None:
    """B-BEAT-2."""
    story = given(*HELD, success("t"), after(seconds=301)).when(judging()).then()
    story.given(HELLO, after(seconds=301)).when(judging()).then(fact(e.LevelChanged, to="dead"))


def test_a_drained_worker_has_no_level_once_it_holds_nothing() -> None:
    """B-BEAT-2, B-BEAT-7."""
    given(HELLO, c.DrainWorker(worker=W), after(seconds=301)).when(judging()).then()
    given(HELLO, *HELD, c.DrainWorker(worker=W), after(seconds=301)).when(judging()).then(fact(e.LevelChanged, to="dead"))


def test_dead_ticks_in_a_row_revoke_the_claims_exactly_once() -> None:
    """B-BEAT-4, B-CLAIM-3."""
    story = given(*HELD, after(seconds=301), judging())
    for _ in range(2):
        story.when(revoking("t")).then()
        story.given(after(seconds=5))
    story.when(revoking("t", "t")).then(
        fact(e.LeaseExpired, token="t", worker=W, age=311.0),
        fact(e.AttemptFailed, reason="heartbeat_dead"),
        fact(e.RetryScheduled),
    )
    story.when(revoking("t")).then()


def test_a_heartbeat_resets_the_count_of_dead_ticks() -> None:
    """B-BEAT-4."""
    story = given(*HELD, after(seconds=301), judging(), after(seconds=9), beat("t"), after(seconds=2)).when(revoking("t")).then()
    story.given(after(seconds=299), judging(), after(seconds=5)).when(revoking("t")).then()


def test_a_worker_that_died_quarantines_where_the_policy_says_so() -> None:
    """B-CLAIM-3, B-RETRY-5."""
    story = given(
        campaign(lease_s=9999, on_dead="quarantine"), adding("a", "b"), claimed("a", "t"), after(seconds=301), judging()
    )
    story.given(after(seconds=10)).when(revoking("t"))
    story.then(fact(e.LeaseExpired), fact(e.AttemptFailed), fact(e.UnitQuarantined, reason="heartbeat_dead"))


def test_heartbeat_thresholds_are_those_of_each_campaign() -> None:
    """B-BEAT-1, B-BEAT-4."""
    story = given(campaign("strict", lease_s=9999), campaign("patient", heartbeat={"dead_s": 1000}, lease_s=9999))
    story.given(
        adding("a", to="strict"), adding("a", to="patient"), claimed("a", "s", of="strict"), claimed("a", "p", of="patient")
    )
    story.given(after(seconds=301), judging(), after(seconds=20))
    story.when(revoking("s", "p")).then(fact(e.LeaseExpired, campaign="strict"), fact(e.AttemptFailed), fact(e.RetryScheduled))
    story.given(after(seconds=700)).when(revoking("p")).then(fact(e.LeaseExpired), fact(e.AttemptFailed), fact(e.RetryScheduled))


def test_an_outage_of_the_service_changes_no_heartbeat_level() -> None:
    """B-BEAT-3, B-BEAT-4: no storm after an outage, and the count survives a restart."""
    story = given(*HELD, after(hours=1))
    story.when(judging(heard_since=story.at - timedelta(seconds=20))).then()
    story.given(judging())
    assert story.worker().level == "dead"
    story.when(judging(heard_since=story.at - timedelta(seconds=20))).then()
    story.given(after(seconds=10)).when(revoking("t", heard_since=story.at - timedelta(seconds=20))).then()


def test_a_silent_worker_gets_no_better_by_the_end_of_its_last_claim() -> None:
    """B-BEAT-1, B-BEAT-2, B-BEAT-3: it was judged by its campaign, and only a sign of life makes a level better."""
    strict = campaign("strict", heartbeat={"warn_s": 5, "stale_s": 10, "dead_s": 20}, lease_s=9999)
    story = given(HELLO, strict, adding("a", to="strict"), claimed("a", "t", of="strict"), after(seconds=21))
    story.when(judging()).then(fact(e.LevelChanged, from_="healthy", to="dead"))
    story.given(after(seconds=15)).when(revoking("t")).then(
        fact(e.LeaseExpired), fact(e.AttemptFailed, reason="heartbeat_dead"), fact(e.RetryScheduled)
    )
    story.when(judging()).then()
    story.given(after(seconds=300)).when(judging()).then()
    story.when(HELLO).then(fact(e.WorkerHeartbeat), fact(e.LevelChanged, from_="dead", to="healthy"))
    story.given(after(seconds=31)).when(judging()).then(fact(e.LevelChanged, from_="healthy", to="warn"))


def test_a_worker_with_a_claim_is_judged_anew_by_a_policy_that_changed() -> None:
    """B-BEAT-1, B-CAMP-3: a longer patience calls it better at the next look."""
    story = given(
        campaign(heartbeat={"warn_s": 5, "stale_s": 10, "dead_s": 20}), adding("a"), claimed("a", "t"), after(seconds=21)
    )
    story.given(judging(), editing(policy={"heartbeat": {"warn_s": 30, "stale_s": 60, "dead_s": 300}}))
    story.when(judging()).then(fact(e.LevelChanged, from_="dead", to="healthy"))


def test_a_worker_that_says_farewell_is_gone_when_it_holds_nothing() -> None:
    """B-BEAT-1."""
    bye = c.BeatWorker(worker=W, alive=False)
    given(HELLO).when(bye).then(fact(e.WorkerDeregistered, worker=W, reason="clean"))
    given(HELLO, bye).when(bye).then()
    given().when(bye).then()
    story = given(HELLO, *HELD).when(bye).then(fact(e.WorkerHeartbeat, alive=False), fact(e.LevelChanged, to="dead"))
    story.given(after(seconds=10)).when(revoking("t"))
    story.then(fact(e.LeaseExpired), fact(e.AttemptFailed, reason="heartbeat_dead"), fact(e.RetryScheduled))


def test_a_worker_that_was_gone_lives_again_by_its_claim() -> None:
    """B-BEAT-2, B-BEAT-4."""
    story = given(HELLO, c.BeatWorker(worker=W, alive=False), *HELD, after(seconds=301))
    assert story.worker().state == "active"
    story.when(judging()).then(fact(e.LevelChanged, to="dead"))


def test_a_worker_that_is_silent_for_long_without_a_claim_is_let_go() -> None:
    """B-BEAT-2."""
    story = given(HELLO, after(seconds=3900)).when(judging()).then(fact(e.LevelChanged, to="dead"))
    story.given(after(seconds=1)).when(judging()).then(fact(e.WorkerDeregistered, reason="dead"))
    story.when(judging()).then()
    story.when(HELLO).then(fact(e.WorkerRegistered))


def test_a_worker_says_who_it_is_once() -> None:
    story = given().when(c.BeatWorker(worker=W, capacity=4, labels={"gpu": "no"}, version="1.2"))
    story.then(fact(e.WorkerRegistered, worker=W, capacity=4, labels={"gpu": "no"}, version="1.2"))
    story.when(c.BeatWorker(worker=W, capacity=4)).then(fact(e.WorkerHeartbeat))
    story.when(c.BeatWorker(worker=W, capacity=5)).then(fact(e.WorkerRegistered, capacity=5, labels={"gpu": "no"}, version="1.2"))


def test_a_draining_worker_finishes_what_it_holds_and_gets_nothing() -> None:
    """B-BEAT-7."""
    story = (
        given(*HELD)
        .when(c.DrainWorker(worker=W, reason="update"))
        .then(fact(e.WorkerDraining, worker=W, by="me", reason="update"))
    )
    story.when(c.DrainWorker(worker=W)).then()
    assert story.when(claim(NIGHT)).outcome.reply.blocked == (c.BlockedCampaign(NIGHT, "worker"),)
    assert story.when(beat("t")).outcome.reply.signal == "drain"
    assert story.when(HELLO).outcome.reply.signal == "drain"
    story.when(success("t")).then(fact(e.UnitCompleted))


def test_a_fenced_worker_loses_everything_neutrally_at_once() -> None:
    """B-BEAT-7, B-BREAK-1."""
    story = given(*HELD, claimed("b", "t2")).when(c.FenceWorker(worker=W, reason="broken"))
    story.then(
        fact(e.WorkerFenced, worker=W, by="me", reason="broken"),
        fact(e.UnitReleased, unit="a", token="t", cause="fence"),
        fact(e.UnitReleased, unit="b", token="t2", cause="fence"),
    )
    assert story.states() == {"a": "ready", "b": "ready"}
    assert (story.unit().attempts, story.campaign().consecutive, story.worker().held) == (0, 0, 0)
    story.when(beat("t")).refused(StaleClaim, signal="stop")
    assert story.when(HELLO).outcome.reply.signal == "stop"
    assert story.when(claim()).grants == []
    story.when(c.FenceWorker(worker=W)).then()
    assert story.when(claim(worker="other", most=9)).grants == ["a", "b"]


def test_orders_about_an_unknown_worker_are_not_found() -> None:
    nobody = ids.WorkerId("nobody")
    given().when(c.DrainWorker(worker=nobody)).refused(NotFound, field="worker", current="nobody")
    given().when(c.FenceWorker(worker=nobody)).refused(NotFound, field="worker", current="nobody")
