"""Which decision takes which command, and the fold of its facts as they come."""

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from service.domain import commands as c
from service.domain.decide import (
    campaign,
    claim,
    clock,
    diagnostic,
    engine,
    investigation,
    quota,
    recovery,
    report,
    unit,
    unit_import,
    worker,
)
from service.domain.decide.consequences import fanout
from service.domain.decide.decision import Decision
from service.domain.events import Fact, Recorded
from service.domain.evolve import evolve
from service.domain.rejections import Rejection
from service.domain.state import State

DECISIONS: dict[type[c.Command], Callable[[State, Any, c.DecisionContext], Decision[Any]]] = {
    c.CreateCampaign: campaign.create,
    c.EditCampaign: campaign.edit,
    c.PauseCampaign: campaign.pause,
    c.ResumeCampaign: campaign.resume,
    c.CancelCampaign: campaign.cancel,
    c.CancelRest: campaign.cancel_rest,
    c.ResetBreaker: campaign.reset_breaker,
    c.ClearQuarantine: campaign.clear_quarantine,
    c.AddUnits: unit_import.add_units,
    c.RetryUnit: unit.retry,
    c.ParkUnit: unit.park,
    c.UnparkUnit: unit.unpark,
    c.QuarantineUnit: unit.take_out,
    c.CancelUnit: unit.cancel,
    c.StopUnit: unit.stop,
    c.ClaimWork: claim.claim_work,
    c.RecordHeartbeat: report.record_heartbeat,
    c.CompleteUnit: report.complete,
    c.FailAttempt: report.fail_attempt,
    c.ParkClaim: report.park_claim,
    c.ReleaseClaim: report.release,
    c.BeatWorker: worker.beat,
    c.DrainWorker: worker.drain,
    c.FenceWorker: worker.fence,
    c.JudgeWorkers: worker.judge,
    c.PauseEngine: engine.pause,
    c.ResumeEngine: engine.resume,
    c.ResizePool: engine.resize,
    c.ElectLeader: engine.elect,
    c.NoteSwap: engine.swap,
    c.TickEngine: quota.force_gates,
    c.RecordReading: quota.record_reading,
    c.EditQuota: quota.edit_quota,
    c.OpenGates: quota.open_gates,
    c.ExpireLeases: clock.expire_leases,
    c.RevokeClaims: clock.revoke_claims,
    c.ReleaseRetries: clock.release_retries,
    c.ResumeParked: clock.resume_parked,
    c.FanOutUnits: fanout.continue_fanout,
    c.ConcludeInvestigation: investigation.conclude,
    c.EndInvestigations: investigation.end_investigations,
    c.DetectRecovery: recovery.detect,
    c.ApplyRecovery: recovery.apply,
    c.DeclineRecovery: recovery.decline,
    c.CloseRecoveries: recovery.close,
    c.ExportDiagnostic: diagnostic.export,
}


class DecisionOutcome(Struct, frozen=True):
    """What became of a command: the events to append, in order, and its reply or its refusal."""

    events: list[Recorded]
    reply: Any = None
    rejection: Rejection | None = None


def decide(state: State, command: c.Command, context: c.DecisionContext) -> DecisionOutcome:
    """Decide *command*; its events take the positions after `moment.head` and are folded into *state* one by one.

    A refusal keeps what was recorded before it (a late result is kept, and refused).
    """
    events: list[Recorded] = []
    steps = DECISIONS[type(command)](state, command, context)
    try:
        while True:
            fact: Fact = next(steps)
            event = recorded(fact, context, context.head + len(events) + 1)
            evolve(state, event)
            events.append(event)
    except StopIteration as end:
        return DecisionOutcome(events, end.value)
    except Rejection as rejection:
        return DecisionOutcome(events, rejection=rejection)


def recorded(fact: Fact, context: c.DecisionContext, position: int) -> Recorded:
    """Return *fact* in its envelope."""
    return Recorded(
        position,
        context.at,
        fact.body,
        fact.campaign,
        fact.unit,
        fact.worker,
        context.shard,
        context.correlation_id,
        context.span_id,
        context.causation,
        context.actor,
    )
