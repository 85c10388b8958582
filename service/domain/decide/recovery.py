"""Decisions about recoveries: a plan for the claims that died while the service was away, and a person's answer to it."""

from collections.abc import Collection
from itertools import chain

from service.domain import events as e
from service.domain import ids
from service.domain.campaign import Campaign
from service.domain.commands import (
    ApplyRecovery,
    CancelCampaign,
    ClaimWork,
    CloseRecoveries,
    DecisionContext,
    DeclineRecovery,
    DetectRecovery,
    RecoveryCommand,
)
from service.domain.decide.campaign import cancel
from service.domain.decide.consequences.unit_end import limit_claims, settle_campaign
from service.domain.decide.decision import Consequence, Decider, Deciders, Decision, of_unit
from service.domain.events import Fact
from service.domain.read_set import ReadSet
from service.domain.recovery import Recovery, abandoned
from service.domain.rejections import Conflict, NotFound
from service.domain.rules.claiming import automatic_blockers, label_blockers, labels_of, worker_blockers
from service.domain.state import State
from service.domain.unit import Claim, Unit

DECLINED = "interrupted-not-resumed"
REPORTED: tuple[ids.UnitState, ...] = ("done", "delayed")
"""States that a unit of an open plan reaches only by a report of its worker: a success, or a failure that is retried."""


def detect(state: State, command: DetectRecovery, context: DecisionContext) -> Decision[None]:
    """Make a plan for a campaign of which every claim died while no worker could be heard, one for each such outage."""
    campaign = state.campaigns.get(command.campaign)
    if campaign is None or campaign.over or already_planned(state, command):
        return
    claims = [claim for claim in state.claims.values() if claim.campaign == campaign.name]
    dead = all(
        abandoned(claim, campaign.policy, context.at, command.heard_since)
        and state.workers[claim.worker].beat_at < command.heard_since
        for claim in claims
    )
    if claims and dead:
        body = e.RecoveryDetected(
            resumable=tuple(sorted(claim.unit for claim in claims)),
            preserved=campaign.counts.done,
            last_position=command.last_position,
        )
        yield Fact(body, campaign.name)


def already_planned(state: State, command: DetectRecovery) -> bool:
    """Tell whether a plan for the campaign is open, or was until after workers could be heard again: no claim has died since."""
    plans = (row for row in state.recoveries.values() if row.campaign == command.campaign)
    return any(row.ended_at is None or row.ended_at >= command.heard_since for row in plans)


def in_question(state: State, claim: Claim) -> bool:
    """Tell whether an open plan is about *claim*: then it ends by a decision, or when the plan has ended."""
    return any(row.open and row.about(claim) for row in state.recoveries.values())


def units_of(state: State, row: Recovery) -> list[Unit]:
    """Return the plan's units."""
    units = (state.units.get((row.campaign, key)) for key in row.resumable)
    return [unit for unit in units if unit is not None]


def claims_of(state: State, row: Recovery) -> list[Claim]:
    """Return the claims that the plan's units have now."""
    claims = (state.claims.get(unit.token) for unit in units_of(state, row) if unit.token is not None)
    return [claim for claim in claims if claim is not None]


def silent_claims(state: State, row: Recovery) -> list[Claim]:
    """Return the claims of the plan's units of which nothing was heard since it was made."""
    return [claim for claim in claims_of(state, row) if row.about(claim)]


def revived(state: State, row: Recovery) -> bool:
    """Tell whether a worker of the plan's units was heard since it was made, or has ended one of them."""
    heard = any(state.workers[claim.worker].beat_at >= row.detected_at for claim in claims_of(state, row))
    return heard or any(unit.state in REPORTED for unit in units_of(state, row))


def open_plan(state: State, command: RecoveryCommand) -> Decision[tuple[Recovery, list[Claim]]]:
    """Return the plan and the claims that it is about; one that has none left is closed.

    Raises:
        NotFound: when there is no such plan.
        Conflict: when it is not open, or has no claim left to decide on.

    """
    row = state.recoveries.get(command.id)
    if row is None:
        raise NotFound(f"there is no recovery {command.id!r}", field="id", current=command.id)
    claims = silent_claims(state, row)
    if row.open and not claims:
        yield plan_closed(row)
    if not row.open:
        raise Conflict(f"recovery {row.id!r} is {row.state}", field="state", current=row.state)
    return row, claims


def apply(state: State, command: ApplyRecovery, context: DecisionContext) -> Decision[None]:
    """Take the plan's units from their dead claims, neutrally: they are ready, and nothing is counted."""
    row, claims = yield from open_plan(state, command)
    units = tuple(claim.unit for claim in claims)
    yield Fact(e.RecoveryApplied(recovery=row.id, units=units, by=context.actor), row.campaign)
    for claim in claims:
        yield from release(state, claim)
    yield from settle_campaign(state.campaigns[row.campaign], context)


def release(state: State, claim: Claim) -> Consequence:
    """End one dead claim."""
    unit = state.units[claim.campaign, claim.unit]
    yield of_unit(unit, e.UnitReleased(token=claim.token, cause="recovery"), claim.worker)
    yield from limit_claims(state, unit)


def decline(state: State, command: DeclineRecovery, context: DecisionContext) -> Decision[None]:
    """End the campaign instead."""
    row, _ = yield from open_plan(state, command)
    yield Fact(e.RecoveryDeclined(recovery=row.id, by=context.actor), row.campaign)
    yield from cancel(state, CancelCampaign(name=row.campaign, reason=DECLINED), context)


def close(state: State, command: CloseRecoveries, context: DecisionContext) -> Decision[None]:
    """Close the plans whose units have all moved on, of which a worker is back, or that have waited long enough."""
    for known in command.ids:
        row = state.recoveries.get(known)
        if row is None or not row.open:
            continue
        if row.outlived(context.at, command.heard_since) or revived(state, row) or not silent_claims(state, row):
            yield plan_closed(row)


def go_on(state: State, command: ClaimWork, granting: Collection[ids.CampaignName], *, hungry: bool) -> Consequence:
    """Close the plans of campaigns in which a worker works again: it got a unit there (*granting*), or asked for one."""
    for row in state.recoveries.values():
        if row.open and (
            row.campaign in granting or asks_for_units(state, command, state.campaigns[row.campaign], hungry=hungry)
        ):
            yield plan_closed(row)


def asks_for_units(state: State, command: ClaimWork, campaign: Campaign, *, hungry: bool) -> bool:
    """Tell whether a worker asks for units of *campaign*, whether or not there are any.

    A claim that names no campaign asks all that may give it units, as long as it got less than it asked for (*hungry*).
    """
    worker = state.workers.get(command.worker)
    if any(worker_blockers(worker)) or any(label_blockers(campaign, labels_of(worker, command.labels))):
        return False
    if command.campaigns:
        return campaign.name in command.campaigns
    return hungry and (command.mode == "manual" or not any(automatic_blockers(campaign)))


def plan_closed(row: Recovery) -> Fact:
    """Return the end of a plan without a decision."""
    return Fact(e.RecoveryClosed(recovery=ids.RecoveryId(row.id)), row.campaign)


def reads_detect(command: DetectRecovery) -> ReadSet:
    """Return the campaign with every claim and its last plan."""
    return ReadSet(abandoned_campaigns=(command.campaign,))


def reads_plan(command: ApplyRecovery) -> ReadSet:
    """Return the plan with its units, which may be released or used up."""
    return ReadSet(recoveries=(command.id,))


def reads_decline(command: DeclineRecovery) -> ReadSet:
    """Return the plan, and its campaign, which is cancelled."""
    return ReadSet(declined_recoveries=(command.id,))


def reads_plans(command: CloseRecoveries) -> ReadSet:
    """Return the plans with their units."""
    return ReadSet(recoveries=command.ids)


def units_of_plans(read_set: ReadSet, state: State) -> set[ids.UnitId]:
    """Return the units of the plans that commands name."""
    plans = (state.recoveries.get(known) for known in (*read_set.recoveries, *read_set.declined_recoveries))
    return {(plan.campaign, key) for plan in plans if plan is not None for key in plan.resumable}


def campaigns_in_question(read_set: ReadSet, state: State) -> set[ids.CampaignName]:
    """Return the campaigns whose open plan a decision reads though no command names it.

    A plan spares the claims that it is about (`in_question`), and is closed when a worker asks for units there (`go_on`).
    """
    planned = set(read_set.planned_campaigns)
    asked = [request.campaigns for request in read_set.claim_requests if request.kind == "unit"]
    if not planned or not all(asked):
        return planned
    return planned & {*chain.from_iterable(asked), *(claim.campaign for claim in state.claims.values())}


DECIDERS: Deciders = {
    DetectRecovery: Decider(detect, reads_detect),
    ApplyRecovery: Decider(apply, reads_plan),
    DeclineRecovery: Decider(decline, reads_decline),
    CloseRecoveries: Decider(close, reads_plans),
}
