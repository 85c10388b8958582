"""What a claim costs as work is drained, units are added and campaigns are opened: the same, or nearly."""

from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

from ops.bench.environment import BenchEnvironment, Replica
from ops.bench.load import Workload, run_in_subprocess
from ops.bench.orchestrator import Orchestrator
from ops.bench.row import Row

CLAIMS = 400
MOST = 1.25
UNITS, EARLY, LATE = 100_000, 10_000, 80_000
MANY, SHARED = 200, 20_000

Target = tuple[str, str]


def drained(bench: BenchEnvironment) -> Iterator[Row]:
    """Claim with nine tenths of a campaign drained, and with one."""
    with bench.database() as early:
        with worked(bench, early) as (muster, orchestrator):
            orchestrator.campaign("bench", UNITS)
            drain(muster, "bench", EARLY)
            orchestrator.settle()
        with bench.database(early) as late:
            with worked(bench, late) as (muster, orchestrator):
                drain(muster, "bench", LATE)
                orchestrator.settle()
            what = f"claim p50, 90 % of {UNITS:,} units drained against 10 %"
            yield side_by_side(bench, what, (late, "bench"), (early, "bench"))


def campaigns(bench: BenchEnvironment) -> Iterator[Row]:
    """Claim from any of many campaigns, and from one, of as many units in all."""
    with bench.database() as one, bench.database() as many:
        with worked(bench, one) as (_, orchestrator):
            orchestrator.campaign("bench", SHARED)
            orchestrator.settle()
        with worked(bench, many) as (_, orchestrator):
            for number in range(MANY):
                orchestrator.campaign(f"bench-{number}", SHARED // MANY)
            orchestrator.settle()
        yield side_by_side(bench, f"claim p50, {MANY} campaigns against 1 (issue 3)", (many, ""), (one, ""))


def drain(muster: Replica, campaign: str, units: int) -> None:
    """Claim and complete *units* units, a thousand a call."""
    run_in_subprocess(Workload(kind="pairs", targets=[(muster.url, campaign)], connections=2, batch=1000, count=units))


@contextmanager
def worked(bench: BenchEnvironment, dsn: str) -> Iterator[tuple[Replica, Orchestrator]]:
    """Run the service on a database for a while, to bring it into the state that is measured."""
    with bench.running(Replica.muster(dsn)) as muster, Orchestrator(muster.url) as orchestrator:
        yield muster, orchestrator


def side_by_side(bench: BenchEnvironment, what: str, grown: Target, small: Target) -> Row:
    """Claim from two services in turn, each on its database after VACUUM ANALYZE; compare the medians.

    Without the vacuum, Postgres would clean up after the drain by itself while we measure.
    """
    for dsn, _ in (grown, small):
        bench.order("VACUUM ANALYZE", dsn)
    with bench.running(Replica.muster(grown[0])) as ours, bench.running(Replica.muster(small[0])) as theirs:
        return in_turn(what, (ours.url, grown[1]), (theirs.url, small[1]))


def in_turn(what: str, grown: Target, small: Target) -> Row:
    """Claim one unit of each in turn; compare the medians."""
    seen = run_in_subprocess(Workload(kind="latencies", targets=[grown, small], count=CLAIMS))
    ours, theirs = (median(times) for times in seen.latencies_ms)
    return Row(what=what, ours=f"{ours:.2f} ms", baseline=f"{theirs:.2f} ms", value=ours / theirs, bound=MOST, sense="at most")
