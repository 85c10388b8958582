"""Which units may be claimed now, in which order, and why not: the one rule that a claim and an explanation share.

The store has to find a few campaigns among thousands without reading them all, so the query `fairest` in `state.sql` says in
SQL what `campaign_blockers`, `claimable` and `share_key` say here. A campaign that it wrongly leaves out is never claimed from;
one that it wrongly names costs a row. `tests/integration/behaviour/test_fair_share.py` holds both equal: claims on what the
query finds get the same units, in the same order, as claims on every campaign there is.
"""

import heapq
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

from service.domain import ids
from service.domain.campaign import Campaign, GroupCounts
from service.domain.instant import Instant
from service.domain.quota import Quota
from service.domain.rules.hold import Hold, held_back
from service.domain.state import State
from service.domain.unit import Unit
from service.domain.worker import Worker

Reason = Literal[
    "engine",
    "pool",
    "worker",
    "labels",
    "cancelled",
    "paused",
    "auto",
    "breaker",
    "quota",
    "concurrency",
    "group",
    "blocked",
    "delayed",
    "parked",
    "running",
    "done",
    "quarantined",
    "skipped",
]

RAMP = timedelta(seconds=60)
COMING = 2**63
"""A claim that is yet to come is later than any in the log."""

ShareKey = tuple[float, int, ids.CampaignName]


class Blocker(Struct, frozen=True):
    """One reason why something is not claimed: what stands in the way, and when it clears by itself, if it does."""

    reason: Reason
    entity: str
    detail: str
    clears_at: Instant | None = None


def engine_blockers(state: State) -> Iterator[Blocker]:
    """Yield what stops every claim; nothing ignores these."""
    engine = state.engine
    if engine.paused_at is not None:
        yield Blocker(
            "engine", "engine", f"the engine is paused by {engine.paused_by}: {engine.paused_reason or 'no reason given'}"
        )
    if engine.in_use >= engine.pool_size:
        yield Blocker("pool", "engine", f"all {engine.pool_size} slots of the pool are in use")


def worker_blockers(worker: Worker | None) -> Iterator[Blocker]:
    """Yield why this worker gets nothing."""
    if worker is not None and worker.state in ("draining", "fenced"):
        yield Blocker("worker", worker.worker, f"worker {worker.worker} is {worker.state}")


def labels_of(worker: Worker | None, said: dict[str, str]) -> dict[str, str]:
    """Return the labels of a claim: those of its worker, and over them those *said* with it."""
    return {**worker.labels, **said} if worker is not None and worker.labels else said


def label_blockers(campaign: Campaign, labels: dict[str, str]) -> Iterator[Blocker]:
    """Yield the label that campaign and worker both carry with different values."""
    for name, value in labels.items():
        if campaign.labels.get(name, value) != value:
            yield Blocker("labels", campaign.name, f"label {name} is {campaign.labels[name]!r} there and {value!r} here")


def campaign_blockers(state: State, campaign: Campaign, mode: ids.Mode, at: datetime) -> Iterator[Blocker]:
    """Yield what stops every claim of *campaign*; a manual claim ignores its switch, its pause and its breaker."""
    if campaign.cancelled_at is not None:
        yield Blocker("cancelled", campaign.name, "the campaign is cancelled")
    if mode == "auto":
        yield from automatic_blockers(campaign)
    if campaign.counts.running >= campaign.policy.concurrency:
        yield Blocker(
            "concurrency", campaign.name, f"{campaign.counts.running} of {campaign.policy.concurrency} slots are in use"
        )
    if campaign.quota is not None and campaign.quota in state.quotas:
        yield from gate_blockers(state.quotas[campaign.quota], at)


def investigation_blockers(state: State, campaign: Campaign, mode: ids.Mode, at: datetime) -> Iterator[Blocker]:
    """Yield what stops investigations of *campaign*: they take none of its slots, and a tripped breaker is why they are made."""
    if campaign.cancelled_at is not None:
        yield Blocker("cancelled", campaign.name, "the campaign is cancelled")
    if mode == "auto":
        yield from (blocker for blocker in automatic_blockers(campaign) if blocker.reason != "breaker")
    if campaign.quota is not None and campaign.quota in state.quotas:
        yield from gate_blockers(state.quotas[campaign.quota], at)


def automatic_blockers(campaign: Campaign) -> Iterator[Blocker]:
    """Yield what stops automatic claims only."""
    for hold in held_back(auto=campaign.auto, paused=campaign.paused_at is not None, tripped=campaign.tripped is not None):
        yield Blocker(hold, campaign.name, hold_detail(campaign, hold))


def hold_detail(campaign: Campaign, hold: Hold) -> str:
    """Return the sentence about one hold of *campaign*."""
    if hold == "breaker":
        return f"the breaker tripped after {campaign.policy.breaker.threshold} failures in a row"
    if hold == "paused":
        return f"paused by {campaign.paused_by}: {campaign.paused_reason or 'no reason given'}"
    return "automatic claims are switched off"


def gate_blockers(quota: Quota, at: datetime) -> Iterator[Blocker]:
    """Yield why the gate of *quota* lets nothing pass."""
    if not quota.open:
        yield Blocker("quota", quota.key, f"the gate is closed: {quota.reason}", quota.resume_at)
    elif ramp_left(quota, at) == 0:
        yield Blocker("quota", quota.key, f"the gate opens slowly, {quota.policy.ramp_per_s:g} claims a second", at)


def room(quota: Quota, at: datetime) -> int | None:
    """Return how many claims the gate of *quota* lets pass now, None when it counts none."""
    return ramp_left(quota, at) if quota.open else 0


def ramp_left(quota: Quota, at: datetime) -> int | None:
    """Return how many claims the ramp allows now, None when it is over."""
    if quota.opened_at is None or at - quota.opened_at >= RAMP:
        return None
    seconds = (at - quota.opened_at).total_seconds()
    return max(int(quota.policy.ramp_per_s * seconds) + 1 - quota.ramped, 0)


def unit_blockers(state: State, campaign: Campaign, unit: Unit) -> Iterator[Blocker]:
    """Yield what stops this one unit."""
    pending = state.pending_parents.get((unit.campaign, unit.key), [])
    open_parents = [parent for parent in unsettled(state, unit) if parent not in pending] if unit.state == "blocked" else []
    for parent in pending:
        detail = f"{parent.key} is {parent.state}: its many dependents learn it in rounds, this one soon"
        yield Blocker("blocked" if unit.state == "blocked" else "skipped", parent.key, detail)
    for parent in open_parents:
        yield Blocker("blocked", parent.key, f"it depends on {parent.key}, which is {parent.state}")
    if unit.state != "ready" and not pending and not open_parents:
        yield Blocker(unit.state, unit.because_of or unit.key, *state_detail(unit))
    elif unit.state == "ready" and campaign.policy.groups == "ordered":
        yield from group_blockers(state, campaign, unit)


def unsettled(state: State, unit: Unit) -> list[Unit]:
    """Return the dependencies, as far as they are loaded, that *unit* still waits for."""
    parents = (state.units.get((unit.campaign, key)) for key in state.parents.get((unit.campaign, unit.key), ()))
    return [parent for parent in parents if parent is not None and not parent.settled]


def state_detail(unit: Unit) -> tuple[str, datetime | None]:
    """Return a sentence on why a unit in that state is not claimed, and when that ends by itself."""
    match unit.state:
        case "blocked":
            return f"dependencies that are not done: {unit.waits_for}", None
        case "delayed":
            return f"it rests after attempt {unit.attempts}", unit.due_at
        case "parked":
            return f"it is parked: {unit.reason}", unit.resume_at
        case "running":
            return f"worker {unit.worker} runs it", None
        case "quarantined":
            return f"it failed for good: {unit.reason}", None
        case "skipped":
            return f"skipped because of {unit.because_of}", None
        case _:
            return f"it is {unit.state}", None


def group_blockers(state: State, campaign: Campaign, unit: Unit) -> Iterator[Blocker]:
    """Yield the lowest earlier group that has not drained: a unit waits while one is ready, running, resting or parked there."""
    first = lowest_group(state, campaign)
    if first is not None and first.group < unit.group:
        yield Blocker(
            "group", f"{campaign.name}/{first.group}", f"group {first.group} still has {first.ready + first.held} units to end"
        )


def lowest_group(state: State, campaign: Campaign) -> GroupCounts | None:
    """Return the first group of *campaign* that has not drained."""
    lowest = None
    for group in state.groups[campaign.name].values():
        if group.ready + group.held > 0 and (lowest is None or group.group < lowest.group):
            lowest = group
    return lowest


def claimable(state: State, campaign: Campaign) -> int:
    """Return how many ready units of *campaign* no group holds back."""
    if campaign.policy.groups == "none":
        return campaign.counts.ready
    lowest = lowest_group(state, campaign)
    return lowest.ready if lowest is not None else 0


def share_key(campaign: Campaign) -> ShareKey:
    """Return where *campaign* stands in the order of claims: the least running/concurrency comes first.

    Among equals it is the one whose last claim is longest ago, so that none starves.
    """
    return campaign.counts.running / campaign.policy.concurrency, campaign.last_claim, campaign.name


def shares(
    state: State, campaigns: Iterable[Campaign], count: int, at: datetime, until: ShareKey | None = None
) -> list[ids.CampaignName]:
    """Return the order in which *campaigns* get up to *count* claims: always the one whose turn it is, none after *until*.

    Campaigns on one quota share its ramp.
    """
    order: list[ids.CampaignName] = []
    if count <= 0:
        return order
    queue = []
    for campaign in campaigns:
        running, concurrency = campaign.counts.running, campaign.policy.concurrency
        left = min(claimable(state, campaign), concurrency - running)
        if left > 0:
            queue.append((share_key(campaign), running, concurrency, left))
    heapq.heapify(queue)
    ramps = {key: ramp_left(quota, at) for key, quota in state.quotas.items()}
    while queue and len(order) < count and (until is None or queue[0][0] <= until):
        (_, _, name), running, concurrency, left = heapq.heappop(queue)
        quota = state.campaigns[name].quota
        ramp = ramps.get(quota) if quota is not None else None
        if ramp == 0:
            continue
        if quota is not None and ramp is not None:
            ramps[quota] = ramp - 1
        order.append(name)
        if left > 1:
            later = (running + 1) / concurrency, COMING + len(order), name
            heapq.heappush(queue, (later, running + 1, concurrency, left - 1))
    return order
