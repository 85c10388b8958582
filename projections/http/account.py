"""The ledger of a campaign, read from the log when somebody asks."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import datetime

import asyncpg
from msgspec import Struct

from projections.http.source import READS, Source
from projections.views.instant import microseconds
from projections.views.ledger import CAUSES, SURROUNDINGS, Cause, Ledger
from service.domain import ids
from service.domain.events import Recorded
from service.store import codec

PAGE = 5000
KINDS = [kind.kind for kind in SURROUNDINGS]


class Share(Struct, frozen=True):
    """What one cause took: microseconds of units, and its part of the whole."""

    cause: Cause
    us: int
    share: float


class LedgerView(Struct, kw_only=True, rename={"begin": "from", "end": "to"}):
    """Where the time of a campaign's open units went; the causes sum to *lifetime_us* exactly."""

    campaign: ids.CampaignName
    begin: datetime
    end: datetime
    lifetime_us: int
    causes: list[Share]
    position: int


async def ledger(source: Source, campaign: ids.CampaignName, begin: datetime, end: datetime) -> LedgerView:
    """Return where the time of *campaign* went between two instants, by the events up to the second."""
    made = Ledger(begin_us=microseconds(begin), end_us=microseconds(end))
    position = 0
    async with source.connection() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        around = facts(await connection.fetch(READS.surroundings, source.shard, KINDS, end), source.shard)
        async for page in pages(connection, source.shard, campaign, end):
            position = page[-1].position
            for event in merged(page, around):
                made.fold(event)
            await asyncio.sleep(0)
    while around:
        made.fold(around.pop())
    made.until(end)
    total = made.lifetime_us
    causes = [Share(cause, made.causes[cause], made.causes[cause] / total if total else 0.0) for cause in CAUSES]
    return LedgerView(
        campaign=campaign,
        begin=begin,
        end=end,
        lifetime_us=total,
        causes=sorted(causes, key=lambda share: -share.us),
        position=position,
    )


def facts(rows: Iterable[asyncpg.Record], shard: int) -> list[Recorded]:
    """Return rows as events, the last first: they are taken from the end."""
    return [codec.fact(row, shard) for row in rows][::-1]


async def pages(
    connection: asyncpg.pool.PoolConnectionProxy, shard: int, campaign: ids.CampaignName, end: datetime
) -> AsyncIterator[list[Recorded]]:
    """Yield the facts of a campaign up to *end*, page by page."""
    after = 0
    while rows := await connection.fetch(READS.campaign_facts, shard, campaign, after, end, PAGE):
        yield [codec.fact(row, shard) for row in rows]
        if len(rows) < PAGE:
            return
        after = rows[-1]["position"]


def merged(page: Iterable[Recorded], around: list[Recorded]) -> Iterator[Recorded]:
    """Yield the events of a page with those around them, in the order of the log."""
    for event in page:
        while around and around[-1].position < event.position:
            yield around.pop()
        yield event
