"""The scheduler: turns the passing of time into commands, which go through the same Writer as all others."""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime
from time import monotonic

import asyncpg

from service.domain import commands as c
from service.domain import ids, recovery
from service.domain.ids import SHARD
from service.domain.rejections import WriteUnavailable
from service.loops.sweep import SweepObserver, observed_sweep
from service.store.db.outage_log import OutageLog
from service.store.db.pool import is_lost
from service.store.db.queries import load
from service.store.log import event_log
from service.store.state import fanout
from service.store.state.loader import QUERIES as STATE
from service.store.state.loader import ROUND
from service.submission import in_new_trace
from service.wakeup import Wakeup
from service.writer import Writer

LOG = logging.getLogger(__name__)
QUERIES = load("scheduler")
LONGEST_NAP_S = 1.0
SHORTEST_NAP_S = 0.005
RETIRE_S = 3600.0
SWEEPS = ("retry", "quota", "inquiry", "reaper")
"""The order matters: `inquiry` puts dead claims into a recovery plan before `reaper` expires their leases, and `reaper` expires
them in the same round in which `inquiry` closes the plan."""
JUDGEMENT = "heartbeat"
"""The sweep of every tick; the others run whenever something may be due."""


class Scheduler:
    """Orders what is due by the clock of the database: deadlines when they pass, workers and watchdogs every tick."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        writer: Writer,
        wakeup: Wakeup,
        tick_s: float,
        observer: SweepObserver | None = None,
    ) -> None:
        self._pool = pool
        self._writer = writer
        self._wakeup = wakeup
        self._tick_s = tick_s
        self._observer = observer
        self._outage_log = OutageLog(LOG, "the scheduler has the database again")

    async def run(self, heard_since: Callable[[], datetime]) -> None:
        """Sweep until cancelled; while the database is away, try again."""
        tick_at = monotonic()
        while True:
            wakeups_seen = self._wakeup.count
            nap = LONGEST_NAP_S
            try:
                now = monotonic()
                await self.sweep(heard_since(), tick=now >= tick_at)
                self._outage_log.report_recovery()
                tick_at = now + self._tick_s if now >= tick_at else tick_at
                nap = min(await self.seconds_to_deadline(heard_since()), max(tick_at - monotonic(), SHORTEST_NAP_S))
            except WriteUnavailable:
                self._outage_log.report_outage("the scheduler waits for the database")
            except Exception as error:
                if not is_lost(error):
                    LOG.exception("the scheduler failed")
            await self._wakeup.after(wakeups_seen, nap)

    async def sweep(self, heard_since: datetime, *, tick: bool = True) -> None:
        """Order everything that is due now; with *tick*, also judge workers and watchdogs."""
        for sweep in (*SWEEPS, *([JUDGEMENT] if tick else [])):
            with observed_sweep(self._observer, sweep):
                async with self._pool.acquire() as connection:
                    now = await connection.fetchval(event_log.QUERIES.now)
                    due = await self.due_commands(sweep, connection, now, heard_since)
                # ten commands a transaction: a larger one would delay the heartbeats that wait behind it
                for start in range(0, len(due), 10):
                    await self._writer.submit(due[start : start + 10], in_new_trace("watcher"))

    async def due_commands(
        self, sweep: str, connection: asyncpg.pool.PoolConnectionProxy, now: datetime, heard_since: datetime
    ) -> list[c.Command]:
        """Return the commands of one sweep."""
        match sweep:
            case "retry":
                return await self.due_units(connection, QUERIES.due_retries, c.ReleaseRetries, now)
            case "quota":
                parked = await self.due_units(connection, QUERIES.due_parked, c.ResumeParked, now)
                return parked + await self.due_units(connection, QUERIES.freed, c.ResumeParked, now)
            case "reaper":
                return await self.due_claims(connection, now, heard_since)
            case "inquiry":
                return await self.due_inquiries(connection, now, heard_since)
            case _:
                return await self.due_judgements(connection, now, heard_since)

    async def due_units(
        self,
        connection: asyncpg.pool.PoolConnectionProxy,
        query: str,
        order: type[c.ReleaseRetries | c.ResumeParked],
        now: datetime,
    ) -> list[c.Command]:
        """Return one command for each campaign with units that are due."""
        due: dict[ids.CampaignName, list[ids.UnitKey]] = defaultdict(list)
        for campaign, key in await connection.fetch(query, SHARD, now, ROUND):
            due[campaign].append(key)
        return [order(campaign=campaign, keys=tuple(keys)) for campaign, keys in due.items()]

    async def due_claims(
        self, connection: asyncpg.pool.PoolConnectionProxy, now: datetime, heard_since: datetime
    ) -> list[c.Command]:
        """Return the commands that end lapsed leases, open gates, and continue cancellations and fan-outs in rounds."""
        orders: list[c.Command] = []
        if tokens := column(await connection.fetch(QUERIES.lapsed, SHARD, now, ROUND, heard_since)):
            orders.append(c.ExpireLeases(tokens=tokens, heard_since=heard_since))
        if gates := column(await connection.fetch(QUERIES.due_gates, SHARD, now)):
            orders.append(c.OpenGates(quotas=gates))
        for campaign in column(await connection.fetch(QUERIES.cancelled, SHARD, ROUND)):
            keys = column(await connection.fetch(STATE.open_units, SHARD, campaign, ROUND))
            orders.append(c.CancelRest(name=campaign, keys=keys))
        if units := next_round(await connection.fetch(fanout.QUERIES.oldest_fanouts, SHARD, ROUND)):
            orders.append(c.FanOutUnits(units=units))
        return orders

    async def due_inquiries(
        self, connection: asyncpg.pool.PoolConnectionProxy, now: datetime, heard_since: datetime
    ) -> list[c.Command]:
        """Return the commands that end investigations, plan the recovery of claims that died unheard, and close plans."""
        orders: list[c.Command] = []
        if over := column(await connection.fetch(QUERIES.over, SHARD, now, ROUND)):
            orders.append(c.EndInvestigations(ids=over))
        for campaign, last_position in await connection.fetch(QUERIES.abandoned, SHARD, now, heard_since):
            orders.append(c.DetectRecovery(campaign=campaign, last_position=last_position, heard_since=heard_since))
        if plans := column(await connection.fetch(QUERIES.needless, SHARD, now - recovery.PATIENCE, heard_since)):
            orders.append(c.CloseRecoveries(ids=plans, heard_since=heard_since))
        return orders

    async def due_judgements(
        self, connection: asyncpg.pool.PoolConnectionProxy, now: datetime, heard_since: datetime
    ) -> list[c.Command]:
        """Return the commands that judge silent workers, and then revoke claims of dead workers and those a watchdog ends."""
        orders: list[c.Command] = []
        if workers := column(await connection.fetch(QUERIES.silent, SHARD, now)):
            orders.append(c.JudgeWorkers(workers=workers, heard_since=heard_since, retire_s=RETIRE_S))
        if tokens := column(await connection.fetch(QUERIES.suspects, SHARD, now, ROUND, heard_since)):
            orders.append(c.RevokeClaims(tokens=tokens, heard_since=heard_since, tick_s=self._tick_s))
        return orders

    async def seconds_to_deadline(self, heard_since: datetime) -> float:
        """Return the seconds until the next deadline, at most one second."""
        async with self._pool.acquire() as connection:
            now = await connection.fetchval(event_log.QUERIES.now)
            soonest = await connection.fetchval(QUERIES.soonest, SHARD, heard_since, now)
        wait = LONGEST_NAP_S if soonest is None else (soonest - now).total_seconds()
        return min(max(wait, SHORTEST_NAP_S), LONGEST_NAP_S)


def next_round(rows: Iterable[asyncpg.Record]) -> tuple[ids.UnitId, ...]:
    """Return the next units whose dependents together fill one round of the fan-out."""
    units: list[ids.UnitId] = []
    left = fanout.ROUND
    for campaign, unit, dependents in rows:
        if left <= 0:
            break
        units.append((campaign, unit))
        left -= dependents
    return tuple(units)


def column(rows: Iterable[asyncpg.Record]) -> tuple:  # type: ignore[type-arg] # each query has its own kind of name
    """Return the only column of *rows*."""
    return tuple(row[0] for row in rows)
