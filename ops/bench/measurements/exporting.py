"""Heartbeat latency during an OTLP export of ten thousand points, against the same service between two exports."""

from collections.abc import Iterator
from contextlib import contextmanager
from statistics import quantiles

import httpx

from ops.bench.environment import BenchEnvironment, BenchError, Replica, end, free_port, start
from ops.bench.load import LoadResult, Workload, run_in_subprocess
from ops.bench.orchestrator import Orchestrator
from ops.bench.row import Row
from ops.bench.sink import Export

CAMPAIGNS, WORKERS, POINTS = 200, 1000, 10_000
HELD, CONNECTIONS, BEATS = 200, 2, 8_000
INTERVAL_S = 2.0
READING_S = 0.3
"""An export reads and encodes for about this long before its first request; that time counts as part of it. Heartbeats in the
same span before that count for neither side."""
MAX_RATIO = 1.5
MIN_SAMPLES = 500


def exporting(bench: BenchEnvironment) -> Iterator[Row]:
    """Send heartbeats while the fleet's metrics are exported every two seconds."""
    with bench.database() as dsn, sink() as url:
        with bench.running(Replica.muster(dsn)) as muster, Orchestrator(muster.url) as orchestrator:
            orchestrator.fleet(CAMPAIGNS, WORKERS)
            orchestrator.campaign("bench", HELD)
            run_in_subprocess(Workload(kind="holds", targets=[(muster.url, "bench")], connections=1, batch=HELD, count=HELD))
            orchestrator.settle()
        bench.order("VACUUM ANALYZE", dsn)
        tokens = [row["token"] for row in bench.order("SELECT token FROM claims ORDER BY fence", dsn)]
        chosen = {"MUSTER_OTLP_ENDPOINT": url, "MUSTER_OTLP_INTERVAL_S": str(INTERVAL_S)}
        with bench.running(Replica.muster(dsn, **chosen)) as muster:
            targets = [(muster.url, "bench")]
            seen = run_in_subprocess(
                Workload(kind="single_beats", targets=targets, connections=CONNECTIONS, count=BEATS, tokens=tokens)
            )
        exports = [Export(**export) for export in httpx.get(url, trust_env=False).json()]
    yield row(seen, exports)


def overlaps(began: float, took: float, exports: list[Export], before: float) -> bool:
    """Tell whether a heartbeat overlaps an export, or the *before* seconds ahead of its first request."""
    return any(began < export.ended and began + took > export.began - before for export in exports)


@contextmanager
def sink() -> Iterator[str]:
    """Run a receiver as a process of its own; yield its address."""
    port = free_port()
    process = start("-m", "ops.bench.sink", str(port))
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        end(process)


def row(seen: LoadResult, exports: list[Export]) -> Row:
    """Compare the heartbeats that overlap an export with those that do not."""
    most = max((export.points for export in exports), default=0)
    if most < POINTS:
        raise BenchError(f"an export had {most:,} points, at least {POINTS:,} are needed")
    during, between = [], []
    for began, took in seen.moments:
        if overlaps(began, took, exports, READING_S):
            during.append(took)
        elif not overlaps(began, took, exports, 2 * READING_S):
            between.append(took)
    if min(len(during), len(between)) < MIN_SAMPLES:
        raise BenchError(
            f"{len(during)} heartbeats overlap an export and {len(between)} do not, {MIN_SAMPLES} of each are needed"
        )
    ours, theirs = (quantiles(times, n=100)[98] * 1000 for times in (during, between))
    return Row(
        what=f"heartbeat p99 while {most:,} points are exported over OTLP, against none (issue 4)",
        ours=f"{ours:.2f} ms",
        baseline=f"{theirs:.2f} ms",
        value=ours / theirs,
        bound=MAX_RATIO,
        sense="at most",
    )
