"""The ledger of a campaign over any window: what was spent up to its end, without what was spent up to its begin."""

from datetime import datetime
from typing import NamedTuple

import msgspec
from asyncpg.pool import PoolConnectionProxy
from msgspec import Struct

from projections.http.reads.query_runner import READS, QueryRunner
from projections.store import CAMPAIGN, ENGINE
from projections.views.campaign.time_account import CAUSES, Cause
from projections.views.microseconds import microseconds
from projections.views.time_accounts.accounts import units_to_place
from projections.views.time_accounts.snapshot import SURROUNDINGS, AccountSnapshot, account_snapshot
from service.domain import ids
from service.domain.events import Recorded
from service.domain.instant import Instant
from service.domain.rejections import ReadUnavailable
from service.store.log import codec

KINDS = [kind.kind for kind in SURROUNDINGS]
MARK = msgspec.json.Decoder(AccountSnapshot)


class CauseShare(Struct, frozen=True):
    """What one cause took: microseconds of units, and its part of the whole."""

    cause: Cause
    us: int
    share: float


class TimeAccountView(Struct, kw_only=True, rename={"begin": "from", "end": "to"}):
    """Where the time of a campaign's open units went; the causes sum to *lifetime_us* exactly."""

    campaign: ids.CampaignName
    begin: Instant
    end: Instant
    lifetime_us: int
    causes: list[CauseShare]
    position: int


class AccountHead(NamedTuple):
    """A campaign at the end of what is folded."""

    shard: int
    generation: int
    position: int
    mark: AccountSnapshot


async def ledger(source: QueryRunner, campaign: ids.CampaignName, begin: datetime, end: datetime) -> TimeAccountView:
    """Return where the time of *campaign* went between two instants, by the events up to the second.

    It costs the same for any number of units: of the log no more is read than lies between two marks.
    """
    async with source.connection() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        now = await latest(connection, source.shard, campaign)
        until_end = await mark_at(connection, now, end)
        until_begin = await mark_at(connection, now, begin)
        silent_us = await silence(connection, now, begin, end)
    spent = {cause: until_end.ledger.spent.get(cause, 0) - until_begin.ledger.spent.get(cause, 0) for cause in CAUSES}
    spent["working"] -= silent_us
    spent["dead_worker"] += silent_us
    total = sum(spent.values())
    causes = [CauseShare(cause, us, us / total if total else 0.0) for cause, us in spent.items()]
    causes.sort(key=lambda share: -share.us)
    return TimeAccountView(campaign=campaign, begin=begin, end=end, lifetime_us=total, causes=causes, position=until_end.position)


async def latest(connection: PoolConnectionProxy, shard: int, campaign: ids.CampaignName) -> AccountHead:
    """Return the campaign as it is folded now."""
    row = await connection.fetchrow(READS.ledger_now, shard, campaign)
    if row is None:
        raise ReadUnavailable("the views were rebuilt just now")
    engine_paused = row["engine"] is not None and ENGINE.decode(row["engine"]).paused_at is not None
    mark = account_snapshot(CAMPAIGN.decode(row["card"]), row["position"], row["closed"] or [], engine_paused=engine_paused)
    return AccountHead(shard, row["generation"], row["position"], mark)


async def mark_at(connection: PoolConnectionProxy, now: AccountHead, at: datetime) -> AccountSnapshot:
    """Return the campaign as it was at an instant: from the last mark before it, and the few events since."""
    at_us = microseconds(at)
    if at_us >= now.mark.ledger.at_us:
        mark = msgspec.structs.replace(now.mark, ledger=now.mark.ledger.copy())
    else:
        row = await connection.fetchrow(READS.ledger_mark, now.shard, now.generation, now.mark.campaign, at_us)
        if row is None:
            return blank(now.mark)
        mark = MARK.decode(row["mark"])
        upto = now.position if row["next"] is None else row["next"]
        events = await edge(connection, now, mark, upto, at)
        groups = await groups_of(connection, now, mark, events)
        for event in events:
            mark.fold(event, groups)
            mark.position = event.position
    mark.until(at_us)
    return mark


def blank(mark: AccountSnapshot) -> AccountSnapshot:
    """Return a campaign before it began."""
    return msgspec.structs.replace(mark, ledger=type(mark.ledger)(), position=0)


async def edge(
    connection: PoolConnectionProxy, now: AccountHead, mark: AccountSnapshot, upto: int, at: datetime
) -> list[Recorded]:
    """Return the events from a mark up to an instant."""
    rows = await connection.fetch(READS.ledger_edge, now.shard, mark.campaign, mark.position, upto, at, KINDS)
    return [codec.fact(row, now.shard) for row in rows]


async def groups_of(
    connection: PoolConnectionProxy, now: AccountHead, mark: AccountSnapshot, events: list[Recorded]
) -> dict[ids.UnitKey, int]:
    """Return the groups that the units of some events were in at the mark, where these are told apart."""
    units: set[ids.UnitId] = {unit for event in events for unit in units_to_place(event)} if mark.ledger.groups else set()
    if not units:
        return {}
    keys = [key for _, key in units]
    rows = await connection.fetch(READS.ledger_groups, now.shard, now.generation, mark.campaign, keys, mark.position)
    return {row["unit"]: row["grp"] for row in rows}


async def silence(connection: PoolConnectionProxy, now: AccountHead, begin: datetime, end: datetime) -> int:
    """Return how long workers held units in a window and were gone, as far as the log said so by its end."""
    where = now.shard, now.generation, now.mark.campaign
    begin_us, end_us = microseconds(begin), microseconds(end)
    reach_us = min(end_us, begin_us + now.mark.ledger.longest_us)
    before = await connection.fetchrow(READS.silence, *where, begin_us, reach_us)
    after = await connection.fetchrow(READS.silence, *where, end_us, end_us)
    assert before is not None, "an aggregate always answers"
    assert after is not None, "an aggregate always answers"
    return int(after["total_us"] - before["total_us"] - before["across_us"])
