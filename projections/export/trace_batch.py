"""The spans that ended within a range of the log, folded from the histories of the units that moved there."""

from collections.abc import Sequence
from itertools import groupby

import asyncpg
from msgspec import Struct

from projections.export.otlp_message import paced
from projections.store import Session
from projections.views.unit.trace import CLOSING, TRACED_KINDS, Log, Root, Span, TracedUnit, spans
from service.domain.evolve.campaign import UNITS_PER_EVENT
from service.store.db.queries import load
from service.store.log import codec

QUERIES = load("traces", package="projections")
PAGE = 500
"""Events that one page spans at most."""


class TraceBatch(Struct, frozen=True):
    """The histories of the units that moved within a range of positions, and the traces that they were added in."""

    log: Log
    after: int
    upto: int
    histories: Sequence[asyncpg.Record] = ()
    origins: Sequence[asyncpg.Record] = ()

    def spans(self) -> list[Span]:
        """Return the spans that ended within the range, in the order of the log; the fold pauses for other threads."""
        origins = {TracedUnit(row["campaign"], row["unit"]): (row["trace_id"], row["span_id"]) for row in self.origins}
        ended: list[Span] = []
        for (campaign, key), rows in paced(groupby(self.histories, lambda row: (row["campaign"], row["unit"]))):
            unit = TracedUnit(campaign, key)
            events = (codec.fact(row, self.log.shard) for row in rows)
            ended += spans(self.log, Root.of(self.log, unit, origins.get(unit)), events)
        return sorted((span for span in ended if span.position > self.after), key=lambda span: span.position)


async def log_of(connection: Session, shard: int = 0) -> Log | None:
    """Return the identity of the log, None while it is empty."""
    began = await connection.fetchval(QUERIES.first_recorded_at, shard)
    return None if began is None else Log(began, shard)


async def read(connection: Session, log: Log, after: int, upto: int) -> TraceBatch:
    """Read what ended after *after* and up to *upto*, which is in the log."""
    units = await connection.fetch(QUERIES.units, log.shard, after, upto, CLOSING)
    if not units:
        return TraceBatch(log, after, upto)
    names = tuple(zip(*units, strict=True))
    histories = await connection.fetch(QUERIES.histories, log.shard, *names, after, upto, TRACED_KINDS)
    origins = await connection.fetch(QUERIES.origins, log.shard, *names, UNITS_PER_EVENT)
    return TraceBatch(log, after, upto, histories, origins)
