"""Decisions about a campaign: its beginning, its edits, its switches, its end."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from service.domain import events as e
from service.domain import ids
from service.domain.campaign import Campaign
from service.domain.commands import (
    CancelCampaign,
    CancelRest,
    ClearQuarantine,
    ClearReply,
    CreateCampaign,
    DecisionContext,
    EditCampaign,
    PauseCampaign,
    ResetBreaker,
    ResumeCampaign,
)
from service.domain.decide.consequences.dependency import in_rounds, skip_orphan, unskip_dependents
from service.domain.decide.consequences.unit_end import complete_campaign, reopen, trip, withdraw
from service.domain.decide.decision import Consequence, Decider, Deciders, Decision, campaign_named, of_unit
from service.domain.decide.unit_import import add_new_units, require_consistent
from service.domain.events import Fact
from service.domain.policy import DEFAULT, merged
from service.domain.read_set import ReadSet
from service.domain.rejections import Conflict, PreconditionFailed, Unprocessable
from service.domain.state import State
from service.domain.unit import Unit

EDITABLE = ("title", "labels", "auto", "quota", "brief", "deadline")


def create(state: State, command: CreateCampaign, context: DecisionContext) -> Decision[None]:
    """Begin a campaign, with its first units in the same decision.

    Raises:
        Conflict: when the name is taken.

    """
    if command.name in state.campaigns:
        raise Conflict(f"the name {command.name!r} is taken", field="name", current=command.name)
    require_future(command.deadline, context)
    policy = merged(DEFAULT, command.policy)
    require_consistent({}, command.units)
    body = e.CampaignCreated(
        name=command.name,
        title=command.title or command.name,
        policy=policy,
        labels=command.labels,
        auto=command.auto,
        quota=command.quota,
        brief=command.brief,
        brief_rev=0 if command.brief is None else 1,
        deadline=in_utc(command.deadline),
    )
    yield Fact(body, command.name)
    yield from add_new_units(state, state.campaigns[command.name], command.units)


def in_utc(at: datetime | None) -> datetime | None:
    """Return a time in UTC, as the database returns it, so that later events show one text for cached and loaded rows."""
    return at and at.astimezone(UTC)


def require_future(deadline: datetime | None, context: DecisionContext) -> None:
    """Accept a deadline that lies in the future.

    Raises:
        Unprocessable: when the deadline has passed.

    """
    if deadline is not None and deadline <= context.at:
        raise Unprocessable("deadline must lie in the future", field="deadline", current=deadline.isoformat())


def edit(state: State, command: EditCampaign, context: DecisionContext) -> Decision[None]:
    """Change fields; the event holds old and new, and nothing is recorded where nothing changes.

    Raises:
        PreconditionFailed: when the campaign has another version than the order names.

    """
    campaign = campaign_named(state, command.name)
    if command.if_match is not None and command.if_match != campaign.version:
        raise PreconditionFailed(f"the campaign is at version {campaign.version}", field="If-Match", current=campaign.version)
    changes = {
        field: e.Change(getattr(campaign, field), new)
        for field, new in patched_fields(campaign, command.patch).items()
        if getattr(campaign, field) != new
    }
    if "deadline" in changes:
        require_future(changes["deadline"].new, context)
    if changes:
        brief_rev = campaign.brief_rev + ("brief" in changes)
        yield Fact(e.CampaignEdited(changes=changes, brief_rev=brief_rev), campaign.name)
        yield from trip(campaign)


def patched_fields(campaign: Campaign, patch: dict[str, Any]) -> dict[str, Any]:
    """Return the new values of the fields of *patch*; null restores a default."""
    fields = {field: value for field, value in patch.items() if field in EDITABLE}
    if "deadline" in fields:
        fields["deadline"] = in_utc(fields["deadline"])
    if "policy" in patch:
        fields["policy"] = DEFAULT if patch["policy"] is None else merged(campaign.policy, patch["policy"])
    if "labels" in patch:
        labels = {**campaign.labels, **(patch["labels"] or {})} if patch["labels"] is not None else {}
        fields["labels"] = {name: value for name, value in labels.items() if value is not None}
    defaults = {"title": campaign.name, "auto": True}
    return {field: defaults.get(field) if value is None else value for field, value in fields.items()}


def pause(state: State, command: PauseCampaign, context: DecisionContext) -> Decision[None]:
    """Stop new automatic claims; pausing twice is one pause."""
    campaign = uncancelled(state, command.name, "paused")
    if campaign.paused_at is None:
        yield Fact(e.CampaignPaused(reason=command.reason, by=context.actor), campaign.name)


def resume(state: State, command: ResumeCampaign, context: DecisionContext) -> Decision[None]:
    """Allow automatic claims again."""
    campaign = uncancelled(state, command.name, "resumed")
    if campaign.paused_at is not None:
        yield Fact(e.CampaignResumed(reason=command.reason, by=context.actor), campaign.name)


def uncancelled(state: State, name: ids.CampaignName, action: str) -> Campaign:
    """Return a campaign that has not been cancelled.

    Raises:
        Conflict: when it is cancelled.

    """
    campaign = campaign_named(state, name)
    if campaign.cancelled_at is not None:
        raise Conflict(f"campaign {name!r} is cancelled: it cannot be {action}", field="state", current="cancelled")
    return campaign


def reset_breaker(state: State, command: ResetBreaker, context: DecisionContext) -> Decision[None]:
    """Count from zero, re-arm, and kick one sweep."""
    campaign = campaign_named(state, command.name)
    if campaign.tripped is not None or campaign.consecutive:
        yield Fact(e.BreakerReset(cause="reset", by=context.actor, reason=command.reason), campaign.name)
        yield Fact(e.EngineSwept(cause="reset", by=context.actor), campaign.name)


def cancel(state: State, command: CancelCampaign, context: DecisionContext) -> Decision[None]:
    """End the campaign; the open units that are loaded end with it, the rest in the scheduler's next rounds.

    Raises:
        Conflict: when the campaign is completed.

    """
    campaign = campaign_named(state, command.name)
    if campaign.completed_at is not None:
        raise Conflict(f"campaign {campaign.name!r} is completed", field="state", current="completed")
    if campaign.cancelled_at is None:
        begun = campaign.started_at
        duration = None if begun is None else (context.at - begun).total_seconds()
        yield Fact(e.CampaignCancelled(reason=command.reason, by=context.actor, duration=duration), campaign.name)
        yield from cancel_open(state, campaign, command.reason, context)


def cancel_rest(state: State, command: CancelRest, context: DecisionContext) -> Decision[None]:
    """Cancel more open units of a cancelled campaign."""
    campaign = campaign_named(state, command.name)
    if campaign.cancelled_at is not None:
        yield from cancel_open(state, campaign, "campaign cancelled", context, only=frozenset(command.keys))


def cancel_open(
    state: State, campaign: Campaign, reason: str | None, context: DecisionContext, only: frozenset[ids.UnitKey] | None = None
) -> Consequence:
    """Cancel units that are not final; a worker that runs one gets the signal to stop with its next report."""
    final = ids.FINAL_STATES
    units = [u for u in state.units.values() if u.campaign == campaign.name and u.state not in final]
    for unit in units:
        if only is None or unit.key in only:
            yield from cancel_unit(unit, reason, context)


def cancel_unit(unit: Unit, reason: str | None, context: DecisionContext, *, in_rounds: bool = False) -> Consequence:
    """Cancel one unit, taking it from its worker first."""
    if unit.state == "running":
        assert unit.token is not None, "a running unit has a claim"
        yield of_unit(unit, e.UnitReleased(token=unit.token, cause="stop"), unit.worker)
    first = unit.first_ready_at
    body = e.UnitCancelled(reason=reason, by=context.actor, was=unit.state, first_ready_at=first, in_rounds=in_rounds)
    yield of_unit(unit, body)


def clear_quarantine(state: State, command: ClearQuarantine, context: DecisionContext) -> Decision[ClearReply]:
    """Send quarantined units back to work, under a new brief if one is given."""
    campaign = uncancelled(state, command.campaign, "retried")
    units = [state.units[campaign.name, key] for key in command.keys if (campaign.name, key) in state.units]
    units = [unit for unit in units if unit.state == "quarantined"]
    if command.brief is not None and command.brief != campaign.brief:
        change = e.Change(campaign.brief, command.brief)
        yield Fact(e.CampaignEdited(changes={"brief": change}, brief_rev=campaign.brief_rev + 1), campaign.name)
    yield from clear(state, campaign, units, command.bulk_id, command.reason, context)
    return ClearReply(len(units))


def clear(
    state: State, campaign: Campaign, units: Sequence[Unit], bulk_id: str | None, reason: str | None, context: DecisionContext
) -> Consequence:
    """Send quarantined units back, and unskip what was skipped for them; a unit with an unreachable dependency is skipped."""
    for unit in units:
        to: ids.UnitState = "blocked" if unit.waits_for else "ready"
        many = in_rounds(state, unit)
        yield of_unit(unit, e.QuarantineCleared(bulk_id=bulk_id, by=context.actor, reason=reason, to=to, in_rounds=many))
        yield from withdraw(state, unit, "retried")
    for unit in units:
        yield from skip_orphan(state, unit)
        if unit.state != "skipped":
            yield from unskip_dependents(state, unit)
    if units:
        yield from reopen(campaign, "retry")
    yield from complete_campaign(campaign, context)


def reads_name(command: PauseCampaign | ResumeCampaign | ResetBreaker) -> ReadSet:
    """Return the read set of a decision about a campaign alone."""
    return ReadSet(campaigns=(command.name,))


def reads_create(command: CreateCampaign) -> ReadSet:
    """Return whether the name is taken; units that are not there yet have no rows to read."""
    return ReadSet(campaigns=(command.name,), quotas=() if command.quota is None else (command.quota,))


def reads_edit(command: EditCampaign) -> ReadSet:
    """Return the campaign, and the quota that the patch names."""
    quota = command.patch.get("quota")
    return ReadSet(edited_campaigns=(command.name,), quotas=(ids.QuotaKey(quota),) if isinstance(quota, str) else ())


def reads_cancel(command: CancelCampaign) -> ReadSet:
    """Return the campaign with the units that go first."""
    return ReadSet(cancelled_campaigns=(command.name,))


def reads_cancel_rest(command: CancelRest) -> ReadSet:
    """Return the campaign and the units that go now; in a cancelled campaign nothing follows for their dependents."""
    return ReadSet(campaigns=(command.name,), units=tuple((command.name, key) for key in command.keys))


def reads_clear(command: ClearQuarantine) -> ReadSet:
    """Return the units that may come back, and with them what was skipped for them."""
    return ReadSet(campaigns=(command.campaign,), returning_units=tuple((command.campaign, key) for key in command.keys))


DECIDERS: Deciders = {
    CreateCampaign: Decider(create, reads_create),
    EditCampaign: Decider(edit, reads_edit),
    PauseCampaign: Decider(pause, reads_name),
    ResumeCampaign: Decider(resume, reads_name),
    CancelCampaign: Decider(cancel, reads_cancel),
    CancelRest: Decider(cancel_rest, reads_cancel_rest),
    ResetBreaker: Decider(reset_breaker, reads_name),
    ClearQuarantine: Decider(clear_quarantine, reads_clear),
}
