"""What a heartbeat waits for while ten thousand points leave over OTLP, against the same service between two exports."""

from collections.abc import Iterator
from contextlib import contextmanager
from statistics import quantiles

import httpx

from ops.bench.environment import BenchError, Ground, Replica, end, free_port, start
from ops.bench.load import Errand, Seen, sent
from ops.bench.orchestrator import Orchestrator
from ops.bench.row import Row
from ops.bench.sink import Export

CAMPAIGNS, WORKERS, POINTS = 200, 1000, 10_000
HELD, CONNECTIONS, BEATS = 200, 2, 8_000
INTERVAL_S = 2.0
READING_S = 0.3
"""Before its first request an export reads and writes for about so long: that belongs to it. As much again belongs to nobody."""
MOST = 1.5
FEWEST = 500


def exporting(ground: Ground) -> Iterator[Row]:
    """Beat while the fleet's numbers are sent every two seconds."""
    with ground.database() as dsn, sink() as url:
        with ground.running(Replica.muster(dsn)) as muster, Orchestrator(muster.url) as orchestrator:
            orchestrator.fleet(CAMPAIGNS, WORKERS)
            orchestrator.campaign("bench", HELD)
            sent(Errand(kind="holds", targets=[(muster.url, "bench")], connections=1, batch=HELD, count=HELD))
            orchestrator.settle()
        ground.order("VACUUM ANALYZE", dsn)
        tokens = [row["token"] for row in ground.order("SELECT token FROM claims ORDER BY fence", dsn)]
        chosen = {"MUSTER_OTLP_ENDPOINT": url, "MUSTER_OTLP_INTERVAL_S": str(INTERVAL_S)}
        with ground.running(Replica.muster(dsn, **chosen)) as muster:
            targets = [(muster.url, "bench")]
            seen = sent(Errand(kind="pulses", targets=targets, connections=CONNECTIONS, count=BEATS, tokens=tokens))
        exports = [Export(**export) for export in httpx.get(url, trust_env=False).json()]
    yield row(seen, exports)


def met(began: float, took: float, exports: list[Export], before: float) -> bool:
    """Tell whether a beat met an export, or the seconds *before* its first request."""
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


def row(seen: Seen, exports: list[Export]) -> Row:
    """Compare the beats that met an export with those that met none."""
    most = max((export.points for export in exports), default=0)
    if most < POINTS:
        raise BenchError(f"an export had {most:,} points, {POINTS:,} are asked for")
    during, between = [], []
    for began, took in seen.moments:
        if met(began, took, exports, READING_S):
            during.append(took)
        elif not met(began, took, exports, 2 * READING_S):
            between.append(took)
    if min(len(during), len(between)) < FEWEST:
        raise BenchError(f"{len(during)} heartbeats met an export and {len(between)} none, {FEWEST} of each are needed")
    ours, theirs = (quantiles(times, n=100)[98] * 1000 for times in (during, between))
    return Row(
        what=f"heartbeat p99 while {most:,} points leave over OTLP, against none (issue 4)",
        ours=f"{ours:.2f} ms",
        baseline=f"{theirs:.2f} ms",
        value=ours / theirs,
        bound=MOST,
        sense="at most",
    )
