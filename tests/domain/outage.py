"""A campaign of which every claim died while the service was away, and the orders about its plan."""

from datetime import datetime, timedelta

from service.domain import commands as c
from service.domain import ids
from tests.domain.scenario import NIGHT, START, Scenario, adding, after, campaign, claimed, expiring, revoking, success

BACK = START + timedelta(hours=1)
AWAY = (campaign(), adding("a", "b", "c", "d"), claimed("a", "t1"), success("t1"), claimed("c", "t3"), claimed("b", "t2"))
GONE = (*AWAY, after(hours=1, seconds=30))


def detecting(last_position: int = 6) -> c.DetectRecovery:
    """Return the watcher's order to look for what died with the service."""
    return c.DetectRecovery(campaign=NIGHT, last_position=last_position, heard_since=BACK)


def plan(story: Scenario) -> ids.RecoveryId:
    """Return the name of the story's plan."""
    return list(story.state.recoveries)[-1]


def applying(story: Scenario) -> c.ApplyRecovery:
    """Return the order to carry out the story's plan."""
    return c.ApplyRecovery(id=plan(story))


def declining(story: Scenario) -> c.DeclineRecovery:
    """Return the order to decline it."""
    return c.DeclineRecovery(id=plan(story))


def closing(story: Scenario, heard_since: datetime = BACK) -> c.CloseRecoveries:
    """Return the watcher's order to close the story's plan if nobody need decide it."""
    return c.CloseRecoveries(ids=(plan(story), ids.RecoveryId("gone")), heard_since=heard_since)


def ending(*tokens: str) -> tuple[c.Command, ...]:
    """Return the watcher's orders to take claims back that a clock says are over."""
    return expiring(*tokens, heard_since=BACK), revoking(*tokens, heard_since=BACK)
