"""Everything that may happen in a world, each chosen by two numbers, and histories drawn from them."""

from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any

from service.domain import commands as c
from service.domain import events as e
from service.domain import ids
from tests.domain.scenario import START, Q, spec
from tests.property.agreement import explained
from tests.property.world import NAMES, WORKERS, World

POLICIES: tuple[dict[str, Any], ...] = (
    {"concurrency": 1},
    {"concurrency": 3},
    {"breaker": {"threshold": 1}},
    {"breaker": {"threshold": 4, "counts": "attempts"}},
    {"breaker": {"counts": "units"}},
    {"on_dependency_failure": "run"},
    {"on_dependency_failure": "skip"},
    {"max_attempts": 1},
    {"max_attempts": 3},
    {"max_claims": 2},
    {"max_claims": 6},
    {"groups": "none"},
    {"groups": "ordered"},
    {"require_evidence": True},
    {"require_evidence": False},
    {"investigate": True},
    {"investigate": False},
)
QUOTAS = (
    e.QuotaPolicy(),
    e.QuotaPolicy(fire="when_available"),
    e.QuotaPolicy(fire="on_reset", offset_s=60),
    e.QuotaPolicy(ramp_per_s=0.1),
)
SPANS = (0.4, 1.0, 1.0, 1.5, 2.0, 2.0, 5.0, 5.0, 10.0, 31.0, 70.0, 110.0, 301.0, 1300.0)

Action = Callable[[World, int, int], None]


def wait(world: World, one: int, _two: int) -> None:
    world.at += timedelta(seconds=SPANS[one % len(SPANS)])


def add(world: World, one: int, two: int) -> None:
    name = NAMES[one % 3]
    known = world.keys(name)
    dice = Random(two)
    specs: list[c.UnitSpec] = []
    for index in range(dice.randint(1, 5)):
        pool = [*known, *(earlier.key for earlier in specs)]
        parents = dice.sample(pool, min(len(pool), dice.choice((0, 0, 1, 1, 2, 3))))
        key = dice.choice(known) if known and dice.random() < 0.2 else f"{len(known) + index}"
        if key not in [earlier.key for earlier in specs]:
            mine = [parent for parent in parents if parent != key]
            payload = str(dice.randint(0, 2)).encode()
            specs.append(spec(key, *mine, group=dice.choice((1, 2, 99)), priority=dice.randint(0, 2), payload=payload))
    world.order(c.AddUnits(campaign=name, units=tuple(specs)))


def claim(world: World, one: int, two: int) -> None:
    names = () if two % 3 else (NAMES[two % 3],)
    mode: ids.Mode = "manual" if two % 4 == 0 else "auto"
    world.order(c.ClaimWork(worker=WORKERS[one % 3], max=1 + two % 4, campaigns=names, mode=mode))


def beat(world: World, one: int, two: int) -> None:
    said: dict[str, Any] = {"idle": two % 3 == 0, "session": f"s{two}" if two % 4 == 0 else None}
    if two % 7 == 0:
        said["alive"] = False
    if two % 5 == 0:
        said["output_at"] = world.at
    world.order(c.RecordHeartbeat(token=world.token(one, two), **said))


def complete(world: World, one: int, two: int) -> None:
    world.order(c.CompleteUnit(token=world.token(one, two)))


def fail(world: World, one: int, two: int) -> None:
    error = ("exit 1", "exit 17", "429 too many requests", None)[two % 4]
    declared = {"declared_result": "success", "signal": "SIGTERM"} if two % 11 == 0 else {}
    world.order(c.FailAttempt(token=world.token(one, two), reason="crash", error=error, **declared))  # type: ignore[arg-type]


def park(world: World, one: int, two: int) -> None:
    resume_at = None if two % 2 else world.at + timedelta(seconds=SPANS[two % len(SPANS)])
    world.order(c.ParkClaim(token=world.token(one, two), reason="rate_limit" if two % 3 else "asleep", resume_at=resume_at))


def release(world: World, one: int, two: int) -> None:
    world.order(c.ReleaseClaim(token=world.token(one, two), reason=("stop", "drain", None)[two % 3]))


ORDERS: tuple[type[c.UnitCommand], ...] = (
    c.RetryUnit,
    c.RetryUnit,
    c.RetryUnit,
    c.UnparkUnit,
    c.ParkUnit,
    c.UnparkUnit,
    c.QuarantineUnit,
    c.CancelUnit,
    c.StopUnit,
)


def order(world: World, one: int, two: int) -> None:
    places = list(world.state.units)
    if places:
        name, key = places[one % len(places)]
        world.order(ORDERS[two % len(ORDERS)](campaign=name, key=key))


def steer(world: World, one: int, two: int) -> None:
    name = NAMES[one % 3]
    quarantined = tuple(unit.key for unit in world.state.units.values() if unit.campaign == name and unit.state == "quarantined")
    commands: tuple[c.Command, ...] = (
        c.PauseCampaign(name=name) if two % 2 else c.ResumeCampaign(name=name),
        c.ResumeCampaign(name=name),
        c.EditCampaign(name=name, patch={"auto": two % 2 == 0}),
        c.EditCampaign(name=name, patch={"auto": True}),
        c.EditCampaign(name=name, patch={"quota": Q if two % 2 else None}),
        c.ResetBreaker(name=name),
        c.ResetBreaker(name=name),
        c.ClearQuarantine(campaign=name, keys=quarantined, bulk_id="b", brief=f"brief {two}"),
        c.CancelCampaign(name=name) if two % 16 == 0 else c.ResetBreaker(name=name),
    )
    world.order(commands[(one // 3 + two) % len(commands)])


def mend(world: World, one: int, two: int) -> None:
    name = NAMES[one % 3]
    keys = [unit.key for unit in world.state.units.values() if unit.campaign == name and unit.state == "quarantined"]
    world.order(c.ClearQuarantine(campaign=name, keys=tuple(keys[:: 1 if two % 2 else -1][: 1 + two % 3]), bulk_id="b"))


def bend(world: World, one: int, two: int) -> None:
    world.order(c.EditCampaign(name=NAMES[one % 3], patch={"policy": POLICIES[two % len(POLICIES)]}))


def drive(world: World, one: int, two: int) -> None:
    commands: tuple[c.Command, ...] = (
        c.PauseEngine() if two % 4 == 0 else c.ResumeEngine(),
        c.ResumeEngine(),
        c.ResizePool(pool_size=1 + two % 6),
        c.TickEngine(force=True),
        c.EditQuota(quota=Q, policy=QUOTAS[two % len(QUOTAS)]),
        c.EditQuota(quota=Q, policy=QUOTAS[0]),
        c.RecordReading(quota=Q, utilization=two % 100 / 90, resets_at=world.at + timedelta(seconds=two * 7)),
        c.RecordReading(quota=Q, utilization=0.1),
        c.TickEngine(force=True),
        c.RecordReading(quota=Q, failure=("meter_rate_limited", "auth", "transient", "config")[two % 4]),
    )
    world.order(commands[one % len(commands)])


def worker(world: World, one: int, two: int) -> None:
    name = WORKERS[one % 3]
    commands: tuple[c.Command, ...] = (
        c.BeatWorker(worker=name, capacity=two),
        c.BeatWorker(worker=name),
        c.BeatWorker(worker=name, alive=False),
        c.DrainWorker(worker=name) if two % 3 == 0 else c.BeatWorker(worker=name),
        c.FenceWorker(worker=name) if two % 3 == 0 else c.BeatWorker(worker=name),
    )
    world.order(commands[two % len(commands)])


def tick(world: World, one: int, _two: int) -> None:
    """Let the watcher look: everything that may be due."""
    heard = START if one % 8 else world.at
    claims = tuple(world.state.claims)
    world.order(c.OpenGates(quotas=tuple(world.state.quotas)))
    world.order(c.JudgeWorkers(workers=tuple(world.state.workers), heard_since=heard, retire_s=3600))
    world.order(c.ExpireLeases(tokens=claims, heard_since=heard))
    world.order(c.RevokeClaims(tokens=claims, heard_since=heard, tick_s=5))
    for name in NAMES:
        keys = tuple(world.keys(name))
        world.order(c.ReleaseRetries(campaign=name, keys=keys))
        world.order(c.ResumeParked(campaign=name, keys=keys))
    world.order(c.FanOutUnits(units=tuple(world.state.fanouts)))


def inquire(world: World, one: int, two: int) -> None:
    looked = tuple(world.state.investigations)
    plans = tuple(world.state.recoveries)
    look, plan = looked[one % len(looked)] if looked else None, plans[one % len(plans)] if plans else None
    commands = (
        c.ClaimWork(worker=WORKERS[one % 3], kind="investigation", mode="manual"),
        None if look is None else c.ConcludeInvestigation(id=look, fix=c.Fix() if two % 2 else None, root_cause="found"),
        c.EndInvestigations(ids=looked),
        None if plan is None else c.ApplyRecovery(id=plan),
        None if plan is None or two % 4 else c.DeclineRecovery(id=plan),
        c.CloseRecoveries(ids=plans, heard_since=START if two % 8 else world.at),
    )
    command = commands[two % len(commands)]
    if command is not None:
        world.order(command)


def sleep(world: World, one: int, _two: int) -> None:
    """Let the service be away for longer than any lease, and look a minute later what died meanwhile."""
    world.at += timedelta(seconds=400)
    heard_since = world.at - timedelta(seconds=60)
    world.order(c.DetectRecovery(campaign=NAMES[one % 3], last_position=len(world.log), heard_since=heard_since))


def explain(world: World, one: int, two: int) -> None:
    explained(world, "manual" if two % 3 == 0 else "auto", one)


OFTEN: tuple[Action, ...] = (claim, claim, claim, claim, complete, complete, fail, fail, wait, tick, tick, add, add, explain)
ACTIONS: tuple[Action, ...] = (
    *OFTEN,
    *OFTEN,
    order,
    beat,
    park,
    release,
    steer,
    steer,
    mend,
    bend,
    drive,
    drive,
    worker,
    inquire,
    inquire,
    sleep,
)


def history(seed: int, length: int, *, narrow: bool = False) -> World:
    """Return the world after a history of *length* actions drawn from *seed*."""
    dice, world = Random(seed), World(seed, narrow=narrow)
    for _ in range(length):
        dice.choice(ACTIONS)(world, dice.randrange(256), dice.randrange(256))
    return world
