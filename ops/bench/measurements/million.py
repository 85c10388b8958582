"""A million units: what one service process keeps in memory, and what a claim costs among them."""

from collections.abc import Iterator
from time import perf_counter

from ops.bench.environment import BenchEnvironment, Replica
from ops.bench.load import Workload, run_in_subprocess
from ops.bench.measurements.scaling import in_turn
from ops.bench.orchestrator import Orchestrator
from ops.bench.row import Row

UNITS, FEW = 1_000_000, 1000
MIB = 300


def million(bench: BenchEnvironment) -> Iterator[Row]:
    """Import a million units, claim among them, drain them, and look at the memory."""
    with bench.database() as dsn, bench.running(Replica.muster(dsn)) as muster, Orchestrator(muster.url) as orchestrator:
        began = perf_counter()
        orchestrator.campaign("large", UNITS)
        imported = perf_counter()
        print(f"  imported {UNITS / (imported - began):,.0f} units/s, {memory_text(muster)}", flush=True)
        orchestrator.campaign("small", FEW)
        orchestrator.settle()
        bench.order("ANALYZE", dsn)
        yield in_turn(
            f"claim p50, {UNITS:,} units in the campaign against {FEW:,} (issue 3)",
            (muster.url, "large"),
            (muster.url, "small"),
        )
        began = perf_counter()
        everything = Workload(kind="pairs", targets=[(muster.url, "large")], connections=2, batch=1000, count=2 * UNITS)
        count = run_in_subprocess(everything).count
        print(f"  drained {count / (perf_counter() - began):,.0f} units/s, {memory_text(muster)}", flush=True)
        orchestrator.settle()
        now, most = muster.memory()
        yield Row(
            what=f"memory of the service after {UNITS:,} units, MiB",
            ours=f"{now:.0f} (peak {most:.0f})",
            value=now,
            bound=MIB,
            sense="at most",
        )


def memory_text(muster: Replica) -> str:
    """Return the memory of the service as text, now and at its peak."""
    now, most = muster.memory()
    return f"memory {now:.0f} MiB, at most {most:.0f} MiB"
