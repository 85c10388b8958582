"""Each cause is found where it belongs."""

from datetime import timedelta
from typing import Any

import pytest

from projections.views.campaign.time_account import Cause
from projections.views.fold import ReadModels
from projections.views.time_accounts.snapshot import EVERY
from service.domain import commands as c
from service.domain import events as e
from service.domain import ids
from tests.histories import BEGIN, CAMPAIGNS, QUOTA, WORKERS, History

NAME = CAMPAIGNS[0]


class Night(History):
    """A history that is told by hand."""

    def __init__(self, **policy: Any) -> None:  # noqa: ANN401 - JSON
        super().__init__(0)
        rules = {"lease_s": 60, "concurrency": 1, "retry": {"jitter": {"kind": "none"}, "backoff_ms": 60000}, **policy}
        self.order(c.CreateCampaign(name=NAME, policy=rules, quota=QUOTA, units=(c.UnitSpec(ids.UnitKey("a")),)))

    def wait(self, seconds: float) -> None:
        """Let time go by."""
        self.at += timedelta(seconds=seconds)

    def causes(self) -> dict[Cause, int]:
        """Return what the time went to, in seconds."""
        cards = ReadModels()
        for event in self.events:
            cards.fold(event)
        card = cards.campaigns[NAME]
        cards.advance(card, self.at)
        silent_us = card.time_account.silent_us
        spent = card.time_account.spent | {
            "working": card.time_account.spent.get("working", 0) - silent_us,
            "dead_worker": silent_us,
        }
        return {cause: us // 1_000_000 for cause, us in spent.items() if us}

    def take(self) -> ids.Token:
        """Let a worker claim what is ready."""
        self.dice.choice = lambda options: options[0]  # type: ignore[assignment, method-assign]  # automatic, by the first worker
        self.claim()
        return self.tokens[-1]


def test_work_and_waiting_for_a_slot() -> None:
    night = Night()
    night.wait(7)
    token = night.take()
    night.wait(11)
    night.order(c.CompleteUnit(token=token))
    night.wait(100)
    assert night.causes() == {"slot": 7, "working": 11}


def test_a_rest_and_a_breaker() -> None:
    night = Night(breaker={"threshold": 1})
    token = night.take()
    night.wait(5)
    night.order(c.FailAttempt(token=token, reason="crash"))
    night.wait(60)
    night.order(c.ReleaseRetries(campaign=NAME, keys=(ids.UnitKey("a"),)))
    night.wait(9)
    assert night.causes() == {"working": 5, "backoff": 60, "breaker": 9}


def test_a_quota_a_pause_and_the_engine() -> None:
    night = Night()
    token = night.take()
    night.order(c.ParkClaim(token=token, reason="rate_limit", resume_after_s=30))
    night.wait(30)
    night.order(c.OpenGates(quotas=(QUOTA,)))
    night.order(c.ResumeParked(campaign=NAME, keys=(ids.UnitKey("a"),)))
    night.order(c.PauseCampaign(name=NAME))
    night.wait(8)
    night.order(c.ResumeCampaign(name=NAME))
    night.order(c.PauseEngine())
    night.wait(4)
    assert night.causes() == {"quota": 30, "paused": 12}


def test_the_silence_of_a_dead_worker_is_not_work() -> None:
    night = Night()
    token = night.take()
    night.wait(20)
    night.order(c.RecordHeartbeat(token=token))
    night.wait(100)
    night.order(c.ExpireLeases(tokens=(token,), heard_since=BEGIN - timedelta(hours=1)))
    assert any(isinstance(event.body, e.LeaseExpired) for event in night.events)
    assert night.causes() == {"working": 20, "dead_worker": 100}


def test_a_fenced_worker_that_was_silent_did_not_work() -> None:
    night = Night()
    token = night.take()
    night.wait(40)
    night.order(c.JudgeWorkers(workers=(WORKERS[0],), heard_since=BEGIN - timedelta(hours=1), retire_s=1e6))
    night.order(c.FenceWorker(worker=WORKERS[0]))
    assert night.causes() == {"dead_worker": 40}
    assert token


@pytest.mark.parametrize(("units", "cause"), [((1, ()), "group"), ((99, ("a",)), "dependency")])
def test_units_that_wait_for_others(units: tuple[int, tuple[str, ...]], cause: Cause) -> None:
    group, parents = units
    night = Night()
    if cause == "group":
        night.order(c.AddUnits(campaign=NAME, units=(c.UnitSpec(ids.UnitKey("first"), group=group),)))
    else:
        spec = c.UnitSpec(ids.UnitKey("b"), depends_on=tuple(ids.UnitKey(key) for key in parents))
        night.order(c.AddUnits(campaign=NAME, units=(spec,)))
    night.wait(10)
    assert night.causes() == {cause: 10, "slot": 10}


def test_no_more_of_the_log_lies_between_two_marks_than_is_quickly_read() -> None:
    """An import of many units is as much to read as many events."""
    night = Night()
    for chunk in range(3):
        night.order(c.AddUnits(campaign=NAME, units=tuple(c.UnitSpec(ids.UnitKey(f"{chunk}/{n}")) for n in range(EVERY))))
    cards = ReadModels()
    for event in night.events:
        cards.fold(event)
    imports = [event.position for event in night.events if isinstance(event.body, e.UnitsAdded)]
    assert [one.position for one in cards.time_accounts.snapshots][1:] == imports[1:-1]
