"""How events of campaigns and imports change the state."""

import msgspec
from msgspec import UNSET

from service.domain import events as e
from service.domain import ids
from service.domain.campaign import Campaign
from service.domain.evolve.folds import Folds
from service.domain.state import State
from service.domain.unit import Unit

UNITS_PER_EVENT = 1000
FIELD_TYPES = {field.name: field.type for field in msgspec.structs.fields(Campaign)}


def created(state: State, body: e.CampaignCreated, event: e.Recorded) -> None:
    """Create the campaign."""
    state.touched.campaigns.add(body.name)
    state.campaigns[body.name] = Campaign(
        name=body.name,
        title=body.title,
        policy=body.policy,
        labels=body.labels,
        auto=body.auto,
        quota=body.quota,
        brief=body.brief,
        brief_rev=body.brief_rev,
        deadline=body.deadline,
        version=1,
        created_at=event.at,
    )


def campaign_of(state: State, event: e.Recorded) -> Campaign:
    """Return the row of the campaign that the envelope names, with its version raised by one."""
    assert event.campaign is not None, "the envelope of a campaign's event names it"
    state.touched.campaigns.add(event.campaign)
    campaign = state.campaigns[event.campaign]
    campaign.version += 1
    return campaign


def edited(state: State, body: e.CampaignEdited, event: e.Recorded) -> None:
    """Change fields; a value read from the log is JSON and is converted to the type of its field."""
    campaign = campaign_of(state, event)
    for field, change in body.changes.items():
        setattr(campaign, field, msgspec.convert(change.new, FIELD_TYPES[field]))
    campaign.brief_rev = body.brief_rev


def paused(state: State, body: e.CampaignPaused, event: e.Recorded) -> None:
    """Stop automatic claims."""
    campaign = campaign_of(state, event)
    campaign.paused_at, campaign.paused_by, campaign.paused_reason = event.at, body.by, body.reason


def resumed(state: State, _body: e.CampaignResumed, event: e.Recorded) -> None:
    """Allow automatic claims again."""
    campaign = campaign_of(state, event)
    campaign.paused_at = campaign.paused_by = campaign.paused_reason = None


def breaker_tripped(state: State, _body: e.BreakerTripped, event: e.Recorded) -> None:
    """Trip the breaker at this position."""
    campaign_of(state, event).tripped = event.position


def breaker_reset(state: State, _body: e.BreakerReset, event: e.Recorded) -> None:
    """Re-arm the breaker, and count from zero."""
    campaign = campaign_of(state, event)
    campaign.tripped, campaign.consecutive, campaign.failures = None, 0, []


def completed(state: State, body: e.CampaignCompleted, event: e.Recorded) -> None:
    """Complete the campaign."""
    campaign = campaign_of(state, event)
    campaign.completed_at, campaign.outcome = event.at, body.outcome


def reopened(state: State, _body: e.CampaignReopened, event: e.Recorded) -> None:
    """Reopen the campaign."""
    campaign = campaign_of(state, event)
    campaign.completed_at = campaign.outcome = None


def cancelled(state: State, _body: e.CampaignCancelled, event: e.Recorded) -> None:
    """Cancel the campaign."""
    campaign_of(state, event).cancelled_at = event.at


def units_added(state: State, body: e.UnitsAdded, event: e.Recorded) -> None:
    """Add units in the order of the import, with an edge of the graph for each dependency."""
    assert event.campaign is not None, "the envelope of an import names the campaign"
    for seq, new in enumerate(body.units, event.position * UNITS_PER_EVENT):
        unit = Unit(
            campaign=event.campaign,
            key=new.key,
            state="blocked" if new.waits_for else "ready",
            group=new.group,
            priority=new.priority,
            seq=seq,
            payload=new.payload,
            estimate_s=new.estimate_s,
            kind=new.kind,
            fix_of=new.fix_of,
            waits_for=new.waits_for,
            ready_at=None if new.waits_for else event.at,
            first_ready_at=None if new.waits_for else event.at,
            updated_at=event.at,
        )
        state.add(unit)
    for new in body.units:
        for parent in new.depends_on:
            depend(state, state.units[event.campaign, new.key], parent)


def depend(state: State, unit: Unit, parent_key: ids.UnitKey) -> None:
    """Add the edge from *unit* to its dependency, which was imported earlier or in the same event."""
    parent = state.units.get((unit.campaign, parent_key))
    state.touched.edges.append((unit.campaign, parent_key, unit.key))
    state.children.setdefault((unit.campaign, parent_key), []).append(unit.key)
    state.parents.setdefault((unit.campaign, unit.key), []).append(parent_key)
    if parent is not None:
        parent.dependents += 1
        state.touched.units.add((parent.campaign, parent.key))


def units_updated(state: State, body: e.UnitsUpdated, event: e.Recorded) -> None:
    """Change units that nobody has started."""
    assert event.campaign is not None, "the envelope of an import names the campaign"
    for patch in body.units:
        unit = state.units[event.campaign, patch.key]
        state.touched.units.add((unit.campaign, unit.key))
        state.touched.payloads.add((unit.campaign, unit.key))
        unit.updated_at = event.at
        unit.payload = (
            unit.payload if patch.payload is UNSET else patch.payload.copy()
        )  # the Raw is a view that would keep the whole request body in memory
        unit.priority = unit.priority if patch.priority is UNSET else patch.priority
        unit.estimate_s = unit.estimate_s if patch.estimate_s is UNSET else patch.estimate_s
        if patch.group is not UNSET:
            state.regroup(unit, patch.group)


def exported(state: State, _body: e.DiagnosticExported, event: e.Recorded) -> None:
    """Note when a bundle was taken; the version of the campaign stays."""
    assert event.campaign is not None, "the envelope of an export names the campaign"
    state.touched.campaigns.add(event.campaign)
    state.campaigns[event.campaign].exported_at = event.at


FOLDS: Folds = {
    e.CampaignCreated: created,
    e.CampaignEdited: edited,
    e.CampaignPaused: paused,
    e.CampaignResumed: resumed,
    e.BreakerTripped: breaker_tripped,
    e.BreakerReset: breaker_reset,
    e.CampaignCompleted: completed,
    e.CampaignReopened: reopened,
    e.CampaignCancelled: cancelled,
    e.UnitsAdded: units_added,
    e.UnitsUpdated: units_updated,
    e.DiagnosticExported: exported,
}
