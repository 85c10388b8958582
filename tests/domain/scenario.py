"""Stories of the core: `given(what happened).when(a command).then(these facts)`."""
# ruff: noqa: ANN401 - a story passes on what each command takes

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from msgspec import Raw, Struct

from service.domain import commands as c
from service.domain import events as e
from service.domain import ids
from service.domain.campaign import Campaign
from service.domain.decide import DecisionOutcome, decide
from service.domain.evolve import evolve
from service.domain.policy import DEFAULT, merged
from service.domain.quota import Quota
from service.domain.rejections import Rejection
from service.domain.state import State
from service.domain.unit import Unit
from service.domain.worker import Worker
from tests.domain.replay import fold, load, rows, through_json

START = datetime(2026, 1, 1, tzinfo=UTC)
NIGHT = ids.CampaignName("night")
W = ids.WorkerId("w")
Q = ids.QuotaKey("q")

Step = e.Fact | c.Command | timedelta | Callable[["Scenario"], e.Fact]


class Expected(Struct, frozen=True):
    """A fact that has to come: its kind, and the fields of body or envelope that matter."""

    kind: type[e.Event]
    fields: dict[str, Any]

    def check(self, event: e.Recorded) -> None:
        """Fail where *event* is something else."""
        for field, value in self.fields.items():
            where = event if field in ("campaign", "unit", "worker", "position") else event.body
            assert getattr(where, field) == value, f"{field} of {event.body}"


def fact(kind: type[e.Event], **fields: object) -> Expected:
    """Return the expectation of an event; *fields* are those of the body, and campaign, unit, worker of the envelope."""
    return Expected(kind, fields)


class Scenario:
    """A log that grows, the state folded of it, a clock that stands until it is moved, and luck that is always the same."""

    def __init__(self) -> None:
        self.state = State()
        self.log: list[e.Recorded] = []
        self.at = START
        self.luck = 0.5
        self.outcome = DecisionOutcome([])

    def given(self, *steps: Step) -> Self:
        """Let *steps* have happened: facts, commands that are obeyed, spans of time."""
        for step in steps:
            if isinstance(step, timedelta):
                self.at += step
            elif isinstance(step, c.Command):
                self.when(step)
                assert self.outcome.rejection is None, f"{step} was refused: {self.outcome.rejection}"
            else:
                self.record(step if isinstance(step, e.Fact) else step(self))
        return self

    def record(self, fact: e.Fact) -> None:
        """Write *fact* into the log and fold it."""
        event = e.Recorded(len(self.log) + 1, self.at, fact.body, fact.campaign, fact.unit, fact.worker)
        evolve(self.state, event)
        self.log.append(through_json(event))

    def when(self, command: c.Command) -> Self:
        """Decide *command* now."""
        load(self.state, self.log)
        context = c.DecisionContext(at=self.at, head=len(self.log), actor="me", chance=lambda: self.luck)
        self.outcome = decide(self.state, command, context)
        self.log += [through_json(event) for event in self.outcome.events]
        return self

    def then(self, *expected: Expected) -> Self:
        """Check that exactly these facts came, in this order, and that the log alone gives the same state."""
        assert self.outcome.rejection is None, f"refused: {self.outcome.rejection}"
        return self.recorded(*expected)

    def recorded(self, *expected: Expected) -> Self:
        """Check the facts, whether or not the command was refused."""
        assert [event.body.kind for event in self.outcome.events] == [one.kind.kind for one in expected]
        for event, one in zip(self.outcome.events, expected, strict=True):
            one.check(event)
        assert rows(self.state) == rows(fold(self.log))
        return self

    def agrees(self) -> Self:
        """Check only that the log alone gives the same state."""
        assert self.outcome.rejection is None, f"refused: {self.outcome.rejection}"
        assert rows(self.state) == rows(fold(self.log))
        return self

    def refused(self, kind: type[Rejection], **fields: object) -> Self:
        """Check the refusal, and the fields that help the caller."""
        rejection = self.outcome.rejection
        assert isinstance(rejection, kind), f"{rejection!r}, {self.outcome.events}"
        for field, value in fields.items():
            assert rejection.fields[field] == value
        return self

    def replies(self, reply: object) -> Self:
        """Check the answer."""
        assert self.outcome.reply == reply
        return self

    def unit(self, key: str = "a", campaign: str = NIGHT) -> Unit:
        """Return a unit's row."""
        return self.state.units[ids.CampaignName(campaign), ids.UnitKey(key)]

    def campaign(self, name: str = NIGHT) -> Campaign:
        """Return a campaign's row."""
        return self.state.campaigns[ids.CampaignName(name)]

    def worker(self, name: str = W) -> Worker:
        """Return a worker's row."""
        return self.state.workers[ids.WorkerId(name)]

    def quota(self, key: str = Q) -> Quota:
        """Return a quota's row."""
        return self.state.quotas[ids.QuotaKey(key)]

    def states(self, campaign: str = NIGHT) -> dict[str, str]:
        """Return the state of every unit of a campaign."""
        return {unit.key: unit.state for unit in self.state.units.values() if unit.campaign == campaign}

    @property
    def grants(self) -> list[str]:
        """The keys that the last claim gave, in order."""
        return [grant.key for grant in self.outcome.reply.claims]


def given(*steps: Step) -> Scenario:
    """Begin a story in which *steps* have happened."""
    return Scenario().given(*steps)


def after(**span: float) -> timedelta:
    """Let time pass."""
    return timedelta(**span)


def campaign(
    name: str = NIGHT, *, auto: bool = True, quota: str | None = None, labels: dict[str, str] | None = None, **policy: Any
) -> e.Fact:
    """Return the beginning of a campaign; *policy* is merged over the defaults."""
    body = e.CampaignCreated(
        name=ids.CampaignName(name),
        title=name,
        policy=merged(DEFAULT, policy),
        labels=labels or {},
        auto=auto,
        quota=None if quota is None else ids.QuotaKey(quota),
        brief="do it",
        brief_rev=1,
        deadline=None,
    )
    return e.Fact(body, body.name)


def spec(key: str, *depends_on: str, group: int = 99, priority: int = 0, payload: bytes = b"null") -> c.UnitSpec:
    """Return a unit of an import."""
    return c.UnitSpec(
        key=ids.UnitKey(key),
        payload=Raw(payload),
        group=group,
        priority=priority,
        depends_on=tuple(ids.UnitKey(one) for one in depends_on),
    )


def adding(*specs: c.UnitSpec | str, to: str = NIGHT) -> c.AddUnits:
    """Return the import of *specs*; a mere key is a unit without wishes."""
    units = tuple(spec(one) if isinstance(one, str) else one for one in specs)
    return c.AddUnits(campaign=ids.CampaignName(to), units=units)


def claimed(key: str, token: str, *, worker: str = W, mode: ids.Mode = "auto", of: str = NIGHT) -> Callable[[Scenario], e.Fact]:
    """Return the claim of a unit as the log would hold it, under a token that the story names."""

    def claim(story: Scenario) -> e.Fact:
        unit = story.unit(key, of)
        lease_s = story.state.campaigns[unit.campaign].policy.lease_s
        body = e.UnitClaimed(
            token=ids.Token(token),
            fence=len(story.log) + 1,
            attempt=unit.attempts + 1,
            mode=mode,
            lease_until=story.at + timedelta(seconds=lease_s),
            lease_s=lease_s,
            brief_rev=1,
            resume_session=unit.session,
            waited=0,
        )
        return e.Fact(body, unit.campaign, unit.key, ids.WorkerId(worker))

    return claim


def claim(*campaigns: str, worker: str = W, most: int = 1, mode: ids.Mode = "auto", **labels: str) -> c.ClaimWork:
    """Return a worker's question for work."""
    names = tuple(ids.CampaignName(name) for name in campaigns)
    return c.ClaimWork(worker=ids.WorkerId(worker), max=most, campaigns=names, mode=mode, labels=labels)


def beat(token: str, **said: Any) -> c.RecordHeartbeat:
    """Return a heartbeat of a unit."""
    return c.RecordHeartbeat(token=ids.Token(token), **said)


def success(token: str, **said: Any) -> c.CompleteUnit:
    """Return a completion."""
    return c.CompleteUnit(token=ids.Token(token), **said)


def failure(token: str, reason: ids.FailureReason = "crash", error: str | None = "exit 1", **said: Any) -> c.FailAttempt:
    """Return a failure."""
    return c.FailAttempt(token=ids.Token(token), reason=reason, error=error, **said)


def parking(token: str, reason: str = "rate_limit", resume_at: datetime | None = None) -> c.ParkClaim:
    """Return a worker's park."""
    return c.ParkClaim(token=ids.Token(token), reason=reason, resume_at=resume_at)


def handing_back(token: str, reason: str | None = None) -> c.ReleaseClaim:
    """Return a worker's release."""
    return c.ReleaseClaim(token=ids.Token(token), reason=reason)


def order(kind: type[c.UnitCommand], key: str = "a", of: str = NIGHT, **fields: Any) -> c.UnitCommand:
    """Return a person's order about a unit."""
    return kind(campaign=ids.CampaignName(of), key=ids.UnitKey(key), **fields)


def rested(*keys: str, of: str = NIGHT) -> c.ReleaseRetries:
    """Return the watcher's order to end rests."""
    return c.ReleaseRetries(campaign=ids.CampaignName(of), keys=tuple(ids.UnitKey(key) for key in keys))


def unparking(*keys: str, of: str = NIGHT) -> c.ResumeParked:
    """Return the watcher's order to end pauses."""
    return c.ResumeParked(campaign=ids.CampaignName(of), keys=tuple(ids.UnitKey(key) for key in keys))


def expiring(*tokens: str, heard_since: datetime = START - timedelta(days=1)) -> c.ExpireLeases:
    """Return the watcher's order to end lapsed leases."""
    return c.ExpireLeases(tokens=tuple(ids.Token(token) for token in tokens), heard_since=heard_since)


def revoking(*tokens: str, heard_since: datetime = START - timedelta(days=1), tick_s: float = 5) -> c.RevokeClaims:
    """Return the watcher's order to end what a watchdog or a dead worker ends."""
    return c.RevokeClaims(tokens=tuple(ids.Token(token) for token in tokens), heard_since=heard_since, tick_s=tick_s)


def judging(*workers: str, heard_since: datetime = START - timedelta(days=1), retire_s: float = 3600) -> c.JudgeWorkers:
    """Return the watcher's order to judge workers."""
    return c.JudgeWorkers(
        workers=tuple(ids.WorkerId(worker) for worker in workers or (W,)), heard_since=heard_since, retire_s=retire_s
    )


def reading(key: str = Q, **said: Any) -> c.RecordReading:
    """Return a meter's answer."""
    return c.RecordReading(quota=ids.QuotaKey(key), **said)


def clearing(*keys: str, brief: str | None = None) -> c.ClearQuarantine:
    """Return a bulk retry."""
    return c.ClearQuarantine(campaign=NIGHT, keys=tuple(ids.UnitKey(key) for key in keys), bulk_id="bulk", brief=brief)


def editing(if_match: int | None = None, **patch: Any) -> c.EditCampaign:
    """Return an edit of the campaign."""
    return c.EditCampaign(name=NIGHT, patch=patch, if_match=if_match)
