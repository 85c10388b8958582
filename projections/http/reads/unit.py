"""Reads of units: lists, one unit with its attempts, and why it is not running."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Raw, Struct

from projections.http.reads.query_runner import READS, QueryRunner
from projections.views.unit.attempts import AttemptRecord, attempt_history, no_document
from projections.views.wave.card import FIRST
from service.domain import ids
from service.domain.content.screen import plain
from service.domain.instant import Instant
from service.domain.read_set import ReadSet
from service.domain.rules.claiming import Blocker, campaign_blockers, engine_blockers, unit_blockers
from service.domain.state import State
from service.domain.unit import object_or_empty
from service.store.log import codec, event_log
from service.store.state import rows
from service.store.state.loader import Loader

MAX_EVENTS = 10_000
LAST_POSITION = 2**63 - 1
MAX_SCREENS = 20
"""The last attempts whose screens stand in a unit, each of up to 64 KiB; the others have their `screen_id`."""


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
    due_at: Instant | None
    resume_at: Instant | None
    error: str | None
    reason: str | None
    updated_at: Instant


class UnitView(Struct, kw_only=True):
    """A unit: *attempts* counts as in a list, *history* has one record an execution, *screen* is the last one's text.

    *result*, *evidence* and *usage* are those of the last execution in its history that says any.
    """

    campaign: ids.CampaignName
    key: ids.UnitKey
    state: ids.UnitState
    group: int
    priority: int
    attempts: int
    parks: int
    claims: int
    worker: ids.WorkerId | None
    token_active: bool
    due_at: Instant | None
    resume_at: Instant | None
    error: str | None
    reason: str | None
    updated_at: Instant
    payload: Raw
    estimate_s: float | None
    kind: str
    fix_of: ids.UnitKey | None
    because_of: ids.UnitKey | None
    depends_on: list[ids.UnitKey]
    ready_at: Instant | None
    claimed_at: Instant | None
    session: str | None
    lease_until: Instant | None
    progress: float | None
    note: str | None
    output_at: Instant | None
    screen_id: str | None
    screen: str | None
    result: Raw
    evidence: Raw
    usage: dict[str, float] | None
    history: list[AttemptRecord]


class Explanation(Struct, kw_only=True):
    """Why a unit is not running: every blocker; there is none when it is *claimable*."""

    campaign: ids.CampaignName
    key: ids.UnitKey
    state: ids.UnitState
    claimable: bool
    blockers: list[Blocker]
    at: Instant
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
        history = attempt_history(codec.fact(fact, source.shard) for fact in facts)
        beats = await connection.fetch(READS.beats_of_attempts, source.shard, campaign, key, *stretches(history))
        shown = [attempt.screen_id for attempt in history if attempt.screen_id is not None][-MAX_SCREENS:]
        texts = await connection.fetch(event_log.QUERIES.screens, source.shard, shown) if shown else []
    screens = {row["screen_id"]: row["text"] for row in texts}
    said = {begun: (usage, session) for begun, usage, session in beats}
    for attempt in history:
        usage, attempt.session = said[attempt.position]
        attempt.usage = attempt.usage or (None if usage is None else msgspec.json.decode(usage))
        attempt.screen = readable(screens.get(attempt.screen_id), painted=painted)
    fields = dict(row)
    fields["payload"] = object_or_empty(Raw(fields["payload"].encode()))
    fields["screen"] = readable(fields["screen"], painted=painted)
    return UnitView(**fields, **last_outcome(history), history=history)


def stretches(history: Sequence[AttemptRecord]) -> tuple[list[int], list[int]]:
    """Return from where to where in the log each attempt went."""
    begun = [attempt.position for attempt in history]
    return begun, [*begun[1:], LAST_POSITION][: len(begun)]


def readable(screen: str | None, *, painted: bool) -> str | None:
    """Return the text of a screen, without what a terminal obeys unless it is to be *painted*."""
    return screen if painted or not screen else plain(screen)


def last_outcome(history: Sequence[AttemptRecord]) -> dict[str, Any]:
    """Return result, evidence and usage of a unit: each as the last attempt with one has it."""
    newest = history[::-1]
    return {
        "result": next((attempt.result for attempt in newest if attempt.outcome == "completed"), no_document()),
        "evidence": next((attempt.evidence for attempt in newest if attempt.outcome == "completed"), no_document()),
        "usage": next((attempt.usage for attempt in newest if attempt.usage is not None), None),
    }


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
