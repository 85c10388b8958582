"""Failures: delays, verdicts, quarantine, watchdogs, idle grace, kills after a success."""

from datetime import timedelta

import pytest

from service.domain import commands as c
from service.domain import events as e
from service.domain.policy import DEFAULT, Jitter, RetryPolicy
from service.domain.rejections import Conflict
from service.domain.rules.retry import backoff, matches
from tests.domain.scenario import (
    START,
    adding,
    after,
    beat,
    campaign,
    claim,
    claimed,
    clearing,
    editing,
    expiring,
    fact,
    failure,
    given,
    order,
    rested,
    revoking,
    spec,
    success,
)

ONE = (campaign(), adding("a"))
TWO = (campaign(), adding("a", "b"))
RETRY = (after(hours=1), rested("a"))


@pytest.mark.parametrize(
    ("policy", "attempt", "chance", "expected"),
    [
        (RetryPolicy(), 1, 0.0, (1000, 700)),
        (RetryPolicy(), 1, 1.0, (1000, 1300)),
        (RetryPolicy(), 2, 0.0, (2000, 1400)),
        (RetryPolicy(), 2, 1.0, (2000, 2600)),
        (RetryPolicy(jitter=Jitter(kind="none")), 3, 0.9, (4000, 4000)),
        (RetryPolicy(jitter=Jitter(kind="full")), 1, 0.25, (1000, 250)),
        (RetryPolicy(jitter=Jitter(kind="additive", ms=50)), 1, 1.0, (1000, 1050)),
        (RetryPolicy(jitter=Jitter(ratio=1.0)), 1, 0.0, (1000, 0)),
        (RetryPolicy(max_delay_ms=1500), 2, 1.0, (1500, 1500)),
        (RetryPolicy(factor=5), 1025, 0.5, (3_600_000, 3_600_000)),
        (RetryPolicy(factor=1), 1025, 0.5, (1000, 1000)),
    ],
)
def test_the_delay_grows_by_the_factor_and_is_moved_by_chance(
    policy: RetryPolicy, attempt: int, chance: float, expected: tuple[int, int]
) -> None:
    """B-RETRY-1."""
    assert backoff(policy, attempt, chance) == expected


def test_the_drawn_delay_and_the_due_time_are_in_the_event() -> None:
    """B-RETRY-2."""
    story = given(*ONE, claimed("a", "t1"))
    story.luck = 0.25
    story.when(failure("t1")).then(
        fact(e.AttemptFailed),
        fact(e.RetryScheduled, after_attempt=1, base_ms=1000, delay_ms=850, due_at=START + timedelta(milliseconds=850)),
    )
    story.given(after(milliseconds=849)).when(rested("a")).then()
    story.given(after(milliseconds=1)).when(rested("a", "a", "none")).then(fact(e.RetryDue, unit="a"))
    story.given(claimed("a", "t2")).when(failure("t2")).then(
        fact(e.AttemptFailed), fact(e.RetryScheduled, base_ms=2000, delay_ms=1700)
    )


@pytest.mark.parametrize(
    ("glob", "text", "expected"),
    [
        ("exit 1", "exit 1", True),
        ("EXIT ?", "exit 1", True),
        ("exit ?", "exit 12", False),
        ("exit", "exit 1", False),
        ("*timeout*", "Read TIMEOUT after 3 s", True),
        ("*", "", True),
        ("?", "", False),
        ("a[b]c", "a[b]c", True),
        ("a.c", "abc", False),
        ("*a*a*a*b", "a" * 200, False),
        ("line*", "line\nbreak", True),
    ],
)
def test_a_glob_has_the_shape_of_the_whole_message(glob: str, text: str, expected: object) -> None:
    """B-RETRY-3."""
    assert matches(glob.lower(), text.lower()) is expected


@pytest.mark.parametrize("how", [{"error": "exit 3"}, {"error": None}, {"error": "disk full", "retryable": False}])
def test_a_non_retryable_failure_quarantines_at_once(how: dict[str, object]) -> None:
    """B-RETRY-3, B-RETRY-5."""
    story = given(campaign(retry={"retryable_errors": ["*full", "exit ?: *"]}), adding("a", "b"), claimed("a", "t1"))
    story.when(failure("t1", **how)).then(  # type: ignore[arg-type]
        fact(e.AttemptFailed, retryable=False), fact(e.UnitQuarantined, reason="not_retryable", attempts=1)
    )


def test_an_error_that_matches_a_glob_is_retried_and_names_the_glob() -> None:
    """B-RETRY-3."""
    story = given(campaign(retry={"retryable_errors": ["*full", "EXIT ?*"]}), adding("a"), claimed("a", "t1"))
    story.when(failure("t1")).then(fact(e.AttemptFailed, retryable=True, matched_pattern="EXIT ?*"), fact(e.RetryScheduled))


def test_the_last_attempt_quarantines_the_unit_with_its_screen() -> None:
    """B-RETRY-4, B-RETRY-6."""
    story = given(campaign(max_attempts=2), adding("a", "b"), claimed("a", "t1"), failure("t1", screen_id="old"), *RETRY)
    story.given(claimed("a", "t2", worker="last"), beat("t2", screen_id="new"))
    story.when(failure("t2", error="exit 9")).then(
        fact(e.AttemptFailed, attempt=2, screen_id="new"),
        fact(e.UnitQuarantined, reason="max_attempts", attempts=2, error="exit 9", worker="last", screen_id="new", was="running"),
    )
    row = story.unit()
    assert (row.state, row.attempts, row.reason, row.error, row.screen_id) == ("quarantined", 2, "max_attempts", "exit 9", "new")


def test_a_failure_s_own_screen_is_later_than_that_of_a_heartbeat() -> None:
    """B-RETRY-6."""
    story = given(*ONE, claimed("a", "t1"), beat("t1", screen_id="old")).given(failure("t1", retryable=False, screen_id="new"))
    assert story.unit().screen_id == "new"


def test_a_bulk_retry_clears_quarantines_under_a_new_brief() -> None:
    """B-RETRY-7."""
    story = given(*TWO, *[order(c.QuarantineUnit, key) for key in "ab"]).when(clearing("a", "b", "none", brief="new"))
    story.then(
        fact(e.CampaignEdited, changes={"brief": e.Change("do it", "new")}, brief_rev=2),
        fact(e.QuarantineCleared, unit="a", bulk_id="bulk", by="me", to="ready"),
        fact(e.QuarantineCleared, unit="b"),
        fact(e.CampaignReopened, cause="retry"),
    ).replies(c.ClearReply(2))
    assert story.when(claim()).outcome.reply.claims[0].brief == "new"
    story.when(clearing("a", "b")).then().replies(c.ClearReply(0))


def test_a_retry_begins_at_zero_and_keeps_the_history() -> None:
    """B-RETRY-7."""
    story = given(campaign(max_attempts=1), adding("a"), claimed("a", "t1"), failure("t1"), order(c.RetryUnit))
    row = story.unit()
    assert (row.state, row.attempts, row.claims, row.reason, row.error) == ("ready", 0, 0, None, None)
    assert story.when(claim()).outcome.reply.claims[0].attempt == 1
    assert sum(isinstance(event.body, e.AttemptFailed) for event in story.log) == 1


def test_only_idle_observations_in_a_row_fail_the_attempt() -> None:
    """B-RETRY-8, B-BREAK-1."""
    story = given(*ONE, claimed("a", "t1"), beat("t1", idle=True), beat("t1", idle=True), beat("t1", idle=False))
    story.given(beat("t1", idle=True), beat("t1", idle=True), beat("t1", progress=0.1))
    story.given(beat("t1", idle=True), beat("t1", idle=True), beat("t1", output_at=START))
    story.given(beat("t1", idle=True), beat("t1"), beat("t1", idle=True))
    story.when(beat("t1", idle=True)).then(
        fact(e.UnitHeartbeat, idle=True), fact(e.AttemptFailed, reason="idle_no_output", attempt=1), fact(e.RetryScheduled)
    ).replies(c.ReportReply("delayed", signal="stop"))
    assert story.campaign().consecutive == 1


def test_a_unit_that_runs_too_long_is_taken_back() -> None:
    """B-RETRY-9."""
    story = given(campaign(max_duration_s=60), adding("a"), claimed("a", "t1"), after(seconds=60)).when(revoking("t1")).then()
    story.given(beat("t1"), after(milliseconds=1))
    story.when(revoking("t1")).then(fact(e.AttemptFailed, reason="max_duration", token="t1"), fact(e.RetryScheduled))
    story.when(beat("t1")).recorded(fact(e.LateResult))
    assert story.outcome.rejection is not None
    assert story.outcome.rejection.fields["signal"] == "stop"


def test_a_unit_whose_output_stands_still_is_taken_back() -> None:
    """B-RETRY-9, B-BEAT-6."""
    story = given(campaign(idle_output_s=60, lease_s=9999), adding("a"), claimed("a", "t1"), after(seconds=100))
    story.when(revoking("t1")).then()
    story.given(beat("t1", output_at=START), after(seconds=60), beat("t1", output_at=START)).when(revoking("t1")).then()
    story.given(after(seconds=1))
    story.when(revoking("t1", heard_since=story.at - timedelta(seconds=60))).then()
    story.when(revoking("t1", "t1")).then(fact(e.AttemptFailed, reason="idle_output"), fact(e.RetryScheduled))


@pytest.mark.parametrize("lease_s", [300, 9999])
def test_after_an_outage_watchdogs_wait_until_the_worker_is_dead(lease_s: float) -> None:
    """B-RETRY-9, B-BEAT-4: until then it may yet say that it has finished long ago."""
    story = given(campaign(max_duration_s=60, lease_s=lease_s), adding("a"), claimed("a", "t1"), after(hours=1))
    story.when(revoking("t1", heard_since=story.at - timedelta(seconds=299))).then()
    story.when(revoking("t1", heard_since=story.at - timedelta(seconds=300))).then(fact(e.AttemptFailed), fact(e.RetryScheduled))


def test_a_watchdog_bites_at_once_whoever_was_heard_since_the_service_can_hear() -> None:
    """B-RETRY-9: a service that has just begun spares only those who may have spoken while it was deaf."""
    story = given(campaign(max_duration_s=1), adding("a"), claimed("a", "t1"), after(seconds=2))
    story.when(revoking("t1", heard_since=START)).then(fact(e.AttemptFailed, reason="max_duration"), fact(e.RetryScheduled))
    story = given(campaign(max_duration_s=60), adding("a"), claimed("a", "t1"), after(hours=1), beat("t1"))
    story.when(revoking("t1", heard_since=story.at)).then(fact(e.AttemptFailed), fact(e.RetryScheduled))


@pytest.mark.parametrize(
    ("said", "raw"),
    [
        ({"signal": "SIGTERM"}, 143),
        ({"signal": "SIGKILL"}, 137),
        ({"exit_code": 143}, 143),
        ({"exit_code": 137}, 137),
        ({"exit_code": -15}, -15),
        ({"exit_code": -9}, -9),
        ({"signal": "SIGTERM", "exit_code": -15}, -15),
    ],
)
def test_a_kill_after_a_declared_success_is_a_success(said: dict[str, object], raw: int) -> None:
    """B-RETRY-10."""
    done = fact(e.UnitCompleted, mapped_from=raw, exit_code=0, declared_result="success")
    story = given(*ONE, claimed("a", "t1"))
    story.when(failure("t1", declared_result="success", **said)).then(done, fact(e.CampaignCompleted))  # type: ignore[arg-type]
    story = given(*ONE, claimed("a", "t1"))
    story.when(success("t1", declared_result="success", **said)).then(done, fact(e.CampaignCompleted))


@pytest.mark.parametrize("said", [{"signal": "SIGTERM"}, {"declared_result": "success", "exit_code": 1}, {"exit_code": 137}])
def test_other_ends_stay_failures(said: dict[str, object]) -> None:
    """B-RETRY-10."""
    story = given(*ONE, claimed("a", "t1"))
    story.when(failure("t1", **said)).then(fact(e.AttemptFailed), fact(e.RetryScheduled))  # type: ignore[arg-type]


def test_a_unit_that_rests_cannot_be_unparked() -> None:
    given(*ONE, claimed("a", "t1"), failure("t1")).when(order(c.UnparkUnit)).refused(Conflict, allowed=("parked",))


def test_the_default_policy_is_the_one_that_is_written_down() -> None:
    """B-RETRY-1, B-BREAK-2, B-BEAT-1: the figures of the contract."""
    assert (DEFAULT.max_attempts, DEFAULT.lease_s, DEFAULT.concurrency, DEFAULT.max_claims) == (3, 300, 4, 100)
    assert (DEFAULT.retry.backoff_ms, DEFAULT.retry.factor, DEFAULT.retry.max_delay_ms) == (1000, 2, 3_600_000)
    assert (DEFAULT.retry.jitter.kind, DEFAULT.retry.jitter.ratio) == ("symmetric", 0.3)
    beats = DEFAULT.heartbeat
    assert (beats.warn_s, beats.stale_s, beats.dead_s, beats.dead_ticks) == (30, 60, 300, 3)
    assert (DEFAULT.on_dead, DEFAULT.idle_grace_observations) == ("requeue", 3)
    assert (DEFAULT.breaker.threshold, DEFAULT.breaker.counts) == (3, "attempts")
    assert (DEFAULT.groups, DEFAULT.on_dependency_failure) == ("ordered", "skip")
    assert (DEFAULT.max_duration_s, DEFAULT.idle_output_s) == (14_400, 1200)
    assert not DEFAULT.require_evidence
    assert not DEFAULT.investigate


@pytest.mark.parametrize(
    ("policy", "verdict"),
    [
        ({"max_attempts": 1}, "max_attempts"),
        ({"max_attempts": 2}, None),
        ({"retry": {"retryable_errors": ["flaky*"]}}, "not_retryable"),
        ({"retry": {"retryable_errors": ["exit ?"]}}, None),
    ],
)
def test_a_due_retry_is_judged_by_the_policy_of_that_moment(policy: dict[str, object], verdict: str | None) -> None:
    """B-UNIT-10: what depends on the unit is skipped with it."""
    story = given(campaign(), adding("x", "a", spec("b", "a")), claimed("a", "t"), failure("t"), editing(policy=policy))
    story.given(after(hours=1)).when(rested("a"))
    if verdict is None:
        story.then(fact(e.RetryDue, unit="a"))
    else:
        story.then(fact(e.UnitQuarantined, unit="a", reason=verdict, error="exit 1"), fact(e.UnitSkipped, unit="b"))


def test_a_due_retry_of_a_silent_attempt_has_no_error_to_match() -> None:
    """B-UNIT-10."""
    lapse = claimed("a", "t"), after(hours=1), expiring("t"), editing(policy={"retry": {"retryable_errors": ["flaky"]}})
    given(*TWO, *lapse, after(hours=1)).when(rested("a")).then(fact(e.RetryDue, unit="a"))
