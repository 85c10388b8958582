"""Claims and leases: order, slots, tokens, expiry, sessions."""

from datetime import timedelta, timezone

import pytest

from service.domain import commands as c
from service.domain import events as e
from service.domain import ids
from service.domain.rejections import NotFound, StaleClaim
from tests.domain.scenario import (
    NIGHT,
    START,
    Step,
    W,
    adding,
    after,
    beat,
    campaign,
    claim,
    claimed,
    expiring,
    fact,
    failure,
    given,
    handing_back,
    order,
    parking,
    rested,
    spec,
    success,
)

ONE = (campaign(), adding("a"))
BACK = (after(seconds=2), rested("a"))


def test_a_claim_is_an_event_with_all_that_a_worker_needs() -> None:
    """B-CLAIM-1, B-CLAIM-2."""
    story = given(campaign(lease_s=60), adding(spec("a", payload=b'{"file": 1}'))).when(claim())
    story.then(
        fact(
            e.UnitClaimed,
            campaign=NIGHT,
            unit="a",
            worker="w",
            position=3,
            fence=3,
            attempt=1,
            mode="auto",
            lease_s=60.0,
            lease_until=START + timedelta(seconds=60),
            brief_rev=1,
            resume_session=None,
            waited=0.0,
        )
    )
    grant = story.outcome.reply.claims[0]
    assert grant.token.startswith("3.")
    assert (bytes(grant.payload), grant.brief, grant.kind) == (b'{"file": 1}', "do it", "unit")


def test_a_unit_has_one_valid_token() -> None:
    """B-CLAIM-1."""
    story = given(*ONE).when(claim(most=9))
    assert story.grants == ["a"]
    assert story.when(claim(worker="other", most=9)).grants == []
    assert len(story.state.claims) == 1


def test_a_heartbeat_renews_the_lease_and_the_claim_was_the_first() -> None:
    """B-CLAIM-2."""
    story = given(*ONE, claimed("a", "t1"), after(seconds=299)).when(expiring("t1")).then()
    story.when(beat("t1")).then(fact(e.UnitHeartbeat, unit="a", worker="w", token="t1"))
    story.replies(c.ReportReply("running", START + timedelta(seconds=599)))
    story.given(after(seconds=299)).when(expiring("t1")).then()
    story.given(after(seconds=1)).when(expiring("t1")).then(fact(e.LeaseExpired), fact(e.AttemptFailed), fact(e.RetryScheduled))


def test_an_expired_lease_is_one_failed_attempt() -> None:
    """B-CLAIM-3, B-BREAK-1."""
    story = given(*ONE, claimed("a", "t1"), after(seconds=300)).when(expiring("t1", "t1"))
    story.then(
        fact(e.LeaseExpired, unit="a", token="t1", worker="w", age=300.0, attempt=1),
        fact(e.AttemptFailed, reason="lease_expired", attempt=1, token="t1", duration=300.0),
        fact(e.RetryScheduled, after_attempt=1),
    )
    assert story.campaign().consecutive == 1
    story.when(expiring("t1")).then()


def test_an_expired_lease_quarantines_at_once_where_the_policy_says_so() -> None:
    """B-CLAIM-3, B-RETRY-5."""
    story = given(campaign(on_dead="quarantine"), adding("a", "b"), claimed("a", "t1"), after(seconds=300)).when(expiring("t1"))
    story.then(
        fact(e.LeaseExpired),
        fact(e.AttemptFailed, reason="lease_expired"),
        fact(e.UnitQuarantined, reason="heartbeat_dead", attempts=1, worker="w"),
    )


def test_a_lost_lease_is_retried_whatever_errors_may_be() -> None:
    """B-CLAIM-3, B-RETRY-3."""
    story = given(campaign(retry={"retryable_errors": ["exit 1"]}), adding("a"), claimed("a", "t1"), after(seconds=300))
    story.when(expiring("t1")).then(fact(e.LeaseExpired), fact(e.AttemptFailed), fact(e.RetryScheduled))


def test_after_an_outage_of_ours_every_worker_has_one_full_lease_to_be_heard() -> None:
    """B-CLAIM-3: no storm after an outage."""
    story = given(*ONE, claimed("a", "t1"), after(hours=1))
    heard_since = story.at - timedelta(seconds=299)
    story.when(expiring("t1", heard_since=heard_since)).then()
    story.given(after(seconds=1)).when(expiring("t1", heard_since=heard_since)).then(
        fact(e.LeaseExpired), fact(e.AttemptFailed), fact(e.RetryScheduled)
    )


def test_claims_go_by_group_then_priority_then_import() -> None:
    """B-CLAIM-4, B-GROUP-1."""
    story = given(
        campaign(concurrency=9, groups="none"),
        adding(spec("g2", group=2), spec("late", group=1), spec("high", group=1, priority=5), spec("low", group=1, priority=-5)),
        adding(spec("later", group=1)),
    )
    assert story.when(claim(most=9)).grants == ["high", "late", "later", "low", "g2"]


def test_campaigns_share_workers_by_running_over_concurrency() -> None:
    """B-CLAIM-4."""
    story = given(campaign("big", concurrency=6), campaign("small", concurrency=2))
    story.given(adding(*[f"b{n}" for n in range(9)], to="big"), adding(*[f"s{n}" for n in range(9)], to="small"))
    story.when(claim(most=4))
    assert sorted(grant.campaign for grant in story.outcome.reply.claims) == ["big", "big", "big", "small"]


def test_no_campaign_starves_between_equals() -> None:
    """B-CLAIM-4."""
    names = ("one", "two", "three")
    story = given(*[campaign(name, concurrency=9) for name in names])
    story.given(*[adding(*[f"u{n}" for n in range(9)], to=name) for name in names])
    order_of_claims = [story.when(claim()).outcome.reply.claims[0].campaign for _ in range(9)]
    assert all(set(order_of_claims[start : start + 3]) == set(names) for start in (0, 3, 6))
    for token in list(story.state.claims):
        story.given(success(token))
    again = [story.when(claim()).outcome.reply.claims[0].campaign for _ in range(3)]
    assert set(again) == set(names)


def test_ties_within_one_claim_go_to_whoever_waited_longest() -> None:
    """B-CLAIM-4."""
    story = given(campaign("quick", concurrency=2), campaign("slow", concurrency=4))
    story.given(adding("q1", "q2", to="quick"), adding("s1", "s2", "s3", "s4", to="slow"))
    story.given(
        claimed("s1", "t1", of="slow"), success("t1"), claimed("q1", "t2", of="quick"), success("t2"), adding("q3", to="quick")
    )
    story.when(claim(most=4))
    assert [grant.campaign for grant in story.outcome.reply.claims] == ["slow", "quick", "slow", "quick"]


@pytest.mark.parametrize(
    "between",
    [(), BACK, (c.FenceWorker(worker=W),), (order(c.StopUnit),), (order(c.ParkUnit),), (*BACK, order(c.ParkUnit))],
    ids=["delayed", "ready", "fenced", "stopped", "parked while it runs", "parked by a person"],
)
def test_a_late_completion_of_a_unit_that_nobody_claimed_since_is_accepted(between: tuple[Step, ...]) -> None:
    """B-UNIT-8, B-CLAIM-5, B-CLAIM-6."""
    lapse = (after(seconds=300), expiring("t1"))
    held_back = between and isinstance(between[0], c.Command) and not isinstance(between[0], c.ReleaseRetries)
    story = given(*ONE, claimed("a", "t1"), *(() if held_back else lapse), *between)
    story.when(success("t1")).then(fact(e.UnitCompleted, token="t1", attempt=1), fact(e.CampaignCompleted, outcome="achieved"))
    assert story.unit().attempts == 1
    story.when(success("t1")).then().replies(c.ReportReply("done"))


def test_a_late_completion_of_a_unit_that_was_claimed_since_is_refused_and_kept() -> None:
    """B-CLAIM-5."""
    story = given(*ONE, claimed("a", "t1"), after(seconds=300), expiring("t1"), *BACK, claimed("a", "t2", worker="other"))
    story.when(success("t1")).refused(StaleClaim, current="running").recorded(fact(e.LateResult, owner="other"))
    story.given(handing_back("t2")).when(success("t1")).refused(StaleClaim, current="ready").recorded(
        fact(e.LateResult, owner=None)
    )


def test_a_late_completion_does_not_bring_a_unit_back_from_quarantine() -> None:
    """B-UNIT-1, B-CLAIM-5: quarantined ends only by a retry."""
    story = given(campaign(max_attempts=1), adding("a"), claimed("a", "t1"), after(seconds=300), expiring("t1"))
    story.when(success("t1")).refused(StaleClaim, current="quarantined").recorded(fact(e.LateResult))
    story.given(order(c.RetryUnit)).when(success("t1")).then(fact(e.UnitCompleted), fact(e.CampaignCompleted))


def test_a_success_counts_whatever_is_paused_parked_or_tripped() -> None:
    """B-CLAIM-6, B-PARK-3."""
    story = given(campaign(quota="q"), adding("a", "b", "c", "d", "e"), claimed("a", "t"), claimed("e", "t5"))
    story.given(*[step for n in "bcd" for step in (claimed(n, f"t{n}"), failure(f"t{n}"))], parking("t5"))
    story.given(c.PauseEngine(), c.PauseCampaign(name=NIGHT), editing_auto_off())
    assert story.campaign().tripped is not None
    assert not story.quota().open
    story.when(success("t")).then(fact(e.UnitCompleted, unit="a"))


def editing_auto_off() -> c.EditCampaign:
    return c.EditCampaign(name=NIGHT, patch={"auto": False})


def test_the_concurrency_of_a_campaign_is_exact() -> None:
    """B-CLAIM-7, B-GROUP-4."""
    story = given(campaign(concurrency=2), adding("a", "b", "c"))
    assert story.when(claim(most=9)).grants == ["a", "b"]
    assert story.when(claim(NIGHT, worker="other", most=9)).outcome.reply.blocked == (c.BlockedCampaign(NIGHT, "concurrency"),)
    story.given(success(story.state.units[NIGHT, ids.UnitKey("a")].token or ""))
    assert story.when(claim(worker="other", most=9)).grants == ["c"]


def test_the_pool_is_exact_over_all_campaigns() -> None:
    """B-CLAIM-7, B-ENGINE-1."""
    story = given(
        campaign("one"), campaign("two"), adding("a", "b", to="one"), adding("a", "b", to="two"), c.ResizePool(pool_size=3)
    )
    assert len(story.when(claim(most=9)).grants) == 3
    reply = story.when(claim("one", "two")).outcome.reply
    assert {blocked.reason for blocked in reply.blocked} == {"pool"}
    story.given(c.ResizePool(pool_size=1)).when(claim()).then()
    story.given(c.ResizePool(pool_size=4))
    assert len(story.when(claim(most=9)).grants) == 1


def test_a_campaign_whose_turn_did_not_come_is_not_called_blocked() -> None:
    story = given(campaign("one"), campaign("two"), adding("a", to="one"), adding("a", to="two"))
    assert story.when(claim(most=1)).outcome.reply.blocked == ()


def test_a_claim_of_an_unknown_campaign_is_not_found() -> None:
    given(*ONE).when(claim("day")).refused(NotFound, field="campaign", current="day").recorded()


def test_a_session_is_resumed_only_when_a_heartbeat_established_it() -> None:
    """B-CLAIM-8."""
    story = given(*ONE, claimed("a", "t1"), failure("t1", "launch_failed"), *BACK)
    assert story.when(claim()).outcome.reply.claims[0].resume_session is None
    story.given(beat(story.unit().token or "", session="s1"), handing_back(story.unit().token or ""))
    assert story.when(claim()).outcome.reply.claims[0].resume_session == "s1"


def test_launches_that_fail_count_and_rest_like_any_other_failure() -> None:
    """B-CLAIM-8, B-BREAK-1."""
    story = given(*ONE, claimed("a", "t1")).when(failure("t1", "launch_failed"))
    story.then(fact(e.AttemptFailed, reason="launch_failed"), fact(e.RetryScheduled, delay_ms=1000))
    assert (story.unit().attempts, story.campaign().consecutive) == (1, 1)


def test_labels_that_contradict_each_other_keep_work_and_worker_apart() -> None:
    """B-CLAIM-4: labels of the claim, and those that the worker registered."""
    story = given(campaign(labels={"gpu": "yes", "team": "core"}), adding("a", "b", "c"))
    assert story.when(claim(NIGHT, gpu="no")).outcome.reply.blocked == (c.BlockedCampaign(NIGHT, "labels"),)
    assert story.when(claim(zone="north")).grants == ["a"]
    story.given(c.BeatWorker(worker=W, labels={"gpu": "no"}))
    assert story.when(claim()).grants == []
    assert story.when(claim(gpu="yes")).grants == ["b"]


def test_switches_stop_automatic_claims_only() -> None:
    """B-CAMP-2, B-BREAK-3."""
    story = given(campaign(auto=False), adding("a", "b"))
    assert story.when(claim(NIGHT)).outcome.reply.blocked == (c.BlockedCampaign(NIGHT, "auto"),)
    assert story.when(claim(mode="manual")).grants == ["a"]
    story.given(c.PauseEngine())
    assert story.when(claim(NIGHT, mode="manual")).outcome.reply.blocked == (c.BlockedCampaign(NIGHT, "engine"),)


def test_an_investigation_is_no_unit() -> None:
    story = given(*ONE).when(c.ClaimWork(worker=W, kind="investigation")).then()
    assert story.outcome.reply.claims == ()


def test_output_at_is_stored_in_utc() -> None:
    """B-BEAT-1: what is folded as it was said, and as the log gives it back, is the same."""
    there = START.astimezone(timezone(timedelta(hours=2)))
    story = given(campaign(), adding(spec("a")), claimed("a", "t")).when(beat("t", output_at=there))
    body = story.log[-1].body
    assert isinstance(body, e.UnitHeartbeat)
    assert body.output_at is not None
    assert body.output_at.isoformat() == START.isoformat()
