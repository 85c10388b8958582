"""A small world of three campaigns in which anything may be ordered at any time, checked after every order."""

from random import Random

from service.domain import commands as c
from service.domain import events as e
from service.domain import ids
from service.domain.state import State
from tests.domain.replay import Narrow
from tests.domain.scenario import Q, Scenario, after, campaign
from tests.property.agreement import agree
from tests.property.log_checks import TAKERS
from tests.property.log_model import LogModel

NAMES = tuple(ids.CampaignName(name) for name in ("alpha", "beta", "gamma"))
WORKERS = tuple(ids.WorkerId(name) for name in ("w1", "w2", "w3"))
KEPT = (e.LateResult, e.InvestigationEmpty, e.InvestigationSkipped, e.RecoveryClosed)
"""What a refusal may leave behind: what came too late, or the end of what it came too late for."""


class World(Scenario):
    """A story that writes itself from numbers; in a *narrow* one, three dependents are many."""

    def __init__(self, luck: int = 0, *, narrow: bool = False) -> None:
        super().__init__()
        self.state = Narrow() if narrow else State()
        self.model = LogModel(TAKERS)
        self.dice = Random(luck)
        self.ends: dict[ids.Token, tuple[c.Report, object]] = {}
        self.given(
            campaign("alpha", quota=Q, concurrency=2, max_attempts=2),
            campaign(
                "beta",
                quota=Q,
                on_dependency_failure="run",
                max_claims=4,
                retry={"retryable_errors": ["exit ?"]},
                heartbeat={"dead_s": 100},
            ),
            campaign(
                "gamma",
                groups="none",
                on_dead="quarantine",
                breaker={"threshold": 2, "counts": "units"},
                lease_s=100,
                investigate=True,
            ),
            after(seconds=1),
        )
        for event in self.log:
            self.model.take(event)

    def order(self, command: c.Command) -> None:
        """Decide *command* and check everything."""
        self.luck = self.dice.random()
        before = len(self.log)
        stale = isinstance(command, c.Report) and self.superseded(command.token)
        self.when(command)
        came = self.log[before:]
        refused = self.outcome.rejection is not None
        ending = self.ends.get(command.token) if isinstance(command, c.Report) else None
        again = ending is not None and ending[0] == command
        assert refused or not stale or again, "a superseded token is refused, but for the report that ended its claim"
        assert not again or (not came and self.outcome.reply == ending[1]), "the same report again has the first answer"  # type: ignore[index]
        assert ending is None or again or refused, "the report that ended a claim is the last"
        if isinstance(command, c.Report) and not isinstance(command, c.RecordHeartbeat) and came and not refused:
            self.ends[command.token] = command, self.outcome.reply
        assert not refused or all(isinstance(event.body, KEPT) for event in came), "a refusal changes nothing"
        for event in came:
            self.model.take(event)
        agree(self, self.model)

    def superseded(self, token: ids.Token) -> bool:
        """Tell whether *token* was never given, or another was given for its unit since."""
        place = self.model.tokens.get(token)
        return place is None or self.model.campaigns[place[0]].units[place[1]].token != token

    def tokens(self) -> list[ids.Token]:
        """Return every token that was ever given."""
        return [event.body.token for event in self.log if isinstance(event.body, e.UnitClaimed)]

    def token(self, one: int, two: int) -> ids.Token:
        """Return a token: mostly a current one, sometimes any."""
        current, every = list(self.state.claims), self.tokens()
        if current and two % 8:
            return current[one % len(current)]
        return every[one % len(every)] if every else ids.Token("1.none")

    def keys(self, name: ids.CampaignName) -> list[ids.UnitKey]:
        """Return the keys of a campaign."""
        return [key for campaign, key in self.state.units if campaign == name]
