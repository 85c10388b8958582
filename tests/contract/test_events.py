"""Events and the log: every kind survives the way into the log and back, and keeps what it promised."""

import asyncpg
import msgspec
import pytest

from ops.generate.events import golden, lost, schemas
from service.domain import events as e
from service.store.log import codec, event_log
from tests.sample import BIRTH, Sampler


def recorded(position: int, kind: type[e.Event]) -> e.Recorded:
    """Return an event of *kind* with every field filled, of the body and of the envelope."""
    sampler = Sampler()
    body = sampler.struct(kind)
    worker_only = kind is e.WorkerHeartbeat
    campaign, unit = (None, None) if worker_only else (sampler.value(str), sampler.value(str))
    said = [sampler.value(str) for _ in range(5)]
    return e.Recorded(position, BIRTH, body, campaign, unit, said[0], 0, *said[1:])


def plain(event: e.Recorded) -> object:
    """Return all that an event says, as what JSON can say."""
    return msgspec.json.decode(msgspec.json.encode(event))


async def test_every_event_comes_back_from_the_log_as_it_went_in(pool: asyncpg.Pool) -> None:
    """Facts as JSON, heartbeats as columns, nothing lost in either."""
    events = [recorded(position, kind) for position, kind in enumerate(e.EVENTS, start=1)]
    async with pool.acquire() as connection:
        await event_log.append(connection, events)
        read = await event_log.read(connection, 0, 0, len(events) + 10)
        assert await event_log.head(connection) == len(events)
    assert [type(event.body) for event in read] == list(e.EVENTS)
    assert [plain(event) for event in read] == [plain(event) for event in events]


async def test_an_event_with_defaults_round_trips(pool: asyncpg.Pool) -> None:
    """What a heartbeat leaves out is not invented."""
    beat = e.Recorded(
        1, BIRTH, e.UnitHeartbeat(token=Sampler().value(str)), Sampler().value(str), Sampler().value(str), actor="a"
    )
    life = e.Recorded(2, BIRTH, e.WorkerHeartbeat(alive=False), worker=Sampler().value(str), actor="a")
    async with pool.acquire() as connection:
        await event_log.append(connection, [beat, life])
        assert await event_log.read(connection, 0, 0, 10) == [beat, life]


async def test_an_end_from_before_it_told_the_first_readiness_is_read_without_it(pool: asyncpg.Pool) -> None:
    """A new field is optional: logs are never rewritten."""
    async with pool.acquire() as connection:
        await connection.execute(
            "INSERT INTO events (shard, position, kind, schema, recorded_at, campaign, unit, actor, data)"
            " VALUES (0, 1, 'unit.cancelled', 1, $1::timestamptz, 'c', 'u', 'x', $2::jsonb)",
            BIRTH,
            '{"reason": null, "by": "me", "was": "ready"}',
        )
        [event] = await event_log.read(connection, 0, 0, 10)
    assert event.body == e.UnitCancelled(reason=None, by="me", was="ready")


@pytest.mark.parametrize(("kind", "schema"), [("unit.teleported", 1), ("unit.claimed", 2)])
async def test_an_event_of_a_newer_muster_is_refused_with_its_place(pool: asyncpg.Pool, kind: str, schema: int) -> None:
    """A reader that does not know what it reads stops, and says where."""
    async with pool.acquire() as connection:
        await connection.execute(
            "INSERT INTO events (shard, position, kind, schema, recorded_at, actor, data)"
            " VALUES (0, 1, $1::text, $2::smallint, $3::timestamptz, 'x', '{}')",
            kind,
            schema,
            BIRTH,
        )
        with pytest.raises(codec.UnknownEvent, match=f"position 1 holds {kind} in version {schema}"):
            await event_log.read(connection, 0, 0, 10)


def test_events_keep_every_field_of_the_golden_schemas() -> None:
    """Events are immutable: a rename or a removal breaks the logs that are already written."""
    assert golden()
    assert lost(golden(), schemas()) == []


def test_renamed_removed_and_narrowed_fields_are_breaking_and_additions_are_not() -> None:
    """The guard itself is tested."""
    old = {"unit.x v1": {"a": ["int"], "b": ["'auto'", "'manual'"]}}
    assert lost(old, {"unit.x v1": {"a": ["int"], "b": ["'auto'", "'manual'", "'new'"], "c": ["str"]}, "unit.y v1": {}}) == []
    assert lost(old, {"unit.x v1": {"a2": ["int"], "b": ["'auto'", "'manual'"]}}) == ["unit.x v1: a is gone"]
    assert lost(old, {"unit.x v1": {"a": ["str"], "b": ["'auto'"]}}) == [
        "unit.x v1: a no longer holds int",
        "unit.x v1: b no longer holds 'manual'",
    ]
    assert len(lost(old, {})) == 3
