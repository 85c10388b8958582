"""The log folded from nothing, and the tables held against it: what every scenario ends with.

`audit` proves A1 (gapless, in time), A3 (fences grow, one completion), A4 (no command twice), A5 (rows == fold) and
A11 (never a slot too many).
"""

from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from typing import Any

import asyncpg
import msgspec

from service.domain import events as e
from service.domain.campaign import Campaign, Counts, GroupCounts
from service.domain.engine import Engine
from service.domain.evolve import evolve
from service.domain.fanout import Fanout
from service.domain.investigation import Investigation
from service.domain.recovery import Recovery
from service.domain.state import State
from service.domain.unit import Claim, Unit
from service.domain.worker import Worker
from service.store.log import event_log
from service.store.log.event_log import Connection
from service.store.state import rows

PAGE = 5000
INQUIRIES = ("investigations", "recoveries")


async def events(connection: Connection, shard: int = 0) -> list[e.Recorded]:
    """Return the whole log."""
    head = await event_log.head(connection, shard)
    return [event async for page in event_log.pages(connection, shard, 0, head, PAGE) for event in page]


async def audit(pool: asyncpg.Pool) -> State:
    """Hold the tables against the log; return the state that the log alone gives."""
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        await connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")  # a fold of many events takes its time
        recorded = await events(connection)
        check_places(recorded)
        state = folded(recorded)
        await check_rows(connection, state)
    return state


def check_places(recorded: list[e.Recorded]) -> None:
    """A1, A3, A4: gapless positions, time that never goes back, growing fences, one completion a unit, no command twice."""
    assert [event.position for event in recorded] == list(range(1, len(recorded) + 1))
    assert all(earlier.at <= later.at for earlier, later in pairwise(recorded))
    fences: dict[tuple[str | None, str | None], int] = {}
    done: set[tuple[str | None, str | None]] = set()
    decided: dict[str | None, datetime] = {}
    for event in recorded:
        assert event.causation is None or decided.setdefault(event.causation, event.at) == event.at, event
        place = event.campaign, event.unit
        if isinstance(event.body, e.UnitClaimed):
            assert event.body.fence > fences.get(place, 0)
            assert event.body.fence == event.position
            fences[place] = event.body.fence
        elif isinstance(event.body, e.UnitCompleted):
            assert place not in done
            done.add(place)


def folded(recorded: list[e.Recorded]) -> State:
    """Return the state that the log gives; A11 holds after every event that adds a claim."""
    state = State()
    for event in recorded:
        evolve(state, event)
        if isinstance(event.body, e.UnitClaimed):
            assert event.campaign is not None
            campaign = state.campaigns[event.campaign]
            assert campaign.counts.running <= campaign.policy.concurrency
            assert state.engine.in_use <= state.engine.pool_size
    return state


async def check_rows(connection: Connection, state: State) -> None:
    """A5: every row of every table of the state is the fold's, field by field, and no other row is there."""
    stored = await stored_rows(connection)
    expected = state_rows(state)
    for table, have in stored.items():
        want = expected[table]
        assert set(have) == set(want), f"{table}: {sorted(set(have) ^ set(want), key=str)[:5]}"
        different = [(key, *fields) for key in have for fields in differing(have[key], want[key])]
        assert not different, f"{table}: (key, field, stored, folded) {different[:5]}"


def differing(have: Any, want: Any) -> Iterator[tuple[str, object, object]]:  # noqa: ANN401 - any row
    """Yield name and both values of the fields in which two rows differ; JSON is compared by what it says."""
    for field in have.__struct_fields__:
        mine, other = (plain(getattr(row, field)) for row in (have, want))
        if mine != other:
            yield field, mine, other


def plain(value: object) -> object:
    """Return what a raw JSON document says; anything else as it is."""
    return msgspec.json.decode(value) if isinstance(value, msgspec.Raw) else value


class Edge(msgspec.Struct, frozen=True):
    """One line of the dependency graph."""

    campaign: str
    parent: str
    child: str


def state_rows(state: State) -> dict[str, dict[Any, Any]]:
    """Return what the tables should hold, by table and key."""
    return {
        "engine": {0: state.engine},
        "campaigns": state.campaigns,
        "groups": {(row.campaign, row.group): row for groups in state.groups.values() for row in groups.values()},
        "units": state.units,
        "claims": state.claims,
        "workers": state.workers,
        "quotas": state.quotas,
        "investigations": state.investigations,
        "recoveries": state.recoveries,
        "fanouts": state.fanouts,
        "dependencies": {edge: Edge(*edge) for edge in state.touched.edges},
    }


def campaign(row: dict[str, Any]) -> Campaign:
    """Return a row of `campaigns`, by name."""
    counts = Counts(*(row.pop(state) for state in Counts.__struct_fields__))
    decoded = {"policy": rows.policy(row["policy"]), "labels": rows.LABELS.decode(row["labels"])}
    return Campaign(**row | decoded, counts=counts)


async def stored_rows(connection: Connection) -> dict[str, dict[Any, Any]]:
    """Return what the tables do hold, by table and key."""
    tables = ("engine", "campaigns", "groups", "units", "claims", "workers", "quotas", "dependencies", "fanouts", *INQUIRIES)
    found = {table: [without_shard(row) for row in await connection.fetch(f"SELECT * FROM {table}")] for table in tables}
    campaigns = [campaign(row) for row in found["campaigns"]]
    units = [Unit(**row | {"payload": msgspec.Raw(row["payload"])}) for row in found["units"]]
    claims = [Claim(**row) for row in found["claims"]]
    workers = [Worker(**row | {"labels": rows.LABELS.decode(row["labels"])}) for row in found["workers"]]
    quotas = [rows.quota(row) for row in found["quotas"]]
    engines: list[Engine] = [rows.engine(row) for row in found["engine"]]
    return {
        "engine": dict(enumerate(engines)),
        "campaigns": {row.name: row for row in campaigns},
        "groups": {(row["campaign"], row["grp"]): GroupCounts(*row.values()) for row in found["groups"]},
        "units": {(row.campaign, row.key): row for row in units},
        "claims": {row.token: row for row in claims},
        "workers": {row.worker: row for row in workers},
        "quotas": {row.key: row for row in quotas},
        "investigations": {row["id"]: Investigation(**row) for row in found["investigations"]},
        "recoveries": {row["id"]: Recovery(**row) for row in found["recoveries"]},
        "fanouts": {(row["campaign"], row["unit"]): Fanout(**row) for row in found["fanouts"]},
        "dependencies": {tuple(row.values()): Edge(**row) for row in found["dependencies"]},
    }


def without_shard(row: asyncpg.Record) -> Any:  # noqa: ANN401 - stands for a record
    """Return a record as a dictionary of what a row of the state holds."""
    names = {"grp": "group"} if "payload" in row else {}
    return {names.get(name, name): value for name, value in row.items() if name != "shard"}


async def now(pool: asyncpg.Pool) -> datetime:
    """Return the database's time."""
    at: datetime = await pool.fetchval(event_log.QUERIES.now)
    return at


async def kinds(pool: asyncpg.Pool, *prefixes: str) -> list[str]:
    """Return the kinds of the log's events that begin so, in order."""
    async with pool.acquire() as connection:
        return [event.body.kind for event in await events(connection) if event.body.kind.startswith(prefixes)]
