"""Quotas and their gates, the ramp, and the engine."""

from datetime import timedelta
from typing import Any

import pytest

from service.domain import commands as c
from service.domain import events as e
from service.domain import ids
from service.domain.rejections import Unprocessable
from tests.domain.scenario import (
    NIGHT,
    START,
    Q,
    Scenario,
    Step,
    W,
    adding,
    after,
    campaign,
    claim,
    claimed,
    editing,
    fact,
    given,
    order,
    parking,
    reading,
    success,
)

HELD: tuple[Step, ...] = (campaign(quota=Q), adding("a", "b", "c"), claimed("a", "t"))
RESET = START + timedelta(hours=2)
OPENING = c.OpenGates(quotas=(Q,))


def policy(fire: ids.Fire = "always", **rest: float) -> c.EditQuota:
    """Return the order to give the quota another policy."""
    return c.EditQuota(quota=Q, policy=e.QuotaPolicy(fire=fire, **rest))


def passes(story: Scenario) -> bool:
    """Tell whether a claim of another worker gets something."""
    reply = story.when(claim(NIGHT, worker="probe")).outcome.reply
    if reply.claims:
        story.given(order(c.StopUnit, reply.claims[0].key))
        return True
    assert reply.blocked == (c.BlockedCampaign(NIGHT, "quota"),)
    return False


def test_always_is_open_whatever_the_meter_says() -> None:
    """B-QUOTA-1."""
    assert passes(given(*HELD).when(reading(utilization=1.0)).then(fact(e.QuotaRead, key=Q, utilization=1.0)))


def test_when_available_passes_only_while_the_meter_shows_room() -> None:
    """B-QUOTA-1."""
    story = (
        given(*HELD)
        .when(policy("when_available"))
        .then(fact(e.QuotaPolicyChanged), fact(e.QuotaGateClosed, reason="utilization", resume_at=None))
    )
    assert not passes(story)
    story.when(reading(utilization=0.89)).then(fact(e.QuotaRead), fact(e.QuotaGateOpened, cause="reading"))
    assert passes(story)
    story.when(reading(utilization=0.9, resets_at=RESET)).then(fact(e.QuotaRead), fact(e.QuotaGateClosed, reason="utilization"))
    assert not passes(story)
    story.when(reading(utilization=0.95)).then(fact(e.QuotaRead))
    story.when(policy()).then(fact(e.QuotaPolicyChanged), fact(e.QuotaGateOpened))
    assert passes(story)


def test_when_available_waits_for_a_reading_after_a_rate_limit_is_over() -> None:
    """B-QUOTA-1, B-PARK-2."""
    story = given(*HELD, reading(utilization=0.5), policy("when_available"), parking("t", resume_at=RESET))
    story.given(reading(utilization=0.95), after(hours=2)).when(OPENING).then(
        fact(e.QuotaGateClosed, reason="utilization", resume_at=None)
    )
    story.when(OPENING).then()
    story.when(reading(utilization=0.1)).then(fact(e.QuotaRead), fact(e.QuotaGateOpened))


def test_on_reset_opens_its_offset_after_the_next_reset() -> None:
    """B-QUOTA-1."""
    until = RESET + timedelta(seconds=900)
    story = given(*HELD, reading(utilization=0.1, resets_at=RESET)).when(policy("on_reset"))
    story.then(fact(e.QuotaPolicyChanged), fact(e.QuotaGateClosed, reason="utilization", resume_at=until))
    story.when(reading(utilization=0.0, resets_at=RESET)).then(fact(e.QuotaRead))
    assert not passes(story)
    story.given(after(hours=2, seconds=60)).when(reading(utilization=0.0, resets_at=RESET + timedelta(hours=5))).then(
        fact(e.QuotaRead)
    )
    story.given(after(seconds=839)).when(OPENING).then()
    story.given(after(seconds=1)).when(OPENING).then(fact(e.QuotaGateOpened, cause="due"))
    assert passes(story)
    story.when(reading(utilization=0.93)).then(
        fact(e.QuotaRead), fact(e.QuotaGateClosed, reason="utilization", resume_at=RESET + timedelta(hours=5, seconds=900))
    )


def test_on_reset_learns_the_reset_from_the_meter_and_follows_it_until_it_has_come() -> None:
    """B-QUOTA-1."""
    story = given(*HELD, policy("on_reset", offset_s=60))
    assert story.quota().resume_at is None
    story.when(reading(utilization=0.5, resets_at=RESET)).then(
        fact(e.QuotaRead), fact(e.QuotaGateClosed, resume_at=RESET + timedelta(seconds=60))
    )
    story.when(reading(utilization=0.5, resets_at=RESET - timedelta(hours=1))).then(
        fact(e.QuotaRead), fact(e.QuotaGateClosed, resume_at=RESET - timedelta(minutes=59))
    )


def test_a_park_on_a_quota_that_trusts_its_reset_waits_for_the_offset_too() -> None:
    """B-QUOTA-1, B-PARK-2."""
    story = given(*HELD, policy("on_reset", offset_s=60), c.TickEngine(force=True), reading(utilization=0.5, resets_at=RESET))
    story.when(parking("t")).then(
        fact(e.UnitParked, resume_at=RESET + timedelta(seconds=60)),
        fact(e.QuotaGateClosed, reason="rate_limit", resume_at=RESET + timedelta(seconds=60)),
    )


@pytest.mark.parametrize("cause", [reading(failure="auth"), None], ids=["auth", "rate_limit"])
def test_a_reading_clears_failures_and_opens_the_gate_that_it_disproves(cause: c.Command | None) -> None:
    """B-QUOTA-2."""
    story = given(*HELD, cause or parking("t", resume_at=RESET), reading(failure="transient"))
    story.when(reading(utilization=0.5)).then(fact(e.QuotaRead), fact(e.QuotaGateOpened, cause="reading"))
    row = story.quota()
    assert (row.consecutive_failures, row.failing_since, row.last_failure_kind, row.next_poll_s) == (0, None, None, 30)


@pytest.mark.parametrize("said", [{"utilization": 0.95}, {"resets_at": RESET}])
def test_a_reading_that_shows_no_room_does_not_disprove_a_rate_limit(said: dict[str, Any]) -> None:
    """B-QUOTA-2."""
    given(*HELD, parking("t", resume_at=RESET)).when(reading(**said)).then(fact(e.QuotaRead))


def test_a_meter_that_is_limited_itself_stops_no_work_and_never_counts() -> None:
    """B-QUOTA-3."""
    story = given(*HELD, reading(utilization=0.95), policy("when_available"))
    story.when(reading(failure="meter_rate_limited")).then(fact(e.QuotaReadFailed, next_poll_s=30), fact(e.QuotaGateOpened))
    assert story.quota().utilization == 0
    for _ in range(20):
        story.given(after(minutes=5)).when(reading(failure="meter_rate_limited")).then(fact(e.QuotaReadFailed, next_poll_s=30))
    assert passes(story)


def test_auth_closes_the_gate_without_a_time() -> None:
    """B-QUOTA-4."""
    story = given(*HELD, parking("t", resume_at=RESET)).when(reading(failure="auth", message="401"))
    story.then(
        fact(e.QuotaReadFailed, failure="auth", message="401", consecutive=1),
        fact(e.QuotaGateClosed, reason="auth", resume_at=None, source="meter"),
    )
    story.when(reading(failure="auth")).then(fact(e.QuotaReadFailed, consecutive=2))
    story.given(after(days=300)).when(OPENING).then()
    assert not passes(story)


@pytest.mark.parametrize("kind", ["transient", "config"])
def test_polls_double_up_to_eight_minutes_and_half_an_hour_closes_the_gate(kind: ids.ReadingFailure) -> None:
    """B-QUOTA-5."""
    story, polls = given(*HELD), []
    for _ in range(6):
        story.given(reading(failure=kind))
        polls.append(story.quota().next_poll_s)
    assert polls == [30, 60, 120, 240, 480, 480]
    story.given(after(minutes=29, seconds=59)).when(reading(failure=kind)).then(fact(e.QuotaReadFailed))
    story.given(after(seconds=1)).when(reading(failure=kind))
    story.then(fact(e.QuotaReadFailed), fact(e.QuotaGateClosed, reason="network", resume_at=None))
    story.when(reading(failure=kind)).then(fact(e.QuotaReadFailed))
    story.when(reading(utilization=0.1)).then(fact(e.QuotaRead), fact(e.QuotaGateOpened))


@pytest.mark.parametrize("between", ["meter_rate_limited", "auth"])
def test_only_consecutive_failures_of_one_kind_close_the_gate(between: ids.ReadingFailure) -> None:
    """B-QUOTA-3, B-QUOTA-5."""
    story = given(*HELD, reading(failure="transient"), reading(failure="transient"), after(minutes=29))
    story.given(reading(failure=between), c.TickEngine(force=True), after(minutes=5))
    story.when(reading(failure="transient")).then(fact(e.QuotaReadFailed, next_poll_s=30))


def test_network_never_replaces_another_reason() -> None:
    """B-QUOTA-5."""
    story = given(*HELD, parking("t", resume_at=RESET), reading(failure="transient"), after(minutes=31))
    story.when(reading(failure="transient")).then(fact(e.QuotaReadFailed))
    assert story.quota().reason == "rate_limit"


def test_a_gate_that_opens_lets_work_out_on_a_ramp_that_all_its_campaigns_share() -> None:
    """B-QUOTA-6, B-CLAIM-7."""
    keys = [f"u{n}" for n in range(30)]
    story = given(campaign("one", quota=Q, concurrency=99), campaign("two", quota=Q, concurrency=99))
    story.given(
        adding(*keys, to="one"), adding(*keys, to="two"), policy(ramp_per_s=2), reading(failure="auth"), reading(utilization=0)
    )
    assert len(story.when(claim(most=50)).grants) == 1
    assert {blocked.reason for blocked in story.when(claim("one", "two")).outcome.reply.blocked} == {"quota"}
    story.given(after(seconds=3))
    assert len(story.when(claim(most=50)).grants) == 6
    assert len(story.when(claim(most=50, worker="other")).grants) == 0
    story.given(after(seconds=57))
    assert len(story.when(claim(most=50)).grants) == 50


def test_force_opens_every_gate_and_notes_the_sweep() -> None:
    """B-ENGINE-1."""
    story = given(*HELD, reading(failure="auth"), reading("other", failure="auth"), reading("fine", utilization=0.1))
    story.when(c.TickEngine(force=True)).then(
        fact(e.EngineSwept, cause="force", by="me"),
        fact(e.QuotaGateOpened, key=Q, cause="forced"),
        fact(e.QuotaGateOpened, key="other", cause="forced"),
    )
    story.when(c.TickEngine()).then()


def test_the_engine_s_pause_stops_every_claim_and_no_work() -> None:
    """B-ENGINE-1."""
    story = given(*HELD).when(c.PauseEngine(reason="fire")).then(fact(e.EnginePaused, reason="fire", by="me"))
    story.when(c.PauseEngine(reason="again")).then()
    assert (story.state.engine.paused_reason, story.state.engine.paused_at) == ("fire", START)
    assert story.when(claim(NIGHT, mode="manual")).outcome.reply.blocked == (c.BlockedCampaign(NIGHT, "engine"),)
    story.when(success("t")).then(fact(e.UnitCompleted))
    story.when(c.ResumeEngine()).then(fact(e.EngineResumed, by="me"))
    story.when(c.ResumeEngine()).then()
    assert story.when(claim()).grants == ["b"]


def test_a_repeated_pool_resize_records_one_event() -> None:
    """B-ENGINE-1."""
    story = given().when(c.ResizePool(pool_size=5)).then(fact(e.EngineResized, pool_size=5))
    story.when(c.ResizePool(pool_size=5)).then()


def test_a_policy_that_is_the_same_is_no_event() -> None:
    given(policy("on_reset")).when(policy("on_reset")).then()


def test_the_leader_is_noted() -> None:
    given().when(c.ElectLeader(replica="r1")).then(fact(e.LeaderElected, replica="r1"))


def test_a_campaign_that_leaves_its_quota_passes() -> None:
    """B-PARK-2."""
    story = given(*HELD, parking("t", resume_at=RESET), editing(quota=None))
    assert story.when(claim(worker=W)).grants == ["b"]


@pytest.mark.parametrize("percent", [72, 1.51, 100.0, 7200])
def test_a_utilization_in_percent_is_refused(percent: float) -> None:
    """B-QUOTA-2: it would close the gate of a quota of which a hundredth is used."""
    given(campaign()).when(reading(utilization=percent)).refused(Unprocessable, field="utilization").recorded()
    given(campaign()).when(reading(utilization=1.5)).then(fact(e.QuotaRead, utilization=1.5))
