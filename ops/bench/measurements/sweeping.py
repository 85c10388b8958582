"""How long a sweep of the scheduler takes over many live claims."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from statistics import median
from time import perf_counter

from ops.bench.environment import BenchEnvironment
from ops.bench.load import Workload, run_in_subprocess
from ops.bench.measurements.scaling import worked
from ops.bench.row import Row
from service.loops.scheduler import Scheduler
from service.settings import Settings
from service.store.db.pool import open_connection, open_pool
from service.wakeup import Wakeup
from service.writer import Writer

CLAIMS, WORKERS, SWEEPS = 10_000, 10, 25
MOST_MS = 100


def tick(bench: BenchEnvironment) -> Iterator[Row]:
    """Sweep over ten thousand live claims."""
    with bench.database() as dsn:
        with worked(bench, dsn) as (muster, orchestrator):
            orchestrator.campaign("bench", CLAIMS)
            run_in_subprocess(
                Workload(kind="holds", targets=[(muster.url, "bench")], connections=WORKERS, batch=500, count=CLAIMS)
            )
            orchestrator.settle()
        took = asyncio.run(sweep_ms(Settings(dsn=dsn)))
    yield Row(
        what=f"sweep of the scheduler over {CLAIMS:,} live claims, ms (issue 3)",
        ours=f"{took:.1f} ms",
        value=took,
        bound=MOST_MS,
        sense="at most",
    )


async def sweep_ms(settings: Settings) -> float:
    """Return the median duration of a sweep in milliseconds."""
    took: list[float] = []
    async with await open_pool(settings) as pool:
        writer = Writer(partial(open_connection, settings, name="bench"))
        writing = asyncio.create_task(writer.run())
        scheduler = Scheduler(pool, writer, Wakeup(), settings.tick_s)
        for _ in range(SWEEPS):
            began = perf_counter()
            await scheduler.sweep(datetime.now(UTC))
            took.append((perf_counter() - began) * 1000)
        writing.cancel()
    return median(took)
