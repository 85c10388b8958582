"""Decisions about recoveries: a plan for what died with the service, and what a person makes of it."""

from service.domain import events as e
from service.domain import ids
from service.domain.commands import (
    ApplyRecovery,
    CancelCampaign,
    CloseRecoveries,
    DeclineRecovery,
    DetectRecovery,
    Moment,
    RecoveryCommand,
)
from service.domain.decide.campaign import cancel
from service.domain.decide.consequence import limit_claims, settle_campaign
from service.domain.decide.decision import Consequence, Decision, of_unit
from service.domain.events import Fact
from service.domain.recovery import Recovery, abandoned
from service.domain.rejections import Conflict, NotFound
from service.domain.state import State
from service.domain.unit import Claim

DECLINED = "interrupted-not-resumed"


def detect(state: State, command: DetectRecovery, moment: Moment) -> Decision[None]:
    """Make one plan for a campaign of which every claim died while nobody could be heard."""
    campaign = state.campaigns.get(command.campaign)
    if campaign is None or campaign.over or any(row.open and row.campaign == campaign.name for row in state.recoveries.values()):
        return
    claims = [claim for claim in state.claims.values() if claim.campaign == campaign.name]
    dead = all(
        abandoned(claim, campaign.policy, moment.at, command.heard_since)
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


def held(state: State, row: Recovery) -> list[Claim]:
    """Return the claims of the plan's units of which nothing was heard since it was made."""
    units = (state.units.get((row.campaign, key)) for key in row.resumable)
    claims = (state.claims.get(unit.token) for unit in units if unit is not None and unit.token is not None)
    return [claim for claim in claims if claim is not None and claim.beat_at < row.detected_at]


def decided(state: State, command: RecoveryCommand) -> Decision[tuple[Recovery, list[Claim]]]:
    """Return the plan and what it is about; refuse one that is not open, or that has nothing left to decide."""
    row = state.recoveries.get(command.id)
    if row is None:
        raise NotFound(f"there is no recovery {command.id!r}", field="id", current=command.id)
    claims = held(state, row)
    if row.open and not claims:
        yield closed(row)
    if not row.open:
        raise Conflict(f"recovery {row.id!r} is {row.state}", field="state", current=row.state)
    return row, claims


def apply(state: State, command: ApplyRecovery, moment: Moment) -> Decision[None]:
    """Take the plan's units from their dead claims, neutrally: they are ready, and nothing is counted."""
    row, claims = yield from decided(state, command)
    units = tuple(claim.unit for claim in claims)
    yield Fact(e.RecoveryApplied(recovery=row.id, units=units, by=moment.actor), row.campaign)
    for claim in claims:
        yield from release(state, claim)
    yield from settle_campaign(state.campaigns[row.campaign], moment)


def release(state: State, claim: Claim) -> Consequence:
    """End one dead claim."""
    unit = state.units[claim.campaign, claim.unit]
    yield of_unit(unit, e.UnitReleased(token=claim.token, cause="recovery"), claim.worker)
    yield from limit_claims(state, unit)


def decline(state: State, command: DeclineRecovery, moment: Moment) -> Decision[None]:
    """End the campaign instead."""
    row, _ = yield from decided(state, command)
    yield Fact(e.RecoveryDeclined(recovery=row.id, by=moment.actor), row.campaign)
    yield from cancel(state, CancelCampaign(name=row.campaign, reason=DECLINED), moment)


def close(state: State, command: CloseRecoveries, _moment: Moment) -> Decision[None]:
    """Close the plans whose units have all moved on."""
    for known in command.ids:
        row = state.recoveries.get(known)
        if row is not None and row.open and not held(state, row):
            yield closed(row)


def closed(row: Recovery) -> Fact:
    """Return the end of a plan that nobody decided on."""
    return Fact(e.RecoveryClosed(recovery=ids.RecoveryId(row.id)), row.campaign)
