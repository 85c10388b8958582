"""`python -m ops.bench.load WORKLOAD`: the load generator, in a process of its own; prints its result as JSON.

Requests are built before the clock starts, except for their tokens; tokens are cut out of responses, which are not parsed.
"""

import asyncio
import re
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec
import uvloop
from msgspec import Struct

from ops.bench.environment import BenchError
from ops.bench.http_client import HttpConnection, post

TOKEN = re.compile(rb'"token":"([^"]+)"')
PATIENCE_S = 900
T = TypeVar("T")
COMPLETED = b'{"type":"completed","exit_code":0,"result":{"ok":true},"token":"'
BEAT = b'{"type":"heartbeat","idle":false,"output_at":"2026-01-01T00:00:%02dZ","progress":0.%d,"token":"'


class Workload(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to send, how often and over how many connections; *targets* are pairs of service and campaign ("" for any)."""

    kind: str
    targets: list[tuple[str, str]]
    connections: int = 1
    count: int = 0
    batch: int = 1
    tokens: list[str] = []


class LoadResult(Struct, frozen=True, kw_only=True):
    """How many were done in how many seconds, the latencies by target, and the start and duration of each in *moments*."""

    count: int = 0
    seconds: float = 0.0
    latencies_ms: list[list[float]] = []
    moments: list[tuple[float, float]] = []

    @property
    def per_second(self) -> float:
        """Return the throughput."""
        return self.count / self.seconds


class LoadClient:
    """One connection that claims and completes batches for one worker."""

    def __init__(self, connection: HttpConnection, number: int, campaign: str, batch: int) -> None:
        self.connection = connection
        self.worker = b"bench-%d" % number
        campaigns = b'"campaigns":["%s"],' % campaign.encode() if campaign else b""
        self.claim = post("/v1/claims", b'{%s"worker":"%s","max":%d}' % (campaigns, self.worker, batch))

    async def claimed(self) -> list[bytes]:
        """Claim, and return the tokens."""
        return TOKEN.findall(await self.connection.ask(self.claim))

    async def reported(self, items: bytes, worker: bytes = b"") -> None:
        """Report *items*, all of which must be taken."""
        body = b'{"worker":"%s","reports":[%s]}' % (worker or self.worker, items)
        answer = await self.connection.ask(post("/v1/reports", body))
        if b'"ok":false' in answer:
            raise BenchError(f"a report was refused: {answer[:300]!r}")

    async def complete(self, tokens: list[bytes]) -> None:
        """Complete a batch."""
        await self.reported(b",".join(COMPLETED + token + b'"}' for token in tokens))

    async def pair(self) -> int:
        """Claim a batch, then complete it."""
        tokens = await self.claimed()
        if tokens:
            await self.complete(tokens)
        return len(tokens)

    async def single(self) -> int:
        """Claim one unit, then complete it as a shell script would."""
        (token,) = await self.claimed()
        await self.connection.ask(post(f"/v1/claims/{token.decode()}/complete", b'{"exit_code":0,"result":{"ok":true}}'))
        return 1


def shared(count: int, batch: int, step: Callable[[T], Awaitable[int]]) -> Callable[[T], Awaitable[int]]:
    """Return a loop for clients that share *count*: each runs *step* until none is left or a step finds nothing."""
    left = count

    async def work(one: T) -> int:
        nonlocal left
        done = 0
        while left > 0:
            left -= batch
            found = await step(one)
            if not found:
                break
            done += found
        return done

    return work


async def pairs(workload: Workload) -> LoadResult:
    """Claim a batch and complete it, until *count* units are done."""
    return await timed(workload, shared(workload.count, workload.batch, LoadClient.pair))


async def singles(workload: Workload) -> LoadResult:
    """Claim one unit and complete it, until *count* units are done."""
    return await timed(workload, shared(workload.count, 1, LoadClient.single))


async def holds(workload: Workload) -> LoadResult:
    """Claim *count* units and keep their claims; the clients take turns, a batch each."""
    clients = await open_clients(workload)
    count = 0
    while count < workload.count and (found := await clients[count // workload.batch % len(clients)].claimed()):
        count += len(found)
    return LoadResult(count=count)


async def beats(workload: Workload) -> LoadResult:
    """Send *count* heartbeats for the *tokens*, a batch of one worker in each request."""
    tokens = [token.encode() for token in workload.tokens]
    held = [tokens[start : start + workload.batch] for start in range(0, len(tokens), workload.batch)]
    sent = 0

    async def work(client: LoadClient) -> int:
        nonlocal sent
        done = 0
        while sent < workload.count:
            number, round_ = sent // workload.batch % len(held), sent // len(tokens)
            sent += len(held[number])
            beat = BEAT % (round_ % 60, round_ % 10)
            await client.reported(b",".join(beat + token + b'"}' for token in held[number]), b"bench-%d" % number)
            done += len(held[number])
        return done

    return await timed(workload, work)


async def single_beats(workload: Workload) -> LoadResult:
    """Send *count* heartbeats, one in each request, for the *tokens* in turn."""
    moments: list[tuple[float, float]] = []

    async def work(client: LoadClient) -> int:
        done = 0
        while len(moments) < workload.count:
            number = len(moments)
            token = workload.tokens[number % len(workload.tokens)].encode()
            beat = BEAT % (number % 60, number % 10)
            started = time.monotonic()
            await client.reported(beat + token + b'"}', b"bench-0")
            moments.append((started, time.monotonic() - started))
            done += 1
        return done

    seen = await timed(workload, work)
    return msgspec.structs.replace(seen, moments=moments)


async def latencies(workload: Workload) -> LoadResult:
    """Claim one unit of each target in turn, *count* times, and complete it outside the clock."""
    clients = await open_clients(workload)
    seen: list[list[float]] = [[] for _ in clients]
    for round_ in range(workload.count):
        for client, times in zip(clients, seen, strict=True):
            started = time.perf_counter()
            (token,) = await client.claimed()
            if round_:
                times.append((time.perf_counter() - started) * 1000)
            await client.complete([token])
    return LoadResult(count=workload.count, latencies_ms=seen)


async def open_clients(workload: Workload) -> list[LoadClient]:
    """Open the same number of connections to each target."""
    places = [target for target in workload.targets for _ in range(workload.connections)]
    return [
        LoadClient(await HttpConnection.open(url), number, campaign, workload.batch)
        for number, (url, campaign) in enumerate(places)
    ]


async def timed(workload: Workload, work: Callable[[LoadClient], Awaitable[int]]) -> LoadResult:
    """Run all clients concurrently; return how much they did and how long it took."""
    clients = await open_clients(workload)
    started = time.perf_counter()
    done = await asyncio.gather(*(work(client) for client in clients))
    return LoadResult(count=sum(done), seconds=time.perf_counter() - started)


KINDS = {workload.__name__: workload for workload in (pairs, singles, holds, beats, single_beats, latencies)}


def run_in_subprocess(workload: Workload) -> LoadResult:
    """Run *workload* in a subprocess.

    Raises:
        BenchError: the subprocess failed.
    """
    line = [sys.executable, "-m", "ops.bench.load"]
    ran = subprocess.run(line, input=msgspec.json.encode(workload), stdout=subprocess.PIPE, check=False, timeout=PATIENCE_S)
    if ran.returncode:
        raise BenchError(f"the workload {workload.kind} failed")
    return msgspec.json.decode(ran.stdout, type=LoadResult)


def main() -> None:
    """Read a workload, run it and print its result."""
    workload = msgspec.json.decode(sys.stdin.buffer.read(), type=Workload)
    seen = uvloop.run(KINDS[workload.kind](workload))
    sys.stdout.buffer.write(msgspec.json.encode(seen))


if __name__ == "__main__":
    main()
