"""What each event of a unit may do to its unit."""

from collections.abc import Callable
from typing import Any

from service.domain import events as e
from tests.property.log_model import CLOSED, OPEN, LogModel, UnitModel, waited_for

CLOCKS = ("lease_expired", "heartbeat_dead", "max_duration", "idle_output")
"""Failures that nobody reports."""


def claimed(model: LogModel, event: e.Recorded, body: e.UnitClaimed) -> None:
    campaign, unit = model.campaign(event), model.unit(event)
    assert body.token not in model.tokens, "a token is given once"
    assert body.fence > unit.fence, "fences grow"
    assert unit.state == "ready"
    assert body.attempt == unit.attempts + 1
    assert unit.claims < campaign.policy.max_claims or campaign.policy.max_claims < 4, "the claims of a unit are bounded"
    assert campaign.ended is None
    if body.mode == "auto":
        assert campaign.auto and not campaign.paused and not campaign.tripped, "no automatic claim against a switch"  # noqa: PT018
    assert not model.engine_paused
    assert event.worker not in model.unfit, "a drained or fenced worker gets nothing"
    assert campaign.quota not in model.shut, "nothing passes a closed gate"
    assert campaign.count("running") < campaign.policy.concurrency, "concurrency is exact"
    assert model.in_use < model.pool, "the pool is exact"
    early = [parent for parent in unit.parents if waited_for(campaign, parent) and not campaign.units[parent].run_without]
    assert not early, "nothing runs before what it depends on"
    if campaign.policy.groups == "ordered":
        assert not any(count for group, count in campaign.waiting.items() if group < unit.group), "groups run in order"
    assert event.unit is not None
    assert event.campaign is not None
    model.tokens[body.token] = event.campaign, event.unit
    unit.become("running")
    unit.token, unit.fence, unit.held = body.token, body.fence, True
    unit.attempts, unit.claims = unit.attempts + 1, unit.claims + 1


def under_token(model: LogModel, event: e.Recorded, token: str) -> UnitModel:
    """Return the unit, which *token* must hold now."""
    unit = model.unit(event)
    assert model.tokens[token] == (event.campaign, event.unit)
    assert unit.token == token, "no report counts under a superseded token"
    assert unit.held, "no report counts after the claim ended"
    return unit


def beaten(model: LogModel, event: e.Recorded, body: e.UnitHeartbeat) -> None:
    under_token(model, event, body.token)
    if body.alive is not False and event.unit is not None:
        model.campaign(event).asked.discard(event.unit)


def expired(model: LogModel, event: e.Recorded, body: e.LeaseExpired) -> None:
    under_token(model, event, body.token)
    assert event.unit not in model.campaign(event).asked, "no clock takes what a person is asked about"


def completed(model: LogModel, event: e.Recorded, body: e.UnitCompleted) -> None:
    campaign, unit = model.campaign(event), model.unit(event)
    assert unit.token == body.token, "no success counts under a superseded token"
    assert unit.state in OPEN, "a final state stays"
    assert unit.state == body.was
    unit.become("done")
    unit.held = False
    unit.attempts = max(unit.attempts, body.attempt)
    campaign.failures = []


def failed(model: LogModel, event: e.Recorded, body: e.AttemptFailed) -> None:
    unit, campaign = under_token(model, event, body.token), model.campaign(event)
    assert body.attempt == unit.attempts
    assert body.reason not in CLOCKS or event.unit not in campaign.asked, "no clock takes what a person is asked about"
    unit.held = False
    if campaign.policy.breaker.counts == "attempts":
        campaign.failures.append(event.position)


def delayed(model: LogModel, event: e.Recorded, body: e.RetryScheduled) -> None:
    unit, policy = model.unit(event), model.campaign(event).policy
    assert unit.state == "running"
    assert not unit.held
    assert unit.attempts < policy.max_attempts
    assert body.after_attempt == unit.attempts
    assert 0 <= body.delay_ms <= policy.retry.max_delay_ms
    unit.become("delayed")


def quarantined(model: LogModel, event: e.Recorded, body: e.UnitQuarantined) -> None:
    unit, campaign = model.unit(event), model.campaign(event)
    assert unit.state == body.was
    assert unit.state in OPEN
    assert not unit.held
    assert body.attempts == unit.attempts
    if body.reason == "max_attempts":
        assert unit.attempts >= campaign.policy.max_attempts
    if body.reason == "max_claims":
        assert unit.claims >= campaign.policy.max_claims
    unit.become("quarantined")
    if campaign.policy.breaker.counts == "units" and body.reason != "manual":
        campaign.failures.append(event.position)
    unit.give_up()


def cleared(model: LogModel, event: e.Recorded, body: e.QuarantineCleared) -> None:
    unit = model.unit(event)
    assert unit.state == "quarantined"
    unit.attempts = unit.claims = 0
    unit.become(body.to)
    unit.given_up = False


def parked(model: LogModel, event: e.Recorded, body: e.UnitParked) -> None:
    unit = model.unit(event) if body.token is None else under_token(model, event, body.token)
    assert unit.state == body.was
    assert unit.state in ("running", "ready", "delayed")
    assert unit.held == (unit.state == "running")
    unit.attempts -= unit.held
    unit.become("parked")
    unit.held = False


def released(model: LogModel, event: e.Recorded, body: e.UnitReleased) -> None:
    unit = under_token(model, event, body.token)
    unit.attempts -= 1
    unit.become("ready")
    unit.held = False


def moved(*allowed: str, to: str) -> Callable[[LogModel, e.Recorded, Any], None]:
    """Return the taker of a mere change of state."""

    def take(model: LogModel, event: e.Recorded, body: Any) -> None:  # noqa: ANN401 - of any kind
        unit = model.unit(event)
        assert unit.state in allowed
        assert not unit.held
        assert getattr(body, "was", unit.state) == unit.state
        unit.become(getattr(body, "to", to))

    return take


def given_up(*allowed: str, to: str) -> Callable[[LogModel, e.Recorded, Any], None]:
    """Return the taker of an end that is not done."""
    move = moved(*allowed, to=to)

    def take(model: LogModel, event: e.Recorded, body: Any) -> None:  # noqa: ANN401 - of any kind
        move(model, event, body)
        campaign = model.campaign(event)
        unit = model.unit(event)
        unit.give_up()
        if isinstance(body, e.UnitSkipped):
            assert body.path[0] == body.because_of, "the path begins at the cause"
            assert body.path[-1] == event.unit
            assert any(campaign.units[parent].state in CLOSED for parent in unit.parents)

    return take


def unskipped(model: LogModel, event: e.Recorded, body: e.UnitUnskipped) -> None:
    moved("skipped", to="blocked")(model, event, body)
    model.unit(event).given_up = False
