"""`python -m ops.bench.baseline_sql WORKLOAD`: writes the same rows with plain SQL and prints its result as JSON.

The tables, indexes and partitions are those of the migrations, the transactions and the shard's lock those of the Writer:
two for a batch of units, one for a batch of heartbeats. The statements carry only what changes, and nothing is decided.
"""

import asyncio
import secrets
import subprocess
import sys
import time
from datetime import UTC, datetime
from typing import Any

import asyncpg
import msgspec
from msgspec import Struct

from ops.bench.environment import BenchError
from ops.bench.load import PATIENCE_S, LoadResult, shared
from service.store.db.queries import load

QUERIES = load("raw", package="ops.bench")
TRACE = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", "ea1f2c3d4b5a6978.1", "local/admin")
CLAIMED = (
    '{"token":"%s","fence":%d,"attempt":1,"mode":"auto","lease_until":"2026-01-01T00:05:00.123456Z","lease_s":300.0,'
    '"brief_rev":1,"resume_session":null,"waited":12.345678}'
)
COMPLETED = (
    '{"token":"%s","attempt":1,"result":{"ok":true},"evidence":null,"exit_code":0,"signal":null,"declared_result":null,'
    '"mapped_from":null,"usage":null,"duration":1.234567,"was":"running"}'
)


class SqlWorkload(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which rows to write, into which database, and how many."""

    kind: str
    dsn: str
    campaign: str
    connections: int
    batch: int
    count: int


class SqlClient:
    """One connection that writes batches of one campaign for one worker."""

    def __init__(self, connection: asyncpg.Connection, workload: SqlWorkload, number: int) -> None:
        self.connection = connection
        self.campaign = workload.campaign
        self.batch = workload.batch
        self.worker = f"raw-{number}"

    async def pair(self) -> int:
        """Claim a batch, then complete it."""
        async with self.connection.transaction():
            units, tokens = await self.claim()
        if units:
            async with self.connection.transaction():
                await self.complete(units, tokens)
        return len(units)

    async def moment(self) -> tuple[int, datetime]:
        """Take the shard; return the head of its log and the time."""
        await self.connection.fetchval(QUERIES.lock)
        head, at = await self.fetch_moment()
        return head, at

    async def fetch_moment(self) -> Any:  # noqa: ANN401 - a record of two
        """Return the row of the moment."""
        return await self.connection.fetchrow(QUERIES.moment)

    async def claim(self) -> tuple[list[str], list[str]]:
        """Write the claims of the next units; return both."""
        head, at = await self.moment()
        units = [row["key"] for row in await self.connection.fetch(QUERIES.candidates, self.campaign, self.batch)]
        tokens = [f"{head + place:x}.{secrets.token_hex(7)}" for place in range(1, len(units) + 1)]
        run = self.connection.execute
        if units:
            facts = [CLAIMED % (token, head + place) for place, token in enumerate(tokens, 1)]
            await run(QUERIES.append, head, "unit.claimed", self.campaign, self.worker, at, *TRACE, units, facts)
            await run(QUERIES.run_units, self.campaign, self.worker, at, units, tokens)
            await run(QUERIES.add_claims, self.campaign, self.worker, at, head, units, tokens)
            await run(QUERIES.count_claimed, self.campaign, len(units), head + len(units), at)
            await self.count(at, len(units), -len(units))
        return units, tokens

    async def complete(self, units: list[str], tokens: list[str]) -> None:
        """Write the completions of units."""
        head, at = await self.moment()
        run = self.connection.execute
        facts = [COMPLETED % token for token in tokens]
        await run(QUERIES.append, head, "unit.completed", self.campaign, self.worker, at, *TRACE, units, facts)
        await run(QUERIES.end_units, self.campaign, at, units)
        await run(QUERIES.end_claims, tokens)
        await run(QUERIES.count_done, self.campaign, len(units))
        await self.count(at, -len(units), 0)

    async def count(self, at: datetime, held: int, ready: int) -> None:
        """Count group, pool and worker."""
        await self.connection.execute(QUERIES.count_group, self.campaign, -ready, held)
        await self.connection.execute(QUERIES.count_engine, held)
        await self.connection.execute(QUERIES.count_worker, self.worker, at, held)

    async def beat(self, units: list[str], tokens: list[str], progress: float) -> int:
        """Write one heartbeat of each claim."""
        async with self.connection.transaction():
            head, at = await self.moment()
            run = self.connection.execute
            shares, outputs = [progress] * len(units), [datetime(2026, 1, 1, tzinfo=UTC)] * len(units)
            rows = (units, tokens, shares, outputs)
            await run(QUERIES.append_heartbeats, head, self.campaign, self.worker, at, *TRACE, *rows)
            await run(QUERIES.beat_claims, at, tokens, shares, outputs)
            await run(QUERIES.count_worker, self.worker, at, 0)
        return len(units)


async def pairs(workload: SqlWorkload, clients: list[SqlClient]) -> LoadResult:
    """Write claims and completions, until *count* units are done."""
    return await timed(clients, shared(workload.count, workload.batch, SqlClient.pair))


async def beats(workload: SqlWorkload, clients: list[SqlClient]) -> LoadResult:
    """Write heartbeats of the claims there are, until *count* are written."""
    claims = await clients[0].connection.fetch("SELECT unit, token FROM claims ORDER BY fence")
    batches = [claims[start : start + workload.batch] for start in range(0, len(claims), workload.batch)]
    columns = [([row["unit"] for row in batch], [row["token"] for row in batch]) for batch in batches]
    left = workload.count

    async def work(client: SqlClient) -> int:
        nonlocal left
        done = 0
        while left > 0:
            units, tokens = columns[left // workload.batch % len(columns)]
            left -= len(units)
            done += await client.beat(units, tokens, done / workload.count)
        return done

    return await timed(clients, work)


async def timed(clients: list[SqlClient], work: Any) -> LoadResult:  # noqa: ANN401 - a coroutine of a client
    """Run all clients concurrently; return how much they wrote and how long it took."""
    started = time.perf_counter()
    done = await asyncio.gather(*(work(client) for client in clients))
    return LoadResult(count=sum(done), seconds=time.perf_counter() - started)


async def run(workload: SqlWorkload) -> LoadResult:
    """Open the connections and write."""
    connections = [await asyncpg.connect(workload.dsn) for _ in range(workload.connections)]
    clients = [SqlClient(connection, workload, number) for number, connection in enumerate(connections)]
    try:
        for client in clients:
            await client.connection.execute(QUERIES.meet_worker, client.worker)
        return await {"pairs": pairs, "beats": beats}[workload.kind](workload, clients)
    finally:
        for connection in connections:
            await connection.close()


def written(workload: SqlWorkload) -> LoadResult:
    """Run *workload* in a process of its own."""
    line = [sys.executable, "-m", "ops.bench.baseline_sql"]
    ran = subprocess.run(line, input=msgspec.json.encode(workload), stdout=subprocess.PIPE, check=False, timeout=PATIENCE_S)
    if ran.returncode:
        raise BenchError(f"the raw workload {workload.kind} failed")
    return msgspec.json.decode(ran.stdout, type=LoadResult)


if __name__ == "__main__":
    import uvloop

    seen = uvloop.run(run(msgspec.json.decode(sys.stdin.buffer.read(), type=SqlWorkload)))
    sys.stdout.buffer.write(msgspec.json.encode(seen))
