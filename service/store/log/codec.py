"""Events to rows of the log and back: facts as JSON, heartbeats as typed columns."""

from collections.abc import Iterable
from typing import Any

import asyncpg
import msgspec

from service.domain.events import KINDS, Event, Recorded, UnitHeartbeat, WorkerHeartbeat

ENCODER = msgspec.json.Encoder()
FORMER_KINDS = {"unit.spread": "unit.fanout"}
"""Kinds that an older log holds, each with its name of today, under which every reader shows it; nothing writes them now."""
READABLE: dict[str, type[Event]] = KINDS | {former: KINDS[kind] for former, kind in FORMER_KINDS.items()}
DECODERS: dict[str, msgspec.json.Decoder[Event]] = {kind: msgspec.json.Decoder(event) for kind, event in READABLE.items()}


def kind_today(stored: str) -> str:
    """Return the name that the kind *stored* in the log has today.

    >>> kind_today("unit.spread"), kind_today("unit.claimed")
    ('unit.fanout', 'unit.claimed')
    """
    return FORMER_KINDS.get(stored, stored)


def stored_kinds(kinds: Iterable[str]) -> list[str]:
    """Return every kind under which the log may hold events of *kinds*.

    >>> stored_kinds(["unit.fanout", "unit.claimed"])
    ['unit.fanout', 'unit.claimed', 'unit.spread']
    """
    today = list(kinds)
    return [*today, *(former for former, kind in FORMER_KINDS.items() if kind in today)]


class UnknownEvent(RuntimeError):
    """The log holds an event that this Muster does not know: a newer one wrote it."""


FACT_COLUMNS = (
    "shard",
    "position",
    "kind",
    "schema",
    "campaign",
    "unit",
    "worker",
    "recorded_at",
    "correlation_id",
    "span_id",
    "causation",
    "actor",
    "data",
)
HEARTBEAT_COLUMNS = (
    "shard",
    "position",
    "campaign",
    "unit",
    "worker",
    "recorded_at",
    "correlation_id",
    "span_id",
    "causation",
    "actor",
    "token",
    "progress",
    "note",
    "session",
    "idle",
    "alive",
    "output_at",
    "usage",
    "screen_id",
)


def fact_row(event: Recorded) -> tuple[Any, ...]:
    """Return a fact as `FACT_COLUMNS`."""
    body = event.body
    return (
        event.shard,
        event.position,
        body.kind,
        body.schema,
        event.campaign,
        event.unit,
        event.worker,
        event.at,
        event.correlation_id,
        event.span_id,
        event.causation,
        event.actor,
        ENCODER.encode(body).decode(),
    )


def heartbeat_row(event: Recorded) -> tuple[Any, ...]:
    """Return a heartbeat as `HEARTBEAT_COLUMNS`."""
    body = event.body
    envelope = (
        event.shard,
        event.position,
        event.campaign,
        event.unit,
        event.worker,
        event.at,
        event.correlation_id,
        event.span_id,
        event.causation,
        event.actor,
    )
    if isinstance(body, UnitHeartbeat):
        usage = None if body.usage is None else ENCODER.encode(body.usage).decode()
        said = (body.token, body.progress, body.note, body.session, body.idle, body.alive, body.output_at, usage, body.screen_id)
        return envelope + said
    assert isinstance(body, WorkerHeartbeat), "only heartbeats go here"
    return (*envelope, None, None, None, None, None, body.alive, None, None, None)


def fact(row: asyncpg.Record, shard: int = 0) -> Recorded:
    """Return a row of `events` as an event.

    Raises:
        UnknownEvent: for a kind or a schema version of a newer Muster.

    """
    position, kind, schema, campaign, unit, worker, at, correlation_id, span_id, causation, actor, data = row
    decoder = DECODERS.get(kind)
    if decoder is None or schema > READABLE[kind].schema:
        raise UnknownEvent(f"position {position} holds {kind} in version {schema}")
    return Recorded(position, at, decoder.decode(data), campaign, unit, worker, shard, correlation_id, span_id, causation, actor)


def heartbeat(row: asyncpg.Record, shard: int = 0) -> Recorded:
    """Return a row of `heartbeats` as an event."""
    position, campaign, unit, worker, at, correlation_id, span_id, causation, actor, *said = row
    body: Event
    if unit is None:
        body = WorkerHeartbeat(alive=said[5])
    else:
        token, progress, note, session, idle, alive, output_at, usage, screen_id = said
        body = UnitHeartbeat(
            token=token,
            progress=progress,
            note=note,
            session=session,
            idle=idle,
            alive=alive,
            output_at=output_at,
            usage=None if usage is None else msgspec.json.decode(usage),
            screen_id=screen_id,
        )
    return Recorded(position, at, body, campaign, unit, worker, shard, correlation_id, span_id, causation, actor)
