"""How fast a log is folded anew, against only fetching and decoding it."""

import asyncio
import sys
from collections.abc import Iterator
from statistics import median
from subprocess import DEVNULL, run
from time import perf_counter

import asyncpg

from ops.bench import history
from ops.bench.environment import BenchEnvironment, BenchError
from ops.bench.row import Row
from service.store.log import event_log

EVENTS = 1_000_000
PAGE = 5000
ROUNDS = 2


def rebuild(bench: BenchEnvironment) -> Iterator[Row]:
    """Rebuild state and views from a million events."""
    with bench.database() as dsn:
        count = asyncio.run(history.write(dsn, EVENTS))
        rounds = [(timed("-m", "service.cli", "rebuild", "--dsn", dsn), timed("-m", __name__, dsn)) for _ in range(ROUNDS)]
    ours, theirs = (count / median(seconds) for seconds in zip(*rounds, strict=True))
    yield Row(
        what=f"rebuild of {count:,} events, against fetching and decoding them",
        ours=f"{ours:,.0f} events/s",
        baseline=f"{theirs:,.0f} events/s",
        value=median(theirs_s / ours_s for ours_s, theirs_s in rounds),
        bound=0.3,
        sense="at least",
    )


def timed(*words: str) -> float:
    """Run a Python of ours to its end; return the seconds it took."""
    started = perf_counter()
    if run([sys.executable, *words], stdout=DEVNULL, check=False).returncode:
        raise BenchError(f"{words[1]} failed")
    return perf_counter() - started


async def read(dsn: str) -> None:
    """Fetch and decode the whole log, and drop it."""
    connection = await asyncpg.connect(dsn)
    try:
        head = await event_log.head(connection)
        read = 0
        async for events in event_log.pages(connection, 0, 0, head, PAGE):
            read += len(events)
    finally:
        await connection.close()
    if read != head:
        raise BenchError(f"read {read} of {head} events")


if __name__ == "__main__":
    asyncio.run(read(sys.argv[1]))
