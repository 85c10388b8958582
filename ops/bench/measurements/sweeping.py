"""How long the watcher looks at many live claims."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from statistics import median
from time import perf_counter

from ops.bench.environment import Ground
from ops.bench.load import Errand, sent
from ops.bench.measurements.scaling import worked
from ops.bench.row import Row
from service.loops.scheduler import Scheduler
from service.settings import Settings
from service.store.db.pool import open_connection, open_pool
from service.wakeup import Wakeup
from service.writer import Writer

CLAIMS, WORKERS, LOOKS = 10_000, 10, 25
MOST_MS = 100


def tick(ground: Ground) -> Iterator[Row]:
    """Look at ten thousand live claims."""
    with ground.database() as dsn:
        with worked(ground, dsn) as (muster, orchestrator):
            orchestrator.campaign("bench", CLAIMS)
            sent(Errand(kind="holds", targets=[(muster.url, "bench")], connections=WORKERS, batch=500, count=CLAIMS))
            orchestrator.settle()
        took = asyncio.run(looks(Settings(dsn=dsn)))
    yield Row(
        what=f"tick of the watcher over {CLAIMS:,} live claims, ms (issue 3)",
        ours=f"{took:.1f} ms",
        value=took,
        bound=MOST_MS,
        sense="at most",
    )


async def looks(settings: Settings) -> float:
    """Return the median of the milliseconds that a look takes."""
    took: list[float] = []
    async with await open_pool(settings) as pool:
        writer = Writer(partial(open_connection, settings, name="bench"))
        writing = asyncio.create_task(writer.run())
        scheduler = Scheduler(pool, writer, Wakeup(), settings.tick_s)
        for _ in range(LOOKS):
            began = perf_counter()
            await scheduler.sweep(datetime.now(UTC))
            took.append((perf_counter() - began) * 1000)
        writing.cancel()
    return median(took)
