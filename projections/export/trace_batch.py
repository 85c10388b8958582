"""The spans that ended within a range of the log: the lives of the units that moved there, folded."""

from collections.abc import Sequence
from itertools import groupby

import asyncpg
from msgspec import Struct

from projections.export.otlp_message import paced
from projections.store import Session
from projections.views.unit.trace import CLOSING, TOLD, Log, Root, Span, TracedUnit, spans
from service.domain.evolve.campaign import UNITS_PER_EVENT
from service.store.db.queries import load
from service.store.log import codec

QUERIES = load("traces", package="projections")
PAGE = 500
"""Facts that one page reaches over at most."""


class TraceBatch(Struct, frozen=True):
    """What the log says of the units that moved after one position and up to another, and who ordered them."""

    log: Log
    after: int
    upto: int
    lives: Sequence[asyncpg.Record] = ()
    orders: Sequence[asyncpg.Record] = ()

    def spans(self) -> list[Span]:
        """Return the spans that ended within the range, in the order of the log; the fold takes its time."""
        ordered = {TracedUnit(row["campaign"], row["unit"]): (row["trace_id"], row["span_id"]) for row in self.orders}
        found: list[Span] = []
        for (campaign, key), rows in paced(groupby(self.lives, lambda row: (row["campaign"], row["unit"]))):
            unit = TracedUnit(campaign, key)
            events = (codec.fact(row, self.log.shard) for row in rows)
            found += spans(self.log, Root.of(self.log, unit, ordered.get(unit)), events)
        return sorted((span for span in found if span.position > self.after), key=lambda span: span.position)


async def log_of(connection: Session, shard: int = 0) -> Log | None:
    """Return which log it is, None while it is empty."""
    born = await connection.fetchval(QUERIES.born, shard)
    return None if born is None else Log(born, shard)


async def read(connection: Session, log: Log, after: int, upto: int) -> TraceBatch:
    """Read what ended after *after* and up to *upto*, which is in the log."""
    units = await connection.fetch(QUERIES.units, log.shard, after, upto, CLOSING)
    if not units:
        return TraceBatch(log, after, upto)
    names = tuple(zip(*units, strict=True))
    lives = await connection.fetch(QUERIES.lives, log.shard, *names, after, upto, TOLD)
    orders = await connection.fetch(QUERIES.orders, log.shard, *names, UNITS_PER_EVENT)
    return TraceBatch(log, after, upto, lives, orders)
