"""How soon a new unit wakes a waiting claim."""

import asyncio
from collections.abc import Iterator
from statistics import median
from time import perf_counter

import httpx

from ops.bench.environment import BenchEnvironment, BenchError
from ops.bench.orchestrator import POLICY
from ops.bench.row import Row

ROUNDS = 25
WAIT_S, SETTLED_S = 30, 0.2
MOST_MS = 100


def waking(bench: BenchEnvironment) -> Iterator[Row]:
    """Add a unit while a claim waits for one."""
    with bench.muster() as muster:
        took = asyncio.run(wakeup_ms(muster.url))
    yield Row(
        what="a waiting claim is answered after its unit was added, ms (B-CLAIM-9)",
        ours=f"{took:.1f} ms",
        value=took,
        bound=MOST_MS,
        sense="at most",
    )


async def wakeup_ms(url: str) -> float:
    """Return the median time in milliseconds from the response to the import until the response to the waiting claim."""
    took: list[float] = []
    async with httpx.AsyncClient(base_url=url, timeout=2 * WAIT_S, trust_env=False) as http:
        (await http.post("/v1/campaigns", json={"name": "bench", "policy": POLICY})).raise_for_status()
        for number in range(ROUNDS):
            waiting = asyncio.create_task(http.post("/v1/claims", json={"worker": "bench", "wait_s": WAIT_S}))
            await asyncio.sleep(SETTLED_S)  # it waits by then
            (await http.post("/v1/campaigns/bench/units", json=[{"key": f"u{number}"}])).raise_for_status()
            added = perf_counter()
            answer = await waiting
            took.append((perf_counter() - added) * 1000)
            if [claim["key"] for claim in answer.json()["claims"]] != [f"u{number}"]:
                raise BenchError(f"not the unit that was waited for: {answer.text[:300]}")
    return median(took)
