"""Handing out work."""

from collections.abc import Iterator
from datetime import datetime

from service.domain import events as e
from service.domain import ids
from service.domain.campaign import Campaign
from service.domain.commands import BlockedCampaign, ClaimReply, ClaimWork, DecisionContext, Grant
from service.domain.decide.decision import Decider, Deciders, Decision, campaign_named, of_unit
from service.domain.decide.investigation import claim_investigations
from service.domain.decide.recovery import go_on
from service.domain.decide.worker import note_sign_of_life
from service.domain.read_set import ReadSet
from service.domain.rules.claiming import (
    Blocker,
    campaign_blockers,
    claimable,
    engine_blockers,
    label_blockers,
    labels_of,
    shares,
    unit_blockers,
    worker_blockers,
)
from service.domain.rules.heartbeat import lease_end
from service.domain.state import State
from service.domain.unit import Unit, object_or_empty


def claim_work(state: State, command: ClaimWork, context: DecisionContext) -> Decision[ClaimReply]:
    """Give the worker up to *max* units, fairly over the campaigns; say why a campaign gave nothing."""
    if command.kind == "investigation":
        return (yield from claim_investigations(state, command, context))
    asked = asked_campaigns(state, command)
    reasons = {campaign.name: claim_blocker(state, campaign, command, context) for campaign in asked}
    open_campaigns = [campaign for campaign in asked if reasons[campaign.name] is None]
    grants = yield from grant_units(state, open_campaigns, command, context)
    granting = {grant.campaign for grant in grants}
    if state.recoveries:
        yield from go_on(state, command, granting, hungry=len(grants) < command.max)
    # The grants may have used up the pool, a campaign's slots or a quota's ramp: what was open before may be blocked by now.
    for campaign in open_campaigns:
        if campaign.name not in granting:
            reasons[campaign.name] = claim_blocker(state, campaign, command, context) or idle_reason(state, campaign)
    blocked = tuple(BlockedCampaign(name, reason) for name, reason in reasons.items() if reason is not None)
    return ClaimReply(tuple(grants), blocked)


def grant_units(state: State, campaigns: list[Campaign], command: ClaimWork, context: DecisionContext) -> Decision[list[Grant]]:
    """Claim up to *max* units of *campaigns* for the worker, as far as the pool has slots; a worker that gets one is alive."""
    grants: list[Grant] = []
    for unit in next_units(state, campaigns, min(command.max, state.engine.free), context.at):
        fact = claim_fact(state, unit, command, context, fence=context.head + len(grants) + 1)
        yield fact
        grants.append(unit_grant(state, unit, fact.body))
    if grants:
        yield from note_sign_of_life(state, command.worker)
    return grants


def asked_campaigns(state: State, command: ClaimWork) -> list[Campaign]:
    """Return the campaigns to claim from: those named, or every one that has something ready."""
    if command.campaigns:
        return [campaign_named(state, name) for name in dict.fromkeys(command.campaigns)]
    return [campaign for campaign in state.campaigns.values() if campaign.counts.ready and not campaign.over]


def claim_blocker(state: State, campaign: Campaign, command: ClaimWork, context: DecisionContext) -> str | None:
    """Return the first reason why *campaign* gives nothing to this worker, None when it may."""
    worker = state.workers.get(command.worker)
    return (
        first(engine_blockers(state))
        or first(worker_blockers(worker))
        or first(label_blockers(campaign, labels_of(worker, command.labels)))
        or first(campaign_blockers(state, campaign, command.mode, context.at))
    )


def first(blockers: Iterator[Blocker]) -> str | None:
    """Return the reason of the first of *blockers*, None when there is none."""
    return next((blocker.reason for blocker in blockers), None)


def idle_reason(state: State, campaign: Campaign) -> str | None:
    """Return why a campaign that may hand out work has none, None when it was only not its turn."""
    counts = campaign.counts
    if counts.ready:
        return None if claimable(state, campaign) else "group"
    return next((state for state in ("delayed", "parked", "blocked") if getattr(counts, state)), None)


def next_units(state: State, campaigns: list[Campaign], count: int, at: datetime) -> Iterator[Unit]:
    """Yield up to *count* units, fairly over *campaigns*; each is claimed before the next is asked for.

    A campaign whose candidates are used up leaves its turn to the others.
    """
    offering = campaigns
    while count > 0:
        left = count
        offering = [campaign for campaign in offering if state.candidates.get(campaign.name)]
        for name in shares(state, offering, count, at):
            unit = next_candidate(state, state.campaigns[name])
            if unit is not None:
                left -= 1
                yield unit
        if left == count:
            return
        count = left


def next_candidate(state: State, campaign: Campaign) -> Unit | None:
    """Return the next unit in the order of claims that nothing holds back."""
    queue = state.candidates.get(campaign.name)
    while queue:
        unit = state.units[campaign.name, queue.popleft()]
        if not any(unit_blockers(state, campaign, unit)):
            return unit
    return None


def claim_fact(state: State, unit: Unit, command: ClaimWork, context: DecisionContext, *, fence: int) -> e.Fact:
    """Return the claim of *unit*; its token leads back to its place in the log, and cannot be guessed."""
    campaign = state.campaigns[unit.campaign]
    lease_s = campaign.policy.lease_s
    body = e.UnitClaimed(
        token=ids.Token(f"{fence:x}.{int(context.chance() * 2**53):014x}"),
        fence=fence,
        attempt=unit.attempts + 1,
        mode=command.mode,
        lease_until=lease_end(context.at, lease_s),
        lease_s=lease_s,
        brief_rev=campaign.brief_rev,
        resume_session=unit.session,
        waited=max((context.at - (unit.ready_at or unit.updated_at)).total_seconds(), 0.0),
        begins=campaign.started_at is None,
    )
    return of_unit(unit, body, command.worker)


def unit_grant(state: State, unit: Unit, body: e.Event) -> Grant:
    """Return the claim as the worker receives it."""
    assert isinstance(body, e.UnitClaimed)
    return Grant(
        token=body.token,
        campaign=unit.campaign,
        key=unit.key,
        payload=object_or_empty(unit.payload),
        attempt=body.attempt,
        brief=state.campaigns[unit.campaign].brief,
        brief_rev=body.brief_rev,
        lease_until=body.lease_until,
        lease_s=body.lease_s,
        resume_session=body.resume_session,
        kind="unit",
    )


def reads_claim_work(command: ClaimWork) -> ReadSet:
    """Return the worker, the campaigns that it names, and its share of what waits in them or anywhere."""
    return ReadSet(campaigns=command.campaigns, workers=(command.worker,), claim_requests=(command,))


DECIDERS: Deciders = {ClaimWork: Decider(claim_work, reads_claim_work)}
