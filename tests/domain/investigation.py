"""What stories of investigations share: a unit that was lost, who looks into it, and what comes of it."""

from service.domain import commands as c
from service.domain import ids
from tests.domain.scenario import (
    Scenario,
    adding,
    campaign,
    claimed,
    failure,
    spec,
)

ONCE = (campaign(investigate=True, max_attempts=1), adding(spec("a", group=10, payload=b'{"file": "a.py"}')))
LOST = (*ONCE, claimed("a", "t1"), failure("t1", error="exit 2: no such file", exit_code=2, screen_id="5c"))


def looking(*campaigns: str, worker: str = "sherlock", most: int = 1, mode: ids.Mode = "auto") -> c.ClaimWork:
    """Return a worker's question for something to look into."""
    names = tuple(ids.CampaignName(name) for name in campaigns)
    return c.ClaimWork(worker=ids.WorkerId(worker), max=most, campaigns=names, mode=mode, kind="investigation")


def only(story: Scenario) -> ids.InvestigationId:
    """Return the name of the story's last investigation."""
    return list(story.state.investigations)[-1]


def concluding(story: Scenario, fix: c.Fix | None = None, root_cause: str | None = "a typo") -> c.ConcludeInvestigation:
    """Return the result of the story's last investigation."""
    return c.ConcludeInvestigation(id=only(story), fix=fix, root_cause=root_cause)
