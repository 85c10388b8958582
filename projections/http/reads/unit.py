"""Reads of units: lists, one unit with its attempts, and why it is not running."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

import msgspec
from msgspec import Raw, Struct

from projections.http.reads.query_runner import READS, QueryRunner
from projections.views.unit.attempts import AttemptRecord, attempt_history
from projections.views.wave.card import FIRST
from service.domain import ids
from service.domain.claiming import Blocker, campaign_blockers, engine_blockers, unit_blockers
from service.domain.content.screen import plain
from service.domain.read_set import ReadSet
from service.domain.state import State
from service.store.log import codec, event_log
from service.store.state import rows
from service.store.state.loader import Loader

MAX_EVENTS = 10_000
LAST_POSITION = 2**63 - 1


class UnitListItem(Struct, kw_only=True):
    """A unit in a list; *attempts* counts executions that failed or are running, *token_active* tells of a current claim."""

    key: ids.UnitKey
    state: ids.UnitState
    group: int
    priority: int
    attempts: int
    parks: int
    claims: int
    worker: ids.WorkerId | None
    token_active: bool
    due_at: datetime | None
    resume_at: datetime | None
    error: str | None
    reason: str | None
    updated_at: datetime


class UnitView(Struct, kw_only=True):
    """A unit with its attempts; *attempt_count* counts those that failed or are running, *screen* is the last screen."""

    campaign: ids.CampaignName
    key: ids.UnitKey
    state: ids.UnitState
    group: int
    priority: int
    attempts: list[AttemptRecord]
    attempt_count: int
    parks: int
    claims: int
    worker: ids.WorkerId | None
    token_active: bool
    due_at: datetime | None
    resume_at: datetime | None
    error: str | None
    reason: str | None
    updated_at: datetime
    payload: Raw
    estimate_s: float | None
    kind: str
    fix_of: ids.UnitKey | None
    because_of: ids.UnitKey | None
    depends_on: list[ids.UnitKey]
    ready_at: datetime | None
    claimed_at: datetime | None
    session: str | None
    lease_until: datetime | None
    progress: float | None
    note: str | None
    output_at: datetime | None
    screen_id: str | None
    screen: str | None


class Explanation(Struct, kw_only=True):
    """Why a unit is not running: every blocker; there is none when it is *claimable*."""

    campaign: ids.CampaignName
    key: ids.UnitKey
    state: ids.UnitState
    claimable: bool
    blockers: list[Blocker]
    at: datetime
    position: int


class UnitFilter(Struct, frozen=True, kw_only=True):
    """Which units of a campaign a list shows."""

    state: str | None = None
    group: int | None = None
    q: str | None = None
    wave: int | None = None


async def campaign_exists(source: QueryRunner, campaign: ids.CampaignName) -> bool:
    """Tell whether there is such a campaign."""
    row = await source.row(READS.known, campaign)
    return row is not None and bool(row[0])


async def units(
    source: QueryRunner, campaign: ids.CampaignName, choice: UnitFilter, after: str, limit: int, at_least: int | None
) -> list[UnitListItem]:
    """Return the next units."""
    parameters: list[Any] = [campaign, after, choice.group, choice.q, limit]
    query = READS.units
    if choice.wave is not None:
        query = READS.units_of_first_wave if choice.wave == FIRST else READS.units_of_wave
        parameters += [choice.state] if choice.wave == FIRST else [choice.wave, choice.state]
    elif choice.state is not None:
        query = READS.units_in_state
        parameters.append(choice.state)
    rows = await source.fetch(query, *parameters, at_least=at_least)
    return [UnitListItem(**dict(row)) for row in rows]


async def unit_view(
    source: QueryRunner, campaign: ids.CampaignName, key: ids.UnitKey, at_least: int | None = None, *, painted: bool = False
) -> UnitView | None:
    """Return one unit with its attempts, None when there is none; with *painted*, its screen keeps terminal escapes."""
    async with source.connection(at_least) as connection:
        row = await connection.fetchrow(READS.unit, source.shard, campaign, key)
        if row is None:
            return None
        facts = await connection.fetch(READS.story, source.shard, campaign, key, 0, MAX_EVENTS)
        attempts = attempt_history(codec.fact(fact, source.shard) for fact in facts)
        stretches = stretches_without_usage(attempts)
        usages = await connection.fetch(READS.usages, source.shard, campaign, key, *stretches) if stretches else []
    usage_by_start = {begun: msgspec.json.decode(usage) for begun, usage in usages if usage is not None}
    for attempt in attempts:
        attempt.usage = attempt.usage or usage_by_start.get(attempt.position)
    fields = dict(row)
    fields["payload"] = Raw(fields["payload"].encode())
    if fields["screen"] and not painted:
        fields["screen"] = plain(fields["screen"])
    return UnitView(**fields, attempts=attempts)


def stretches_without_usage(attempts: Sequence[AttemptRecord]) -> tuple[list[int], list[int]] | None:
    """Return starts and ends in the log of those *attempts* whose end reports no usage; None when each reports some.

    The usage of these is read from their heartbeats.
    """
    stretches = pairwise([*(attempt.position for attempt in attempts), LAST_POSITION])
    without = [stretch for attempt, stretch in zip(attempts, stretches, strict=True) if attempt.usage is None]
    return ([begun for begun, _ in without], [ended for _, ended in without]) if without else None


async def explain(
    source: QueryRunner, campaign: ids.CampaignName, key: ids.UnitKey, at_least: int | None = None
) -> Explanation | None:
    """Return every reason why the unit is not claimed, by the same predicate as a claim."""
    async with source.connection(at_least) as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        now = await connection.fetchrow(event_log.QUERIES.moment, source.shard)
        assert now is not None, "every shard has an engine"
        state = State(rows.engine(now))
        loader = Loader(connection, source.shard, state, now["at"])
        await loader.load(ReadSet(campaigns=(campaign,), units=((campaign, key),)))
        await loader.unit_obstacles((campaign, key))
        unit, owner = state.units.get((campaign, key)), state.campaigns.get(campaign)
    if unit is None or owner is None:
        return None
    blockers = [
        *unit_blockers(state, owner, unit),
        *campaign_blockers(state, owner, "auto", now["at"]),
        *engine_blockers(state),
    ]
    return Explanation(
        campaign=campaign,
        key=key,
        state=unit.state,
        claimable=not blockers,
        blockers=blockers,
        at=now["at"],
        position=now["head"],
    )
