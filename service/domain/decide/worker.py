"""Decisions about workers: what they report of themselves, and what people order."""

from collections import defaultdict
from typing import Literal

from service.domain import events as e
from service.domain import ids
from service.domain.commands import BeatWorker, DecisionContext, DrainWorker, FenceWorker, JudgeWorkers, ReportReply
from service.domain.decide.consequences.unit_end import limit_claims, settle_campaign
from service.domain.decide.decision import Consequence, Decider, Deciders, Decision, of_unit
from service.domain.events import Fact
from service.domain.policy import HeartbeatPolicy
from service.domain.read_set import ReadSet
from service.domain.rejections import NotFound
from service.domain.rules import heartbeat
from service.domain.state import State
from service.domain.worker import Worker


def note_sign_of_life(state: State, worker: ids.WorkerId) -> Consequence:
    """Note that a silent worker lives again, or that it declared itself dead."""
    row = state.workers[worker]
    level: ids.Level = "healthy" if row.alive else "dead"
    if row.level != level:
        yield Fact(e.LevelChanged(from_=row.level, to=level, age=0.0), worker=worker)


def beat(state: State, command: BeatWorker, _moment: DecisionContext) -> Decision[ReportReply]:
    """Register a worker that is new or changed, else note its beat; a farewell ends it, or declares its claims dead."""
    row = state.workers.get(command.worker)
    if not command.alive:
        yield from farewell(row) if row is not None else ()
        return ReportReply(None)
    if row is None or not row.registered or differs(row, command):
        yield Fact(registration(row, command), worker=command.worker)
    else:
        yield Fact(e.WorkerHeartbeat(), worker=command.worker)
    yield from note_sign_of_life(state, command.worker)
    return ReportReply(None, signal=signal_to(state.workers[command.worker]))


def farewell(row: Worker) -> Consequence:
    """Deregister the worker; one that still holds claims is dead at once."""
    if row.held:
        yield Fact(e.WorkerHeartbeat(alive=False), worker=row.worker)
        if row.level != "dead":
            yield Fact(e.LevelChanged(from_=row.level, to="dead", age=0.0), worker=row.worker)
    elif row.state != "gone":
        yield deregistration(row, "clean")


def deregistration(row: Worker, reason: Literal["clean", "dead", "retired"]) -> Fact:
    """Return the end of a worker."""
    body = e.WorkerDeregistered(capacity=row.capacity, labels=row.labels, version=row.version, reason=reason)
    return Fact(body, worker=row.worker)


def differs(row: Worker, command: BeatWorker) -> bool:
    """Tell whether the worker reports a field that differs from its row."""
    return (
        (command.capacity is not None and command.capacity != row.capacity)
        or (command.labels is not None and command.labels != row.labels)
        or (command.version is not None and command.version != row.version)
    )


def registration(row: Worker | None, command: BeatWorker) -> e.WorkerRegistered:
    """Return the worker's registration; fields that it leaves out keep their values."""
    if row is None:
        return e.WorkerRegistered(capacity=command.capacity, labels=command.labels or {}, version=command.version)
    return e.WorkerRegistered(
        capacity=row.capacity if command.capacity is None else command.capacity,
        labels=row.labels if command.labels is None else command.labels,
        version=row.version if command.version is None else command.version,
    )


def signal_to(row: Worker) -> Literal["stop", "drain"] | None:
    """Return what a worker shall do."""
    if row.state == "fenced":
        return "stop"
    return "drain" if row.state == "draining" else None


def existing_worker(state: State, worker: ids.WorkerId) -> Worker:
    """Return the worker of that name.

    Raises:
        NotFound: when there is none.

    """
    row = state.workers.get(worker)
    if row is None:
        raise NotFound(f"there is no worker {worker!r}", field="worker", current=worker)
    return row


def drain(state: State, command: DrainWorker, context: DecisionContext) -> Decision[None]:
    """Give the worker nothing more; it finishes what it holds."""
    row = existing_worker(state, command.worker)
    if row.state == "active":
        yield Fact(e.WorkerDraining(by=context.actor, reason=command.reason), worker=row.worker)


def fence(state: State, command: FenceWorker, context: DecisionContext) -> Decision[None]:
    """Take the worker's claims back, neutrally, and give it none."""
    row = existing_worker(state, command.worker)
    if row.state in ("active", "draining"):
        yield Fact(e.WorkerFenced(by=context.actor, reason=command.reason), worker=row.worker)
    for claim in [claim for claim in state.claims.values() if claim.worker == row.worker]:
        unit = state.units[claim.campaign, claim.unit]
        yield of_unit(unit, e.UnitReleased(token=claim.token, cause="fence"), row.worker)
        yield from limit_claims(state, unit)
        yield from settle_campaign(state.campaigns[unit.campaign], context)


def judge(state: State, command: JudgeWorkers, context: DecisionContext) -> Decision[None]:
    """Note whose level changed, and deregister workers that hold nothing and have been silent for long."""
    served: dict[ids.WorkerId, list[HeartbeatPolicy]] = defaultdict(list)
    for claim in state.claims.values():
        served[claim.worker].append(state.campaigns[claim.campaign].policy.heartbeat)
    for name in command.workers:
        row = state.workers.get(name)
        if row is None or row.state == "gone":
            continue
        policy = heartbeat.strictest(served[name])
        age = heartbeat.age(row.beat_at, context.at)
        silence = min(age, heartbeat.age(command.heard_since, context.at))
        if not row.held and silence > policy.dead_s + command.retire_s:
            yield deregistration(row, "dead" if row.watched else "retired")
        elif row.watched and (level := level_now(row, policy, age, silence)) != row.level:
            yield Fact(e.LevelChanged(from_=row.level, to=level, age=age), worker=name)


def level_now(row: Worker, policy: HeartbeatPolicy, age: float, silence: float) -> ids.Level:
    """Return the level of a worker: our own deafness makes no level worse, and none better than its age allows.

    One that holds nothing any more is judged by the defaults, and by those alone no level becomes better: only a sign of life
    does that.
    """
    best = heartbeat.level(policy, silence, alive=row.alive)
    worst = heartbeat.level(policy, age, alive=row.alive) if row.held else "dead"
    return sorted((best, row.level, worst), key=heartbeat.LEVELS.index)[1]


def reads_worker(command: BeatWorker | DrainWorker) -> ReadSet:
    """Return the worker alone."""
    return ReadSet(workers=(command.worker,))


def reads_fence(command: FenceWorker) -> ReadSet:
    """Return the worker with the claims that end."""
    return ReadSet(fenced_workers=(command.worker,))


def reads_judge(command: JudgeWorkers) -> ReadSet:
    """Return the workers with their claims, whose campaigns say how patient to be."""
    return ReadSet(judged_workers=command.workers)


DECIDERS: Deciders = {
    BeatWorker: Decider(beat, reads_worker),
    DrainWorker: Decider(drain, reads_worker),
    FenceWorker: Decider(fence, reads_fence),
    JudgeWorkers: Decider(judge, reads_judge),
}
