"""Investigations in hand: who gets one, what it says, how long it may take."""

from datetime import timedelta

import msgspec
from msgspec import Raw

from service.domain import commands as c
from service.domain import events as e
from service.domain import ids
from service.domain.rejections import Conflict
from tests.domain.investigation import LOST, ONCE, concluding, looking, only
from tests.domain.scenario import (
    NIGHT,
    START,
    Q,
    Step,
    adding,
    after,
    campaign,
    claim,
    claimed,
    editing,
    fact,
    failure,
    given,
    reading,
)


def test_a_claim_carries_the_unit_its_payload_its_end_and_the_last_16_kib_of_its_screen() -> None:
    """B-INVEST-1."""
    story = given(*LOST)
    lines = [f"line {number:05} {'x' * 50}" for number in range(1000)]
    story.state.screens["5c"] = "\n".join(lines)
    story.when(looking()).then(
        fact(e.InvestigationClaimed, campaign=NIGHT, unit="a", worker="sherlock", until=START + timedelta(minutes=30))
    )
    (grant,) = story.outcome.reply.claims
    assert (grant.kind, grant.key, grant.payload, grant.attempt) == ("investigation", "a", Raw(b'{"file": "a.py"}'), 1)
    assert (grant.investigation, grant.error, grant.exit_code) == (only(story), "exit 2: no such file", 2)
    assert (grant.lease_s, grant.lease_until) == (1800, START + timedelta(minutes=30))
    assert len(grant.screen) <= 16 * 1024
    assert grant.screen.splitlines() == lines[-len(grant.screen.splitlines()) :]
    assert len(grant.screen.splitlines()) == 16 * 1024 // len(lines[0] + "\n")


def test_the_claim_of_a_unit_does_not_speak_of_investigations() -> None:
    """B-INVEST-1."""
    (grant,) = given(*ONCE).when(claim()).outcome.reply.claims
    assert not {"investigation", "error", "exit_code", "screen"} & msgspec.json.decode(msgspec.json.encode(grant)).keys()


def test_an_investigation_is_given_once_and_the_oldest_first() -> None:
    """B-INVEST-1."""
    story = given(campaign(investigate=True, max_attempts=1, breaker={"threshold": 9}), adding("a", "b"))
    story.given(claimed("b", "t1"), failure("t1"), claimed("a", "t2"), failure("t2"))
    assert story.when(looking()).grants == ["b"]
    assert story.when(looking(most=5)).grants == ["a"]
    assert story.when(looking(most=5)).grants == []


def test_a_worker_that_asks_for_units_gets_no_investigation() -> None:
    """B-INVEST-1."""
    assert given(*LOST).when(claim()).grants == []


def test_it_ends_after_30_minutes() -> None:
    """B-INVEST-3."""
    story = given(*LOST, looking(), after(minutes=29, seconds=59))
    ending = c.EndInvestigations(ids=(only(story), ids.InvestigationId("gone")))
    story.when(ending).then()
    story.given(after(seconds=1)).when(ending).then(fact(e.InvestigationEmpty, unit="a", why="timeout", duration=1800.0))
    story.when(ending).then()


def test_a_result_after_30_minutes_is_refused_before_the_sweep() -> None:
    """B-INVEST-3."""
    story = given(*LOST, looking(), after(minutes=30))
    story.when(concluding(story, c.Fix())).refused(Conflict, current="empty")
    story.recorded(fact(e.InvestigationEmpty, why="timeout"))


def test_it_takes_no_slot_of_the_campaign() -> None:
    """B-INVEST-3."""
    story = given(campaign(investigate=True, max_attempts=1, concurrency=1), adding("a", "b"))
    story.given(claimed("a", "t1"), failure("t1"), claimed("b", "t2"))
    assert story.when(looking()).grants == ["a"]
    assert story.state.engine.in_use == 1
    assert story.campaign().counts.running == 1


def test_it_respects_the_quota() -> None:
    """B-INVEST-3."""
    story = given(campaign(investigate=True, max_attempts=1, quota=Q), adding("a"), claimed("a", "t1"), failure("t1"))
    story.given(reading(failure="auth"))
    story.when(looking(NIGHT)).replies(c.ClaimReply((), (c.BlockedCampaign(NIGHT, "quota"),)))
    story.given(reading(utilization=0.1))
    assert story.when(looking(most=9)).grants == ["a"]
    assert story.quota().ramped == 1


def test_it_ignores_the_breaker_and_nothing_else() -> None:
    """B-INVEST-1, B-ENGINE-1: with the usual threshold, the unit that is looked into is often what tripped it."""
    story = given(campaign(investigate=True, max_attempts=1, breaker={"threshold": 1}), adding("a", "b"))
    story.given(claimed("a", "t1"), failure("t1"))
    assert story.campaign().tripped
    reasons = []
    for command, undo in (
        (c.PauseEngine(), c.ResumeEngine()),
        (c.PauseCampaign(name=NIGHT), c.ResumeCampaign(name=NIGHT)),
        (editing(auto=False), editing(auto=True)),
        (c.ResizePool(pool_size=0), c.ResizePool(pool_size=1)),
    ):
        story.given(command).when(looking())
        reasons += [blocked.reason for blocked in story.outcome.reply.blocked]
        story.given(undo)
    assert reasons == ["engine", "paused", "auto", "pool"]
    assert story.when(looking()).grants == ["a"]


def test_a_manual_investigation_ignores_the_pause() -> None:
    """B-INVEST-1."""
    story = given(*ONCE, adding("b"), claimed("a", "t1"), failure("t1"), c.PauseCampaign(name=NIGHT))
    assert story.when(looking(mode="manual")).grants == ["a"]


def test_a_drained_worker_or_another_label_gets_nothing() -> None:
    """B-INVEST-1, B-BEAT-7."""
    steps: tuple[Step, ...] = (
        campaign(investigate=True, max_attempts=1, labels={"gpu": "yes"}),
        adding("a"),
        claimed("a", "t1"),
        failure("t1"),
        c.BeatWorker(worker=ids.WorkerId("sherlock"), labels={"gpu": "no"}),
    )
    assert given(*steps).when(looking()).outcome.reply.blocked == (c.BlockedCampaign(NIGHT, "labels"),)
    story = given(*steps, c.DrainWorker(worker=ids.WorkerId("sherlock")))
    assert story.when(looking()).outcome.reply.blocked == (c.BlockedCampaign(NIGHT, "worker"),)
