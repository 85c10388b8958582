"""The time account of a campaign over any window: the time spent until its end minus the time spent until its start."""

from datetime import datetime
from typing import NamedTuple

import msgspec
from asyncpg.pool import PoolConnectionProxy
from msgspec import Struct

from projections.http.reads.query_runner import READS, QueryRunner
from projections.store import CAMPAIGN, ENGINE
from projections.views.campaign.time_account import CAUSES, Cause
from projections.views.measurement import microseconds
from projections.views.time_accounts.accounts import units_with_group
from projections.views.time_accounts.snapshot import SURROUNDINGS, AccountSnapshot, account_snapshot
from service.domain import ids
from service.domain.events import Recorded
from service.domain.instant import Instant
from service.domain.rejections import ReadUnavailable
from service.store.log import codec

KINDS = [kind.kind for kind in SURROUNDINGS]
MARK = msgspec.json.Decoder(AccountSnapshot)


class CauseShare(Struct, frozen=True):
    """The time of one cause: microseconds of units, and its share of the sum."""

    cause: Cause
    us: int
    share: float


class TimeAccountView(Struct, kw_only=True, rename={"begin": "from", "end": "to"}):
    """The time of a campaign's open units by cause; the causes sum to *lifetime_us* exactly."""

    campaign: ids.CampaignName
    begin: Instant
    end: Instant
    lifetime_us: int
    causes: list[CauseShare]
    position: int


class AccountHead(NamedTuple):
    """The newest snapshot of a campaign, with its position and generation."""

    shard: int
    generation: int
    position: int
    mark: AccountSnapshot


async def time_account(source: QueryRunner, campaign: ids.CampaignName, begin: datetime, end: datetime) -> TimeAccountView:
    """Return the time of *campaign* by cause between two instants, by the events up to the second one.

    The cost does not depend on the number of units: at most the events between two snapshots are read from the log.
    """
    async with source.connection() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        now = await latest_snapshot(connection, source.shard, campaign)
        until_end = await snapshot_at(connection, now, end)
        until_begin = await snapshot_at(connection, now, begin)
        dead_us = await dead_worker_us(connection, now, begin, end)
    spent = {cause: until_end.account.spent.get(cause, 0) - until_begin.account.spent.get(cause, 0) for cause in CAUSES}
    spent["working"] -= dead_us
    spent["dead_worker"] += dead_us
    total = sum(spent.values())
    causes = [CauseShare(cause, us, us / total if total else 0.0) for cause, us in spent.items()]
    causes.sort(key=lambda share: -share.us)
    return TimeAccountView(campaign=campaign, begin=begin, end=end, lifetime_us=total, causes=causes, position=until_end.position)


async def latest_snapshot(connection: PoolConnectionProxy, shard: int, campaign: ids.CampaignName) -> AccountHead:
    """Return the newest snapshot.

    Raises:
        ReadUnavailable: a rebuild has just replaced the views.

    """
    row = await connection.fetchrow(READS.ledger_now, shard, campaign)
    if row is None:
        raise ReadUnavailable("the views were rebuilt just now")
    engine_paused = row["engine"] is not None and ENGINE.decode(row["engine"]).paused_at is not None
    mark = account_snapshot(CAMPAIGN.decode(row["card"]), row["position"], row["closed"] or [], engine_paused=engine_paused)
    return AccountHead(shard, row["generation"], row["position"], mark)


async def snapshot_at(connection: PoolConnectionProxy, now: AccountHead, at: datetime) -> AccountSnapshot:
    """Return the snapshot of an instant: the last stored one before it, with the events since folded into it."""
    at_us = microseconds(at)
    if at_us >= now.mark.account.at_us:
        mark = msgspec.structs.replace(now.mark, account=now.mark.account.copy())
    else:
        row = await connection.fetchrow(READS.ledger_mark, now.shard, now.generation, now.mark.campaign, at_us)
        if row is None:
            return empty_snapshot(now.mark)
        mark = MARK.decode(row["mark"])
        upto = now.position if row["next"] is None else row["next"]
        events = await events_between(connection, now, mark, upto, at)
        groups = await groups_of(connection, now, mark, events)
        for event in events:
            mark.fold(event, groups)
            mark.position = event.position
    mark.advance(at_us)
    return mark


def empty_snapshot(mark: AccountSnapshot) -> AccountSnapshot:
    """Return the empty snapshot of a campaign before its creation."""
    return msgspec.structs.replace(mark, account=type(mark.account)(), position=0)


async def events_between(
    connection: PoolConnectionProxy, now: AccountHead, mark: AccountSnapshot, upto: int, at: datetime
) -> list[Recorded]:
    """Return the events from a snapshot up to an instant."""
    rows = await connection.fetch(READS.ledger_edge, now.shard, mark.campaign, mark.position, upto, at, KINDS)
    return [codec.fact(row, now.shard) for row in rows]


async def groups_of(
    connection: PoolConnectionProxy, now: AccountHead, mark: AccountSnapshot, events: list[Recorded]
) -> dict[ids.UnitKey, int]:
    """Return the groups of the units in *events* at the snapshot; empty when the campaign has only one group."""
    units: set[ids.UnitId] = {unit for event in events for unit in units_with_group(event)} if mark.account.groups else set()
    if not units:
        return {}
    keys = [key for _, key in units]
    rows = await connection.fetch(READS.ledger_groups, now.shard, now.generation, mark.campaign, keys, mark.position)
    return {row["unit"]: row["grp"] for row in rows}


async def dead_worker_us(connection: PoolConnectionProxy, now: AccountHead, begin: datetime, end: datetime) -> int:
    """Return how long units in a window were held by workers that were dead, as far as the log says so by its end."""
    where = now.shard, now.generation, now.mark.campaign
    begin_us, end_us = microseconds(begin), microseconds(end)
    reach_us = min(end_us, begin_us + now.mark.account.longest_us)
    before = await connection.fetchrow(READS.silence, *where, begin_us, reach_us)
    after = await connection.fetchrow(READS.silence, *where, end_us, end_us)
    assert before is not None, "an aggregate always answers"
    assert after is not None, "an aggregate always answers"
    return int(after["total_us"] - before["total_us"] - before["across_us"])
