"""Parks: of one unit, and of all that shares its quota."""

from datetime import timedelta

import pytest

from service.domain import commands as c
from service.domain import events as e
from service.domain import ids
from tests.domain.scenario import (
    NIGHT,
    START,
    Q,
    Scenario,
    Step,
    adding,
    after,
    campaign,
    claim,
    claimed,
    fact,
    failure,
    given,
    order,
    parking,
    reading,
    success,
    unparking,
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


def test_a_parked_unit_stays_to_do_and_resumes_by_itself() -> None:
    """B-PARK-1."""
    story = given(campaign(), adding("a"), claimed("a", "t")).when(parking("t", resume_at=RESET))
    story.then(fact(e.UnitParked, token="t", reason="rate_limit", quota=None, resume_at=RESET, was="running"))
    row = story.unit()
    assert (row.state, row.attempts, row.parks, story.campaign().consecutive) == ("parked", 0, 1, 0)
    story.given(after(minutes=119, seconds=59)).when(unparking("a")).then()
    story.given(after(seconds=1)).when(unparking("a", "none")).then(fact(e.UnitUnparked, unit="a", cause="due"))
    assert story.when(claim()).outcome.reply.claims[0].attempt == 1


def test_a_rate_limit_closes_the_gate_for_every_campaign_on_the_quota() -> None:
    """B-PARK-2."""
    story = given(*HELD, campaign("day", quota=Q), campaign("free"), adding("d", to="day"), adding("f", to="free"))
    story.when(parking("t", resume_at=RESET)).then(
        fact(e.UnitParked, quota=Q), fact(e.QuotaGateClosed, key=Q, reason="rate_limit", resume_at=RESET, source="worker w")
    )
    reply = story.when(claim(most=9)).outcome.reply
    assert [grant.key for grant in reply.claims] == ["f"]
    assert set(reply.blocked) == {c.BlockedCampaign(NIGHT, "quota"), c.BlockedCampaign(ids.CampaignName("day"), "quota")}
    assert story.when(claim(NIGHT, mode="manual")).grants == []
    story.given(after(hours=2)).when(OPENING).then(fact(e.QuotaGateOpened, key=Q, cause="due", ramp_per_s=50.0))
    assert passes(story)


def test_other_parks_leave_the_gate_open() -> None:
    """B-PARK-2."""
    assert passes(given(*HELD).when(parking("t", "asleep")).then(fact(e.UnitParked)))


def test_a_park_without_a_time_waits_for_the_known_reset_or_a_quarter_of_an_hour() -> None:
    """B-PARK-2."""
    quarter = START + timedelta(minutes=15)
    given(*HELD).when(parking("t")).then(fact(e.UnitParked, resume_at=quarter), fact(e.QuotaGateClosed, resume_at=quarter))
    story = given(*HELD, reading(utilization=0.5, resets_at=RESET), reading(utilization=0.6)).when(parking("t"))
    story.then(fact(e.UnitParked, resume_at=RESET), fact(e.QuotaGateClosed, resume_at=RESET))


def test_a_closed_gate_only_closes_for_longer() -> None:
    """B-PARK-2."""
    story = given(*HELD, claimed("b", "t2"), claimed("c", "t3"), parking("t", resume_at=RESET))
    story.when(parking("t2", resume_at=RESET - timedelta(hours=1))).then(fact(e.UnitParked))
    later = RESET + timedelta(hours=1)
    story.when(parking("t3", resume_at=later)).then(fact(e.UnitParked), fact(e.QuotaGateClosed, resume_at=later))
    assert story.quota().closed_at == START


def test_a_park_until_a_time_that_has_passed_closes_the_gate_for_a_quarter_of_an_hour() -> None:
    """B-PARK-2, B-PARK-5: a worker's clock may go wrong."""
    quarter = START + timedelta(minutes=15)
    for park in (parking("t", resume_at=START), order(c.ParkUnit, "b", reason="rate_limit", resume_at=START)):
        story = given(*HELD).when(park)
        story.then(fact(e.UnitParked, resume_at=quarter), fact(e.QuotaGateClosed, resume_at=quarter))
        assert not passes(story)


def test_a_park_never_shortens_a_gate_that_only_a_reading_opens() -> None:
    """B-PARK-2, B-QUOTA-4."""
    story = given(*HELD, reading(failure="auth")).when(parking("t", resume_at=RESET)).then(fact(e.UnitParked))
    assert story.quota().reason == "auth"


def test_a_person_s_park_for_a_rate_limit_closes_the_gate_too() -> None:
    """B-PARK-2."""
    story = given(*HELD).when(order(c.ParkUnit, "b", reason="rate_limit", resume_at=RESET))
    story.then(fact(e.UnitParked, unit="b", quota=Q), fact(e.QuotaGateClosed, reason="rate_limit", resume_at=RESET, source="me"))


@pytest.mark.parametrize("how", [{"error": "HTTP 429 Too Many Requests"}, {"error": "boom", "rate_limited": True}])
def test_behind_a_closed_gate_a_rate_limited_failure_is_a_park(how: dict[str, object]) -> None:
    """B-PARK-3, B-BREAK-1."""
    story = given(*HELD, claimed("b", "t2"), parking("t2", resume_at=RESET)).when(failure("t", **how))  # type: ignore[arg-type]
    story.then(fact(e.UnitParked, unit="a", token="t", reason="rate_limit", resume_at=RESET))
    assert (story.unit().attempts, story.campaign().consecutive) == (0, 0)


def test_a_failure_for_a_rate_limit_is_a_park_that_closes_an_open_gate() -> None:
    """B-QUOTA-7: also in a campaign without a quota, where it closes none."""
    quarter, limited = START + timedelta(minutes=15), failure("t", rate_limited=True)
    story = given(*HELD).when(limited)
    story.then(fact(e.UnitParked, token="t", resume_at=quarter), fact(e.QuotaGateClosed, reason="rate_limit", resume_at=quarter))
    assert (story.unit().attempts, story.campaign().consecutive) == (0, 0)
    given(campaign(), adding("a"), claimed("a", "t")).when(limited).then(fact(e.UnitParked, quota=None, resume_at=quarter))
    given(*HELD).when(failure("t", error="429")).then(fact(e.AttemptFailed), fact(e.RetryScheduled))


def test_behind_a_closed_gate_other_failures_fail_and_successes_succeed() -> None:
    """B-PARK-3, B-CLAIM-6."""
    story = given(*HELD, claimed("b", "t2"), claimed("c", "t3"), parking("t2")).when(failure("t"))
    story.then(fact(e.AttemptFailed), fact(e.RetryScheduled))
    story.when(success("t3")).then(fact(e.UnitCompleted))


@pytest.mark.parametrize("opener", [reading(utilization=0.2), c.TickEngine(force=True)], ids=["reading", "forced"])
def test_units_parked_for_a_gate_go_on_when_it_opens_early(opener: c.Command) -> None:
    """B-PARK-1, B-QUOTA-2."""
    story = given(*HELD, parking("t", resume_at=RESET), order(c.ParkUnit, "b", resume_at=RESET)).when(unparking("a", "b")).then()
    story.given(opener).when(unparking("a", "b")).then(fact(e.UnitUnparked, unit="a", cause="gate"))
