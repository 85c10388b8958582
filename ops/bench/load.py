"""`python -m ops.bench.load ERRAND`: the generator of load, a process of its own; prints what it saw as JSON.

Every request but its tokens is made before the clock starts; tokens are cut out of an answer, nothing is parsed.
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
from ops.bench.http_client import Wire, post

TOKEN = re.compile(rb'"token":"([^"]+)"')
PATIENCE_S = 900
T = TypeVar("T")
COMPLETED = b'{"type":"completed","exit_code":0,"result":{"ok":true},"token":"'
BEAT = b'{"type":"heartbeat","idle":false,"output_at":"2026-01-01T00:00:%02dZ","progress":0.%d,"token":"'


class Errand(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to do, how often and over how many connections; *targets* are service and campaign, "" for any."""

    kind: str
    targets: list[tuple[str, str]]
    connections: int = 1
    count: int = 0
    batch: int = 1
    tokens: list[str] = []


class Seen(Struct, frozen=True, kw_only=True):
    """What was seen: how many were done in how many seconds, how long each took by target; *moments* say when each began, too."""

    count: int = 0
    seconds: float = 0.0
    latencies_ms: list[list[float]] = []
    moments: list[tuple[float, float]] = []

    @property
    def pace(self) -> float:
        """How many a second."""
        return self.count / self.seconds


class Hand:
    """One connection and what it sends: to claim a batch, to complete one."""

    def __init__(self, wire: Wire, number: int, campaign: str, batch: int) -> None:
        self.wire = wire
        self.worker = b"bench-%d" % number
        campaigns = b'"campaigns":["%s"],' % campaign.encode() if campaign else b""
        self.claim = post("/v1/claims", b'{%s"worker":"%s","max":%d}' % (campaigns, self.worker, batch))

    async def claimed(self) -> list[bytes]:
        """Claim, and return the tokens."""
        return TOKEN.findall(await self.wire.ask(self.claim))

    async def reported(self, items: bytes, worker: bytes = b"") -> None:
        """Report *items*, all of which must be taken."""
        body = b'{"worker":"%s","reports":[%s]}' % (worker or self.worker, items)
        answer = await self.wire.ask(post("/v1/reports", body))
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
        await self.wire.ask(post(f"/v1/claims/{token.decode()}/complete", b'{"exit_code":0,"result":{"ok":true}}'))
        return 1


def shared(count: int, batch: int, step: Callable[[T], Awaitable[int]]) -> Callable[[T], Awaitable[int]]:
    """Return what each of several does who share *count*: a step for a batch until all is taken, or a step finds nothing."""
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


async def pairs(errand: Errand) -> Seen:
    """Claim a batch and complete it, until *count* units are done."""
    return await timed(errand, shared(errand.count, errand.batch, Hand.pair))


async def singles(errand: Errand) -> Seen:
    """Claim one unit and complete it, until *count* units are done."""
    return await timed(errand, shared(errand.count, 1, Hand.single))


async def holds(errand: Errand) -> Seen:
    """Claim *count* units and keep them, every hand a batch in turn."""
    crew = await hands(errand)
    count = 0
    while count < errand.count and (found := await crew[count // errand.batch % len(crew)].claimed()):
        count += len(found)
    return Seen(count=count)


async def beats(errand: Errand) -> Seen:
    """Beat for the *tokens*, of which every worker holds a batch, until *count* heartbeats are sent."""
    tokens = [token.encode() for token in errand.tokens]
    held = [tokens[start : start + errand.batch] for start in range(0, len(tokens), errand.batch)]
    sent = 0

    async def work(hand: Hand) -> int:
        nonlocal sent
        done = 0
        while sent < errand.count:
            number, round_ = sent // errand.batch % len(held), sent // len(tokens)
            sent += len(held[number])
            beat = BEAT % (round_ % 60, round_ % 10)
            await hand.reported(b",".join(beat + token + b'"}' for token in held[number]), b"bench-%d" % number)
            done += len(held[number])
        return done

    return await timed(errand, work)


async def pulses(errand: Errand) -> Seen:
    """Beat for one of the *tokens* after the other, a heartbeat a request, until *count* are sent."""
    moments: list[tuple[float, float]] = []

    async def work(hand: Hand) -> int:
        done = 0
        while len(moments) < errand.count:
            number = len(moments)
            token = errand.tokens[number % len(errand.tokens)].encode()
            beat = BEAT % (number % 60, number % 10)
            started = time.monotonic()
            await hand.reported(beat + token + b'"}', b"bench-0")
            moments.append((started, time.monotonic() - started))
            done += 1
        return done

    seen = await timed(errand, work)
    return msgspec.structs.replace(seen, moments=moments)


async def latencies(errand: Errand) -> Seen:
    """Claim one unit of each target in turn, *count* times, and complete it outside the clock."""
    crew = await hands(errand)
    seen: list[list[float]] = [[] for _ in crew]
    for round_ in range(errand.count):
        for hand, times in zip(crew, seen, strict=True):
            started = time.perf_counter()
            (token,) = await hand.claimed()
            if round_:
                times.append((time.perf_counter() - started) * 1000)
            await hand.complete([token])
    return Seen(count=errand.count, latencies_ms=seen)


async def hands(errand: Errand) -> list[Hand]:
    """Open the connections, as many to each target."""
    places = [target for target in errand.targets for _ in range(errand.connections)]
    return [Hand(await Wire.open(url), number, campaign, errand.batch) for number, (url, campaign) in enumerate(places)]


async def timed(errand: Errand, work: Callable[[Hand], Awaitable[int]]) -> Seen:
    """Let all hands work at once; return how much they did, and how long it took."""
    crew = await hands(errand)
    started = time.perf_counter()
    done = await asyncio.gather(*(work(hand) for hand in crew))
    return Seen(count=sum(done), seconds=time.perf_counter() - started)


KINDS = {errand.__name__: errand for errand in (pairs, singles, holds, beats, pulses, latencies)}


def sent(errand: Errand) -> Seen:
    """Run *errand* in a process of its own."""
    line = [sys.executable, "-m", "ops.bench.load"]
    ran = subprocess.run(line, input=msgspec.json.encode(errand), stdout=subprocess.PIPE, check=False, timeout=PATIENCE_S)
    if ran.returncode:
        raise BenchError(f"the errand {errand.kind} failed")
    return msgspec.json.decode(ran.stdout, type=Seen)


def main() -> None:
    """Read an errand, run it, print what was seen."""
    errand = msgspec.json.decode(sys.stdin.buffer.read(), type=Errand)
    seen = uvloop.run(KINDS[errand.kind](errand))
    sys.stdout.buffer.write(msgspec.json.encode(seen))


if __name__ == "__main__":
    main()
