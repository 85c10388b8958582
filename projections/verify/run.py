"""The road of a verification: the tables against the log, the log against itself."""

import gc
from collections import Counter

import asyncpg
from msgspec import MsgspecError, Struct

from projections import store
from projections.projector import LogBroken
from projections.rebuild import check, prefetch
from projections.rebuild.run import SESSION
from projections.verify.audit import LogAudit
from service.store.db.queries import load
from service.store.log import event_log
from service.store.log.codec import UnknownEvent, kind_today

VERIFY = load("verify", package="projections")
UNREADABLE = (UnknownEvent, MsgspecError)
INVARIANTS = {
    "A1": "positions are gapless, time never goes back",
    "A2": "every unit is in exactly one state, and final where its campaign is over",
    "A3": "fences grow, one completion a unit, no report under a superseded token",
    "A4": "no command is recorded twice",
    "A5": "rows are the fold of the log, field by field",
    "A6": "counters are the events by kind",
    "A8": "attempts, delays and quarantines are what the history justifies",
    "A11": "never more units run than concurrency and pool allow",
}


class Finding(Struct, frozen=True):
    """What one invariant came to; without a *detail* it holds."""

    invariant: str
    detail: str | None

    def line(self) -> str:
        """Return it in one line."""
        sense = INVARIANTS[self.invariant]
        return (
            f"{self.invariant:<4} holds: {sense}"
            if self.detail is None
            else f"{self.invariant:<4} BROKEN: {sense}: {self.detail}"
        )


class LogUnreadable(RuntimeError):
    """The log holds an event that this Muster cannot read; the message says where."""


async def verify(dsn: str, shard: int = 0) -> list[Finding]:
    """Check every invariant that the log and the tables can show; the service may run meanwhile.

    Raises:
        LogUnreadable: at an event of a newer Muster, or one that was tampered with.

    """
    connection = await asyncpg.connect(dsn, server_settings=SESSION)
    try:
        broken = await walked(dsn, shard, connection)
        broken.setdefault("A1", await cut_off(connection, shard))
        broken |= {
            "A2": await states(connection, shard),
            "A4": await doubled(connection, shard),
            "A6": await counters(connection, shard),
        }
    finally:
        await connection.close()
    broken["A5"] = await compared(dsn, shard)
    return [Finding(invariant, broken.get(invariant)) for invariant in INVARIANTS]


async def compared(dsn: str, shard: int) -> str | None:
    """Return the first difference between the rows and the fold of the log, or why the log cannot be folded."""
    try:
        difference = await check(dsn, shard)
    except LogBroken as broken:
        return f"the log cannot be folded: {broken}"
    return None if difference is None else difference.line()


async def walked(dsn: str, shard: int, connection: asyncpg.Connection) -> dict[str, str | None]:
    """Return what a walk over the log found, by invariant: the first violation and how many there are."""
    audit = LogAudit()
    gc.disable()
    try:
        async with prefetch.lanes(dsn, SESSION) as lanes:
            head = await event_log.head(lanes[0], shard)
            async for page in prefetch.pages(lanes, shard, 0, head, whole=False):
                audit.walk(page)
    except UNREADABLE:
        raise LogUnreadable(await first_unreadable(connection, shard, audit.position)) from None
    finally:
        gc.enable()
    counts = Counter(violation.invariant for violation in audit.violations)
    first = {violation.invariant: violation for violation in reversed(audit.violations)}
    return {
        invariant: f"at position {violation.position}: {violation.detail} ({counts[invariant]} in all)"
        for invariant, violation in first.items()
    }


async def first_unreadable(connection: asyncpg.Connection, shard: int, after: int) -> str:
    """Return where the first event after *after* is that cannot be read, and why not."""
    for position in range(after, await event_log.head(connection, shard)):
        try:
            await event_log.read(connection, shard, position, 1)
        except UNREADABLE as error:
            return f"the event at position {position + 1} cannot be read: {error}"
    return f"an event after position {after} could not be read"


async def cut_off(connection: asyncpg.Connection, shard: int) -> str | None:
    """Return where the log ends, when the views have seen more of it."""
    seen = (await store.live(connection, shard)).position
    head = await event_log.head(connection, shard)
    return f"the log ends at position {head}, the views have seen {seen}" if seen > head else None


async def states(connection: asyncpg.Connection, shard: int) -> str | None:
    """Return where the units, the counts of their campaign and the imports in the log do not agree."""
    row = await connection.fetchrow(VERIFY.states, shard)
    if row is None:
        return None
    return f"campaign {row['name']!r}: {row['counted']} counted, {row['found']} there, {row['added']} added, {row['open']} open"


async def doubled(connection: asyncpg.Connection, shard: int) -> str | None:
    """Return which command was recorded twice, and where."""
    row = await connection.fetchrow(VERIFY.doubled, shard)
    if row is None:
        return None
    return f"command {row['causation']} is recorded at position {row['first']}, and again up to {row['last']}"


async def counters(connection: asyncpg.Connection, shard: int) -> str | None:
    """Return the first kind of event whose counter is not the number of such events up to the checkpoint."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        at = await store.live(connection, shard)
        series_store = await store.load_series(connection, at)
        counted = {
            labels[0]: row.value for (family, labels), row in series_store.series.items() if family == "muster_events_total"
        }
        rows = await connection.fetch(VERIFY.kinds, shard, at.position)
    there: Counter[str] = Counter()
    for row in rows:
        there[kind_today(row["kind"])] += row["count"]
    for kind in sorted(counted.keys() | there.keys()):
        if counted.get(kind, 0) != there.get(kind, 0):
            return f"{kind}: {counted.get(kind, 0)} counted, {there.get(kind, 0)} in the log"
    return None
