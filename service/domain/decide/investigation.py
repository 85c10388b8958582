"""Decisions about investigations: which worker gets one, for how long, and its result."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain

from service.domain import events as e
from service.domain import ids
from service.domain.campaign import Campaign
from service.domain.commands import (
    BlockedCampaign,
    ClaimReply,
    ClaimWork,
    ConcludeInvestigation,
    DecisionContext,
    EndInvestigations,
    Fix,
    Grant,
)
from service.domain.content.screen import plain
from service.domain.decide.consequences.unit_end import reopen
from service.domain.decide.decision import Consequence, Decider, Deciders, Decision, campaign_named, of_unit
from service.domain.events import Fact
from service.domain.investigation import LEASE, SCREEN_BYTES, Investigation, fix_key
from service.domain.read_set import ReadSet
from service.domain.rejections import Conflict, NotFound, Unprocessable
from service.domain.rules.claiming import engine_blockers, investigation_blockers, label_blockers, labels_of, worker_blockers
from service.domain.state import State
from service.domain.unit import Unit, object_or_empty
from service.terminal_output import last_lines


def claim_investigations(state: State, command: ClaimWork, context: DecisionContext) -> Decision[ClaimReply]:
    """Give the worker up to *max* investigations, the oldest first; they take no slot, and a full pool gives none."""
    for name in command.campaigns:
        campaign_named(state, name)
    grants: list[Grant] = []
    blocked: dict[ids.CampaignName, str] = {}
    for row in unclaimed_investigations(state, command.campaigns):
        if len(grants) >= command.max:
            break
        reason = blocked.get(row.campaign) or investigation_blocker(state, state.campaigns[row.campaign], command, context)
        if reason is not None:
            blocked[row.campaign] = reason
            continue
        fact = claim_fact(row, command, context, context.head + len(grants) + 1)
        yield fact
        grants.append(investigation_grant(state, row))
    given = {grant.campaign for grant in grants}
    return ClaimReply(tuple(grants), tuple(BlockedCampaign(name, why) for name, why in blocked.items() if name not in given))


def unclaimed_investigations(state: State, campaigns: tuple[ids.CampaignName, ...]) -> Iterator[Investigation]:
    """Yield the investigations that no worker has claimed, the oldest first."""
    rows = [
        row for row in state.investigations.values() if row.state == "requested" and (not campaigns or row.campaign in campaigns)
    ]
    yield from sorted(rows, key=lambda row: row.position)


def investigation_blocker(state: State, campaign: Campaign, command: ClaimWork, context: DecisionContext) -> str | None:
    """Return the first reason why this worker gets no investigation of *campaign*, None when it may."""
    worker = state.workers.get(command.worker)
    blockers = chain(
        engine_blockers(state),
        worker_blockers(worker),
        label_blockers(campaign, labels_of(worker, command.labels)),
        investigation_blockers(state, campaign, command.mode, context.at),
    )
    return next((blocker.reason for blocker in blockers), None)


def claim_fact(row: Investigation, command: ClaimWork, context: DecisionContext, place: int) -> Fact:
    """Return the claim of an investigation, which nothing renews."""
    body = e.InvestigationClaimed(
        investigation=row.id,
        token=ids.Token(f"{place:x}.{int(context.chance() * 2**53):014x}"),
        until=context.at + LEASE,
        waited=max((context.at - row.requested_at).total_seconds(), 0.0),
    )
    return Fact(body, row.campaign, row.unit, command.worker)


def investigation_grant(state: State, row: Investigation) -> Grant:
    """Return the claim as the worker receives it: the unit, and what it left behind."""
    unit, campaign = state.units[row.campaign, row.unit], state.campaigns[row.campaign]
    assert row.token is not None, "a claimed investigation has a token"
    assert row.until is not None, "a claimed investigation has an end"
    screen = state.screens.get(row.screen_id) if row.screen_id is not None else None
    return Grant(
        token=row.token,
        campaign=row.campaign,
        key=row.unit,
        payload=object_or_empty(unit.payload),
        attempt=row.attempts,
        brief=campaign.brief,
        brief_rev=campaign.brief_rev,
        lease_until=row.until,
        lease_s=LEASE.total_seconds(),
        resume_session=None,
        kind="investigation",
        investigation=row.id,
        error=row.error,
        exit_code=row.exit_code,
        screen=None if screen is None else last_lines(plain(screen), SCREEN_BYTES),
    )


def conclude(state: State, command: ConcludeInvestigation, context: DecisionContext) -> Decision[None]:
    """Record the result of an investigation: one new unit that mends the first, or none.

    Raises:
        NotFound: when there is no such investigation.
        Conflict: when it has ended.

    """
    row = state.investigations.get(command.id)
    if row is None:
        raise NotFound(f"there is no investigation {command.id!r}", field="id", current=command.id)
    yield from end(state, row, context)
    if not row.open:
        raise Conflict(f"investigation {row.id!r} has ended: it is {row.state}", field="state", current=row.state)
    unit = state.units[row.campaign, row.unit]
    if command.fix is None:
        yield empty_fact(row, "no_fix", command.root_cause, context)
    else:
        yield from mend(state, row, unit, command.fix, command.root_cause, context)


def mend(state: State, row: Investigation, unit: Unit, fix: Fix, root_cause: str | None, context: DecisionContext) -> Consequence:
    """Add the unit that mends *unit*, once.

    Raises:
        Unprocessable: when the fix has another key than the one it must have.

    """
    key, campaign = fix_key(unit.key), state.campaigns[row.campaign]
    if fix.key not in (None, unit.key, key):
        raise Unprocessable(f"the fix of unit {unit.key!r} is called {key!r}", field="unit.key", current=fix.key, allowed=[key])
    if (unit.campaign, key) in state.units:
        yield of_unit(unit, e.InvestigationSkipped(investigation=row.id, why="fix_exists"))
        return
    lasted = row.lasted(context.at)
    body = e.InvestigationProduced(investigation=row.id, fix_unit=key, root_cause=root_cause, duration=lasted)
    yield of_unit(unit, body, row.worker)
    new = e.NewUnit(key=key, payload=fix.payload, group=unit.group, priority=unit.priority, kind="fix", fix_of=unit.key)
    yield Fact(e.UnitsAdded(units=(new,)), campaign.name)
    yield from reopen(campaign, "units_added")


def empty_fact(row: Investigation, why: ids.Emptiness, root_cause: str | None, context: DecisionContext) -> Fact:
    """Return the end of an investigation without a fix."""
    body = e.InvestigationEmpty(investigation=row.id, root_cause=root_cause, why=why, duration=row.lasted(context.at))
    return Fact(body, row.campaign, row.unit, row.worker)


def end_investigations(state: State, command: EndInvestigations, context: DecisionContext) -> Decision[None]:
    """End the investigations that are overdue or whose campaign is cancelled."""
    for known in command.ids:
        if known in state.investigations:
            yield from end(state, state.investigations[known], context)


def end(state: State, row: Investigation, context: DecisionContext) -> Consequence:
    """End an investigation whose campaign is cancelled, or whose time is over."""
    if row.open and state.campaigns[row.campaign].cancelled_at is not None:
        body = e.InvestigationSkipped(investigation=row.id, why="cancelled")
        yield Fact(body, row.campaign, row.unit, row.worker)
    elif row.overdue(context.at):
        yield empty_fact(row, "timeout", None, context)


def reads_conclude(command: ConcludeInvestigation) -> ReadSet:
    """Return the investigation with its unit and the fix that it may have."""
    return ReadSet(investigations=(command.id,))


def reads_end_investigations(command: EndInvestigations) -> ReadSet:
    """Return the investigations."""
    return ReadSet(investigations=command.ids)


def investigation_counts(state: State, requests: Iterable[ClaimWork], at: datetime) -> Counter[ids.CampaignName]:
    """Return how many investigations of each loaded campaign *requests* can get; one where it only says why not."""
    counts: Counter[ids.CampaignName] = Counter()
    for request in requests:
        if request.kind == "investigation":
            for name in dict.fromkeys(request.campaigns or state.campaigns):
                campaign = state.campaigns.get(name)
                if campaign is not None:
                    counts[name] += 1 if any(investigation_blockers(state, campaign, request.mode, at)) else request.max
    return +counts


def units_of_investigations(state: State) -> set[ids.UnitId]:
    """Return the units of the loaded investigations, and the fixes that they may have."""
    rows = state.investigations.values()
    return {(row.campaign, key) for row in rows for key in (row.unit, fix_key(row.unit))}


def fixes_of(state: State, units: Iterable[ids.UnitId]) -> set[ids.UnitId]:
    """Return the fixes that *units* may have, as far as they are loaded; one that has its fix is not looked into again."""
    loaded = (state.units.get(known) for known in units)
    return {(unit.campaign, fix_key(unit.key)) for unit in loaded if unit is not None and unit.kind != "fix"}


def investigated_units(
    read_set: ReadSet, state: State, ordered: Iterable[ids.UnitId], claimed: Iterable[ids.UnitId]
) -> frozenset[ids.UnitId]:
    """Return the units whose open investigation a decision reads.

    The decision of a person on one of the *ordered* units may take it back (`withdraw`), whatever the policy says. The end of
    the claim on one of the *claimed* units only asks for one, where the policy says so, or may after an edit in this batch.
    """
    investigating = {row.name for row in state.campaigns.values() if row.policy.investigate}.union(read_set.edited_campaigns)
    return frozenset(ordered).union(known for known in claimed if known[0] in investigating)


DECIDERS: Deciders = {
    ConcludeInvestigation: Decider(conclude, reads_conclude),
    EndInvestigations: Decider(end_investigations, reads_end_investigations),
}
