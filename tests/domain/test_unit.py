"""Units: their states, their attempts, what a person orders about them."""

from datetime import datetime, timedelta

import msgspec
import pytest

from service.domain import commands as c
from service.domain import events as e
from service.domain import ids
from service.domain.ids import Token
from service.domain.rejections import Conflict, NotFound, StaleClaim
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
    expiring,
    fact,
    failure,
    given,
    handing_back,
    order,
    parking,
    rested,
    success,
    unparking,
)

ONE = (campaign(), adding("a"))
TWO = (campaign(), adding("a", "b"))
PARK_SPAN = order(c.ParkUnit, resume_at=START + timedelta(days=1), resume_after_s=90)
LATER = START + timedelta(hours=2)


@pytest.mark.parametrize(
    "report", [beat("t1"), success("t1"), failure("t1"), parking("t1"), handing_back("t1")], ids=lambda r: type(r).__name__
)
def test_a_late_report_on_a_done_unit_is_kept_and_refused(report: c.Report) -> None:
    """B-UNIT-1, B-CLAIM-5."""
    story = given(*TWO, claimed("a", "t1"), after(seconds=300), expiring("t1"), after(seconds=2), rested("a"))
    story.given(claimed("a", "t2", worker="other"), success("t2"))
    before = msgspec.structs.replace(story.unit())
    story.when(report).refused(StaleClaim, current="done", signal="stop")
    story.recorded(fact(e.LateResult, unit="a", worker="w", token="t1", owner=None))
    assert story.unit() == before


@pytest.mark.parametrize(
    ("end", "state"),
    [
        (failure("t"), "delayed"),
        (failure("t", retryable=False), "quarantined"),
        (parking("t"), "parked"),
        (handing_back("t"), "ready"),
        (success("t"), "done"),
    ],
    ids=["failed", "failed for good", "parked", "released", "completed"],
)
def test_the_report_that_ended_a_claim_is_the_last_of_its_worker(end: c.Report, state: ids.UnitState) -> None:
    """B-UNIT-8: another ending is refused and kept; the same again, also after the unit went on, is answered as the first."""
    story = given(*TWO, claimed("a", "t"), after(seconds=2)).when(end).replies(c.ReportReply(state))
    before = msgspec.structs.replace(story.unit())
    others = success("t", exit_code=0), failure("t", "timeout"), parking("t", "busy"), handing_back("t", "stop")
    for other in others:
        story.when(other).refused(StaleClaim, current=state).recorded(fact(e.LateResult, unit="a", token="t"))
    story.when(msgspec.structs.replace(end, worker=W)).then().replies(c.ReportReply(state))
    assert story.unit() == before
    if state in ("delayed", "ready"):
        story.given(after(hours=1), rested("a"), claimed("a", "t2", worker="other"))
        story.when(end).then().replies(c.ReportReply(state))


def test_a_completion_without_a_digest_in_an_older_log_answers_every_other_of_its_token() -> None:
    """B-UNIT-8: a log of an earlier version says only that the unit is done."""
    story = given(*TWO, claimed("a", "t"), success("t"))
    story.state.endings.clear()
    story.when(success("t", exit_code=0)).then().replies(c.ReportReply("done"))


def test_a_late_result_says_what_came_and_who_owns_the_unit_now() -> None:
    """B-UNIT-1."""
    story = given(*ONE, claimed("a", "t1"), after(seconds=300), expiring("t1"), after(seconds=2), rested("a"))
    story.given(claimed("a", "t2", worker="other"))
    story.when(success("t1", result=msgspec.Raw(b'{"pr": 17}'))).refused(StaleClaim, current="running")
    story.recorded(fact(e.LateResult, owner="other"))
    body = story.log[-1].body
    assert isinstance(body, e.LateResult)
    came = msgspec.json.decode(body.came)
    assert (came["type"], came["result"]) == ("completed", {"pr": 17})
    story.when(success("t2")).then(fact(e.UnitCompleted, token="t2"), fact(e.CampaignCompleted))


def test_a_token_that_was_never_given_is_not_found() -> None:
    """B-CLAIM-1."""
    given(*ONE).when(success("invented")).refused(NotFound, field="token").recorded()


def test_attempts_count_failures_and_the_run_in_flight() -> None:
    """B-UNIT-2."""
    story = given(*ONE, claimed("a", "t1"))
    assert story.unit().attempts == 1
    story.given(failure("t1"), after(seconds=2), rested("a"))
    assert story.unit().attempts == 1
    story.given(claimed("a", "t2"))
    assert story.unit().attempts == 2


@pytest.mark.parametrize(
    "end",
    [
        parking("t1"),
        handing_back("t1"),
        handing_back("t1", "stop"),
        order(c.StopUnit),
        order(c.ParkUnit),
        c.FenceWorker(worker=W),
    ],
    ids=lambda end: type(end).__name__,
)
def test_parks_releases_stops_and_fences_add_no_attempt(end: c.Command) -> None:
    """B-UNIT-2, B-PARK-1, B-BREAK-1."""
    story = given(*TWO, claimed("b", "t0"), failure("t0"), claimed("a", "t1")).given(end)
    assert story.unit().attempts == 0
    assert story.unit().claims == 1
    assert story.campaign().consecutive == 1


def test_a_unit_that_is_done_is_never_run_again() -> None:
    """B-UNIT-3."""
    story = given(*TWO, claimed("a", "t1"), success("t1"))
    story.when(order(c.RetryUnit)).refused(Conflict, current="done").recorded()
    story.when(adding("a")).then().replies(c.ImportReply(added=0, updated=0, unchanged=1))
    assert story.when(claim(most=9)).grants == ["b"]


def test_the_attempt_in_flight_is_in_the_log_before_it_ends() -> None:
    """B-UNIT-4, B-CLAIM-1."""
    story = given(*ONE).when(claim()).then(fact(e.UnitClaimed, unit="a", worker="w", attempt=1, mode="auto", brief_rev=1))
    grant = story.outcome.reply.claims[0]
    story.given(after(seconds=7)).when(
        failure(grant.token, "timeout", "too slow", exit_code=124, signal="SIGALRM", usage={"tokens": 5}, screen_id="s1")
    )
    story.then(
        fact(
            e.AttemptFailed,
            unit="a",
            worker="w",
            token=grant.token,
            attempt=1,
            reason="timeout",
            error="too slow",
            exit_code=124,
            signal="SIGALRM",
            usage={"tokens": 5},
            screen_id="s1",
            duration=7.0,
        ),
        fact(e.RetryScheduled, after_attempt=1),
    )


def test_the_last_claim_of_a_poison_unit_quarantines_it_whatever_its_outcome() -> None:
    """B-UNIT-6, B-RETRY-5."""
    poison = (campaign(max_claims=2), adding("a"), claimed("a", "t1"), handing_back("t1"), claimed("a", "t2"))
    out = fact(e.UnitQuarantined, reason="max_claims", attempts=0)
    over = fact(e.CampaignCompleted, outcome="failed")
    given(*poison).when(handing_back("t2")).then(fact(e.UnitReleased), out, over)
    given(*poison).when(order(c.StopUnit)).then(fact(e.UnitReleased), out, over)
    given(*poison).when(order(c.ParkUnit)).then(fact(e.UnitReleased), fact(e.UnitParked), out, over)
    given(*poison).when(parking("t2")).then(fact(e.UnitParked), out, over)
    given(*poison).when(c.FenceWorker(worker=W)).then(fact(e.WorkerFenced), fact(e.UnitReleased), out, over)
    given(*poison).when(failure("t2")).then(fact(e.AttemptFailed), fact(e.UnitQuarantined, reason="max_claims", attempts=1), over)
    given(*poison).when(success("t2")).then(fact(e.UnitCompleted), fact(e.CampaignCompleted, outcome="achieved"))


def test_a_completion_without_evidence_is_a_failed_attempt_where_evidence_is_required() -> None:
    """B-UNIT-7."""
    story = given(campaign(require_evidence=True), adding("a"), claimed("a", "t1"))
    story.when(success("t1")).then(fact(e.AttemptFailed, reason="idle_no_output"), fact(e.RetryScheduled))
    story.given(after(seconds=2), rested("a"), claimed("a", "t2"))
    story.when(success("t2", evidence=msgspec.Raw(b'{"pr": 17}'))).then(fact(e.UnitCompleted), fact(e.CampaignCompleted))


def test_a_late_completion_without_evidence_counts_nothing() -> None:
    """B-UNIT-7, B-UNIT-1."""
    story = given(campaign(require_evidence=True), adding("a"), claimed("a", "t1"), after(seconds=300), expiring("t1"))
    story.when(success("t1")).refused(StaleClaim).recorded(fact(e.LateResult))
    assert story.unit().attempts == 1


def test_a_retry_ends_the_rest_of_a_delayed_unit() -> None:
    """B-RETRY-7."""
    story = given(*ONE, claimed("a", "t1"), failure("t1")).when(order(c.RetryUnit)).then(fact(e.RetryDue, unit="a"))
    assert (story.unit().state, story.unit().attempts) == ("ready", 1)


def test_a_person_parks_a_unit_until_a_time_and_lets_it_go_on() -> None:
    """B-PARK-1."""
    story = (
        given(*ONE)
        .when(order(c.ParkUnit, resume_at=LATER))
        .then(fact(e.UnitParked, token=None, reason="manual", resume_at=LATER))
    )
    story.when(order(c.UnparkUnit)).then(fact(e.UnitUnparked, cause="manual"))
    story.when(order(c.ParkUnit)).then(fact(e.UnitParked, resume_at=START + timedelta(hours=1)))
    story.given(after(minutes=59)).when(unparking("a")).then()
    story.given(after(minutes=1)).when(unparking("a")).then(fact(e.UnitUnparked, cause="due"))


QUARTER = START + timedelta(minutes=15)


@pytest.mark.parametrize(
    ("resume_at", "until"),
    [
        (START, QUARTER),
        (START - timedelta(days=1), QUARTER),
        (START + timedelta(milliseconds=999), QUARTER),
        (START + timedelta(seconds=1), START + timedelta(seconds=1)),
        (START + timedelta(days=4000), START + timedelta(days=4000)),
    ],
)
def test_a_park_until_a_time_that_is_no_back_off_ahead_lasts_a_quarter_of_an_hour(resume_at: datetime, until: datetime) -> None:
    """B-PARK-1, B-PARK-5: a worker's clock may be slow, and a person's too."""
    for park in (order(c.ParkUnit, resume_at=resume_at), parking("t1", resume_at=resume_at)):
        story = given(*ONE, claimed("a", "t1"), park)
        assert (story.unit().state, story.unit().resume_at) == ("parked", until)
        story.given(after(seconds=(until - START).total_seconds() - 0.001)).when(unparking("a")).then()
        story.given(after(milliseconds=1)).when(unparking("a"))
        story.then(fact(e.UnitUnparked, cause="due"))


def test_a_span_to_park_for_is_judged_by_the_clock_of_the_service_and_goes_first() -> None:
    """B-PARK-5."""
    for kind in (c.ParkClaim(token=Token("t1"), reason="busy", resume_at=START, resume_after_s=90), PARK_SPAN):
        story = given(*ONE, claimed("a", "t1")).given(kind)
        assert story.unit().resume_at == START + timedelta(seconds=90)


def test_parks_under_a_second_do_not_use_up_the_claims_of_a_unit() -> None:
    """B-PARK-5, B-UNIT-6."""
    story = given(campaign(max_claims=2, retry={"backoff_ms": 100}), adding("a"))
    for number in range(5):
        story.given(claimed("a", f"t{number}"))
        story.when(parking(f"t{number}", "busy", story.at + timedelta(milliseconds=999))).then(fact(e.UnitParked, counted=False))
        story.given(after(seconds=1), unparking("a"))
        assert (story.unit().state, story.unit().claims) == ("ready", 0)
    for token in ("u1", "u2"):
        story.given(
            claimed("a", token), parking(token, "busy", story.at + timedelta(seconds=1)), after(seconds=1), unparking("a")
        )
    assert (story.unit().state, story.unit().reason) == ("quarantined", "max_claims")


def test_a_person_quarantines_a_running_unit_neutrally_with_its_screen() -> None:
    """B-RETRY-5, B-RETRY-6, B-BREAK-1."""
    story = given(*TWO, claimed("a", "t1"), beat("t1", screen_id="s1")).when(order(c.QuarantineUnit, reason="looks wrong"))
    story.then(
        fact(e.UnitReleased, token="t1", cause="stop"),
        fact(e.UnitQuarantined, reason="manual", error="looks wrong", attempts=0, screen_id="s1", was="ready"),
    )
    assert story.campaign().consecutive == 0
    story.when(beat("t1")).refused(StaleClaim, signal="stop")


def test_actions_on_unknown_objects_are_not_found() -> None:
    story = given(*ONE)
    story.when(order(c.StopUnit, "b")).refused(NotFound, field="key", current="b")
    story.when(order(c.StopUnit, "a", of="day")).refused(NotFound, field="campaign", current="day")


def test_the_units_of_a_cancelled_campaign_are_left_in_peace() -> None:
    """B-CAMP-4."""
    story = given(*TWO, order(c.QuarantineUnit), c.CancelCampaign(name=NIGHT))
    for kind in (c.RetryUnit, c.ParkUnit, c.UnparkUnit, c.QuarantineUnit, c.CancelUnit, c.StopUnit):
        story.when(order(kind)).refused(Conflict, current="cancelled").recorded()


def test_a_running_lease_keeps_its_length_and_the_next_decision_takes_the_new_policy() -> None:
    """B-CAMP-3."""
    story = given(*ONE, claimed("a", "t1"), editing(policy={"lease_s": 60, "max_attempts": 1}), after(seconds=100))
    story.when(expiring("t1")).then()
    story.when(beat("t1")).then(fact(e.UnitHeartbeat))
    assert story.outcome.reply.lease_until == story.at + timedelta(seconds=300)
    story.when(failure("t1")).then(
        fact(e.AttemptFailed), fact(e.UnitQuarantined, reason="max_attempts"), fact(e.CampaignCompleted, outcome="failed")
    )
