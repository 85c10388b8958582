"""What follows from the end of an attempt or a unit: investigations, the breaker, the end of the campaign."""

from typing import Literal

from service.domain import events as e
from service.domain import ids
from service.domain.campaign import Campaign, Counts
from service.domain.commands import DecisionContext
from service.domain.content.path_names import KEY_CHARS
from service.domain.decide.consequences.dependency import fail_dependents, in_rounds
from service.domain.decide.decision import Consequence, of_unit
from service.domain.investigation import fix_key
from service.domain.state import State
from service.domain.unit import Unit


def quarantine(
    state: State,
    unit: Unit,
    reason: ids.QuarantineReason,
    error: str | None,
    worker: ids.WorkerId | None,
    exit_code: int | None = None,
) -> Consequence:
    """Quarantine *unit*, skip what depends on it, and request an investigation where the policy says so."""
    body = e.UnitQuarantined(
        reason=reason,
        attempts=unit.attempts,
        error=error,
        worker=worker,
        screen_id=unit.screen_id,
        was=unit.state,
        first_ready_at=unit.first_ready_at,
        in_rounds=in_rounds(state, unit),
    )
    yield of_unit(unit, body, worker)
    yield from fail_dependents(state, unit)
    yield from investigate(state, unit, reason, exit_code)


def investigate(state: State, unit: Unit, reason: ids.QuarantineReason, exit_code: int | None) -> Consequence:
    """Request one investigation of a quarantined unit, where the policy wants it; a fix is never investigated."""
    if not state.campaigns[unit.campaign].policy.investigate or unit.kind == "fix":
        return
    why = omission(state, unit)
    if why is not None:
        yield of_unit(unit, e.InvestigationSkipped(investigation=None, why=why))
        return
    body = e.InvestigationRequested(
        reason=reason, attempts=unit.attempts, error=unit.error, exit_code=exit_code, screen_id=unit.screen_id
    )
    yield of_unit(unit, body)


def omission(state: State, unit: Unit) -> ids.Omission | None:
    """Return why *unit* is not investigated, None when it is."""
    key = fix_key(unit.key)
    if (unit.campaign, key) in state.units:
        return "fix_exists"
    if len(key) > KEY_CHARS:
        return "key_too_long"
    rows = state.investigations.values()
    under_way = any(row.open and row.unit == unit.key and row.campaign == unit.campaign for row in rows)
    return "under_way" if under_way else None


def withdraw(state: State, unit: Unit, why: ids.Omission) -> Consequence:
    """Take back the request to investigate *unit*, unless a worker has claimed it."""
    for row in tuple(state.investigations.values()):
        if row.state == "requested" and row.unit == unit.key and row.campaign == unit.campaign:
            yield of_unit(unit, e.InvestigationSkipped(investigation=row.id, why=why))


def limit_claims(state: State, unit: Unit) -> Consequence:
    """Quarantine a unit whose claim ended neutrally when it was the last that the policy allows."""
    if unit.claims >= state.campaigns[unit.campaign].policy.max_claims:
        error = unit.error or f"claimed {unit.claims} times without an end"
        yield from quarantine(state, unit, "max_claims", error, unit.worker)


def trip(campaign: Campaign) -> Consequence:
    """Open the breaker exactly at its threshold, once."""
    threshold = campaign.policy.breaker.threshold
    if campaign.tripped is None and campaign.consecutive >= threshold:
        yield e.Fact(e.BreakerTripped(failures=tuple(campaign.failures), threshold=threshold), campaign.name)


def outcome(counts: Counts) -> ids.Outcome:
    """Return how a campaign ended; *partial* is one of which units were skipped or cancelled."""
    if counts.quarantined:
        return "failed"
    return "achieved" if counts.done == counts.total else "partial"


def complete_campaign(campaign: Campaign, context: DecisionContext) -> Consequence:
    """Complete the campaign when it has units, none is open, and no fan-out is under way."""
    counts = campaign.counts
    if campaign.over or counts.open or campaign.open_fanouts or not counts.total:
        return
    units: dict[str, int] = {state: getattr(counts, state) for state in (*ids.FINAL_STATES, "quarantined")}
    duration = (context.at - (campaign.started_at or campaign.created_at)).total_seconds()
    yield e.Fact(e.CampaignCompleted(outcome=outcome(counts), units=units, duration=duration), campaign.name)


def settle_campaign(campaign: Campaign, context: DecisionContext) -> Consequence:
    """Draw the consequences of a unit's end for its campaign."""
    yield from trip(campaign)
    yield from complete_campaign(campaign, context)


def reopen(campaign: Campaign, cause: Literal["units_added", "retry"]) -> Consequence:
    """Open a completed campaign that has work again."""
    if campaign.completed_at is not None:
        yield e.Fact(e.CampaignReopened(cause=cause), campaign.name)
