"""Reads of the log: pages, and a stream that skips no event and repeats none."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from heapq import merge
from operator import attrgetter
from typing import Any

import asyncpg
import msgspec
from msgspec import Raw, Struct

from projections.http.reads.query_runner import READS, QueryRunner
from service.domain import ids
from service.domain.events import HEARTBEATS, KINDS, NewUnit, UnitsAdded
from service.domain.instant import Instant
from service.domain.rejections import ReadUnavailable
from service.store.log import codec, event_log

BEATS = tuple(event.kind for event in HEARTBEATS)
FACTS = tuple(kind for kind in KINDS if kind not in BEATS)
KEEP_ALIVE_S = 15.0
POLL_S = 0.2
PAGE = 1000
WINDOW = 50_000
"""Positions that one query of the stream covers at most: a filter that matches nothing must not scan the whole log at once."""


class LogEvent(Struct, kw_only=True):
    """An event as the API returns it."""

    position: int
    kind: str
    campaign: ids.CampaignName | None
    unit: ids.UnitKey | None
    worker: ids.WorkerId | None
    recorded_at: Instant
    correlation_id: str | None
    actor: str
    data: Raw


class WholeUnit(NewUnit, frozen=True, omit_defaults=False):
    """A unit of an import with every field; the log omits fields that have their default."""


class WholeImport(Struct, frozen=True):
    """The data of `units.added` as the API returns it."""

    units: tuple[WholeUnit, ...]


IMPORT = msgspec.json.Decoder(WholeImport)


class Filter(Struct, frozen=True, kw_only=True):
    """Which events match; None matches all."""

    campaign: str | None = None
    unit: str | None = None
    worker: str | None = None
    kinds: tuple[str, ...] | None = None


async def events(source: QueryRunner, after: int, upto: int, chosen: Filter, limit: int) -> list[LogEvent]:
    """Return the next *limit* events that match, up to position *upto*, which the log has already reached.

    Facts and heartbeats are in two tables with indexes of their own; each is read for a full page, and the two are merged.
    """
    what = (after, upto, limit, chosen.campaign, chosen.unit, chosen.worker)
    kinds = chosen.kinds
    facts: list[asyncpg.Record] = []
    beats: list[asyncpg.Record] = []
    async with source.connection() as connection, connection.transaction(readonly=True):
        await connection.execute(READS.custom_plans)
        if kinds is None or any(kind not in BEATS for kind in kinds):
            stored = None if kinds is None else codec.stored_kinds(kinds)
            facts = await connection.fetch(READS.facts, source.shard, *what, stored)
        beat_kinds = BEATS if kinds is None else tuple(kind for kind in kinds if kind in BEATS)
        if beat_kinds:
            alone = None if len(beat_kinds) == len(BEATS) else beat_kinds[0] == "worker.heartbeat"
            beats = await connection.fetch(READS.beats, source.shard, *what, alone)
    both = merge((fact(row) for row in facts), (beat(row) for row in beats), key=attrgetter("position"))
    return [event for event, _ in zip(both, range(limit), strict=False)]


def fact(row: asyncpg.Record | dict[str, Any]) -> LogEvent:
    """Return the event in a row of `facts`; a former kind gets its name of today."""
    fields = dict(row)
    data = fields["data"].encode()
    fields["kind"] = codec.kind_today(fields["kind"])
    fields["data"] = Raw(msgspec.json.encode(IMPORT.decode(data)) if fields["kind"] == UnitsAdded.kind else data)
    return LogEvent(**fields)


def beat(row: asyncpg.Record) -> LogEvent:
    """Return the event in a row of `beats`, with only those fields that the worker sent."""
    event = codec.heartbeat(row)
    data = {name: value for name, value in msgspec.structs.asdict(event.body).items() if value is not None}
    return LogEvent(
        position=event.position,
        kind=event.body.kind,
        campaign=event.campaign,
        unit=event.unit,
        worker=event.worker,
        recorded_at=event.at,
        correlation_id=event.correlation_id,
        actor=event.actor,
        data=Raw(msgspec.json.encode(data)),
    )


async def head(source: QueryRunner) -> int:
    """Return the last position of the log."""
    async with source.connection() as connection:
        return await event_log.head(connection, source.shard)


async def follow(source: QueryRunner, after: int, chosen: Filter, stopping: asyncio.Event) -> AsyncIterator[Sequence[LogEvent]]:
    """Yield pages of events after *after* that match, as they come; an empty page keeps an idle connection open.

    While the database is away, it waits.
    """
    clock = asyncio.get_running_loop().time
    quiet_since = clock()
    while not stopping.is_set():
        try:
            # the leader's projector knows the head without a query; the other replicas ask the database
            reached = source.projector.position if source.projector.leads else await head(source)
            upto = min(reached, after + WINDOW)
            found = await uncancelled_page(source, after, upto, chosen) if upto > after else []
        except ReadUnavailable:
            upto, found = after, []
        after = found[-1].position if len(found) == PAGE else max(upto, after)
        if found:
            yield found
            quiet_since = clock()
        elif clock() - quiet_since >= KEEP_ALIVE_S:
            yield ()
            quiet_since = clock()
        if upto <= after and len(found) < PAGE:
            await source.projector.wait_for_move(POLL_S)


async def uncancelled_page(source: QueryRunner, after: int, upto: int, chosen: Filter) -> list[LogEvent]:
    """Return the next page. When the client leaves, the read still runs to its end: its cancellation would break the rollback."""
    return await asyncio.shield(events(source, after, upto, chosen, PAGE))


def frames(found: Sequence[LogEvent]) -> bytes:
    """Return a page as server-sent events, an empty one as a comment."""
    if not found:
        return b": keep-alive\n\n"
    return b"".join(
        b"id: %d\nevent: %s\ndata: %s\n\n" % (event.position, event.kind.encode(), msgspec.json.encode(event)) for event in found
    )
