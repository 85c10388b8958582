"""An account of the log that is kept apart from the core: what every event may do, counted by hand.

The model knows the promises (`reliability.md`), not the code: each event is checked against what came before it.
"""

import msgspec
from msgspec import UNSET

from service.domain import events as e
from service.domain.policy import Policy
from tests.property import unit_checks
from tests.property.log_model import OPEN, CampaignModel, LogModel, Takers, UnitModel, waited_for


def created(model: LogModel, _event: e.Recorded, body: e.CampaignCreated) -> None:
    assert body.name not in model.campaigns
    model.campaigns[body.name] = CampaignModel(body.policy, body.auto, body.quota)


def edited(model: LogModel, event: e.Recorded, body: e.CampaignEdited) -> None:
    campaign = model.campaign(event)
    for name, change in body.changes.items():
        if name == "policy":
            campaign.policy = msgspec.convert(change.new, Policy)
        elif name in ("auto", "quota"):
            setattr(campaign, name, change.new)


def paused(model: LogModel, event: e.Recorded, body: e.Event) -> None:
    model.campaign(event).paused = isinstance(body, e.CampaignPaused)


def tripped(model: LogModel, event: e.Recorded, body: e.BreakerTripped) -> None:
    campaign = model.campaign(event)
    assert not campaign.tripped, "a breaker trips once"
    assert len(campaign.failures) >= body.threshold == campaign.policy.breaker.threshold, "it trips at the threshold"
    assert list(body.failures) == campaign.failures[-len(body.failures) :], "it names the failures"
    campaign.tripped = True


def reset(model: LogModel, event: e.Recorded, body: e.BreakerReset) -> None:
    campaign = model.campaign(event)
    assert body.cause == "reset" or campaign.tripped
    campaign.tripped, campaign.failures = False, []


def completed_campaign(model: LogModel, event: e.Recorded, body: e.CampaignCompleted) -> None:
    campaign = model.campaign(event)
    assert campaign.ended is None
    assert campaign.units, "a campaign without units does not complete"
    assert not campaign.count(*OPEN), "nothing is open in a completed campaign"
    achieved = campaign.count("done") == len(campaign.units)
    assert body.outcome == ("failed" if campaign.count("quarantined") else "achieved" if achieved else "partial")
    campaign.ended = "completed"


def reopened(model: LogModel, event: e.Recorded, _body: e.Event) -> None:
    campaign = model.campaign(event)
    assert campaign.ended == "completed"
    campaign.ended = None


def cancelled_campaign(model: LogModel, event: e.Recorded, _body: e.Event) -> None:
    campaign = model.campaign(event)
    assert campaign.ended is None
    campaign.ended = "cancelled"


def added(model: LogModel, event: e.Recorded, body: e.UnitsAdded) -> None:
    campaign = model.campaign(event)
    assert campaign.ended != "cancelled"
    for unit in body.units:
        assert unit.key not in campaign.units
        unit_model = campaign.units[unit.key] = UnitModel(campaign, unit.group, unit.depends_on)
        unit_model.become("blocked" if unit.waits_for else "ready")
    for unit in body.units:
        open_parents = [parent for parent in unit.depends_on if waited_for(campaign, parent)]
        assert unit.waits_for == len(open_parents)


def updated(model: LogModel, event: e.Recorded, body: e.UnitsUpdated) -> None:
    for patch in body.units:
        unit_model = model.campaign(event).units[patch.key]
        assert unit_model.token is None, "a started unit is left alone"
        if patch.group is not UNSET:
            before = unit_model.state
            unit_model.become("")
            unit_model.group = patch.group
            unit_model.become(before)


def level(model: LogModel, event: e.Recorded, body: e.LevelChanged) -> None:
    assert event.worker is not None
    assert body.from_ == model.levels[event.worker] != body.to, "a level changes once"
    assert body.age >= 0
    model.levels[event.worker] = body.to


def fitness(model: LogModel, event: e.Recorded, body: e.Event) -> None:
    assert event.worker is not None
    if isinstance(body, e.WorkerDeregistered):
        model.unfit.discard(event.worker)
        model.levels[event.worker] = "healthy"
    else:
        model.unfit.add(event.worker)


def gate(model: LogModel, _event: e.Recorded, body: e.QuotaGateClosed | e.QuotaGateOpened) -> None:
    if isinstance(body, e.QuotaGateClosed):
        model.shut.add(body.key)
    else:
        model.shut.remove(body.key)


def engine(model: LogModel, _event: e.Recorded, body: e.Event) -> None:
    assert model.engine_paused != isinstance(body, e.EnginePaused), "pausing twice is one pause"
    model.engine_paused = isinstance(body, e.EnginePaused)


def resized(model: LogModel, _event: e.Recorded, body: e.EngineResized) -> None:
    model.pool = body.pool_size


def planned(model: LogModel, event: e.Recorded, body: e.RecoveryDetected) -> None:
    campaign = model.campaign(event)
    assert not campaign.asked, "a campaign has one plan at a time"
    assert all(campaign.units[key].held for key in body.resumable), "a plan is about units that somebody holds"
    assert len(body.resumable) == campaign.count("running"), "of which nobody lives"
    campaign.asked = set(body.resumable)


def decided(model: LogModel, event: e.Recorded, _body: e.Event) -> None:
    model.campaign(event).asked = set()


TAKERS: Takers = {
    e.CampaignCreated: created,
    e.CampaignEdited: edited,
    e.CampaignPaused: paused,
    e.CampaignResumed: paused,
    e.BreakerTripped: tripped,
    e.BreakerReset: reset,
    e.CampaignCompleted: completed_campaign,
    e.CampaignReopened: reopened,
    e.CampaignCancelled: cancelled_campaign,
    e.UnitsAdded: added,
    e.UnitsUpdated: updated,
    e.UnitClaimed: unit_checks.claimed,
    e.UnitHeartbeat: unit_checks.beaten,
    e.LeaseExpired: unit_checks.expired,
    e.UnitCompleted: unit_checks.completed,
    e.AttemptFailed: unit_checks.failed,
    e.RetryScheduled: unit_checks.delayed,
    e.RetryDue: unit_checks.moved("delayed", to="ready"),
    e.UnitQuarantined: unit_checks.quarantined,
    e.QuarantineCleared: unit_checks.cleared,
    e.UnitParked: unit_checks.parked,
    e.UnitUnparked: unit_checks.moved("parked", to="ready"),
    e.UnitReleased: unit_checks.released,
    e.UnitUnblocked: unit_checks.moved("blocked", to="ready"),
    e.UnitSkipped: unit_checks.given_up("blocked", to="skipped"),
    e.UnitUnskipped: unit_checks.unskipped,
    e.UnitCancelled: unit_checks.given_up("blocked", "ready", "delayed", "parked", "quarantined", to="cancelled"),
    e.LevelChanged: level,
    e.WorkerDraining: fitness,
    e.WorkerFenced: fitness,
    e.WorkerDeregistered: fitness,
    e.QuotaGateClosed: gate,
    e.QuotaGateOpened: gate,
    e.EnginePaused: engine,
    e.EngineResumed: engine,
    e.EngineResized: resized,
    e.RecoveryDetected: planned,
    e.RecoveryApplied: decided,
    e.RecoveryDeclined: decided,
    e.RecoveryClosed: decided,
}
