"""Reads of investigations and recovery plans."""

from msgspec import Struct

from projections.http.reads.query_runner import READS, QueryRunner
from service.domain import ids
from service.domain.instant import Instant


class InvestigationView(Struct, kw_only=True):
    """An investigation: its unit, the worker that has it and until when, and its result; *why* it ended without one."""

    id: ids.InvestigationId
    campaign: ids.CampaignName
    unit: ids.UnitKey
    state: ids.InvestigationState
    reason: ids.QuarantineReason | None
    attempts: int
    error: str | None
    exit_code: int | None
    requested_at: Instant
    worker: ids.WorkerId | None
    claimed_at: Instant | None
    until: Instant | None
    ended_at: Instant | None
    fix_unit: ids.UnitKey | None
    root_cause: str | None
    why: str | None


class RecoveryView(Struct, kw_only=True):
    """A recovery plan: the units to resume, how many done units stay, the position of the campaign's last fact."""

    id: ids.RecoveryId
    campaign: ids.CampaignName
    resumable: list[ids.UnitKey]
    preserved: int
    last_position: int
    state: ids.RecoveryState
    detected_at: Instant
    ended_at: Instant | None
    by: str | None


async def investigations(
    source: QueryRunner, after: str, state: str | None, campaign: str | None, limit: int, at_least: int | None
) -> list[InvestigationView]:
    """Return the next investigations in the order of their requests."""
    rows = await source.fetch(READS.investigations, after, state, campaign, limit, at_least=at_least)
    return [InvestigationView(**dict(row)) for row in rows]


async def investigation(source: QueryRunner, known: ids.InvestigationId, at_least: int | None) -> InvestigationView | None:
    """Return one investigation."""
    row = await source.row(READS.investigation, known, at_least=at_least)
    return None if row is None else InvestigationView(**dict(row))


async def recoveries(source: QueryRunner, after: str, state: str, limit: int, at_least: int | None) -> list[RecoveryView]:
    """Return the next plans, oldest first."""
    rows = await source.fetch(READS.recoveries, after, state, limit, at_least=at_least)
    return [RecoveryView(**dict(row)) for row in rows]


async def recovery(source: QueryRunner, known: ids.RecoveryId, at_least: int | None) -> RecoveryView | None:
    """Return one plan."""
    row = await source.row(READS.recovery, known, at_least=at_least)
    return None if row is None else RecoveryView(**dict(row))
