"""Throughput of the API against plain SQL, measured in turns on the same Postgres."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median

from ops.bench.baseline_sql import SqlWorkload, written
from ops.bench.environment import BenchEnvironment, Replica
from ops.bench.load import Workload, run_in_subprocess
from ops.bench.orchestrator import Orchestrator
from ops.bench.row import Row

ROUNDS = 5
CAMPAIGN = "bench"
BATCH, CONNECTIONS, UNITS = 100, 4, 6000
CROWD, ONES = 64, 3000
BEAT_BATCH, RAW_BATCH, BEATS, HELD = 500, 1000, 30_000, 8000


def pairs(bench: BenchEnvironment) -> Iterator[Row]:
    """Claim and complete, a hundred a call."""
    with twins(bench, UNITS * (ROUNDS + 1)) as (muster, raw):
        ours = Workload(kind="pairs", targets=[(muster.url, CAMPAIGN)], connections=CONNECTIONS, batch=BATCH, count=UNITS)
        theirs = SqlWorkload(kind="pairs", dsn=raw, campaign=CAMPAIGN, connections=CONNECTIONS, batch=BATCH, count=UNITS)
        yield in_turns(
            "claim + complete, 100 a call, against raw SQL", "units/s", 0.35, muster, ours, lambda: written(theirs).per_second
        )


def singles(bench: BenchEnvironment) -> Iterator[Row]:
    """Claim and complete, one a call; two requests a unit."""
    with twins(bench, ONES * (ROUNDS + 1)) as (muster, raw), bench.running(Replica.baseline(raw)) as bare:
        ours = Workload(kind="singles", targets=[(muster.url, CAMPAIGN)], connections=CROWD, count=ONES)
        theirs = Workload(kind="singles", targets=[(bare.url, CAMPAIGN)], connections=CROWD, count=ONES)
        yield in_turns(
            "claim + complete, one a call, against a bare insert",
            "units/s",
            0.5,
            muster,
            ours,
            lambda: run_in_subprocess(theirs).per_second,
        )


def beats(bench: BenchEnvironment) -> Iterator[Row]:
    """Beat, five hundred a call."""
    with twins(bench, HELD, held=HELD) as (muster, raw):
        tokens = held(bench, raw)
        ours = Workload(
            kind="beats",
            targets=[(muster.url, CAMPAIGN)],
            connections=CONNECTIONS,
            batch=BEAT_BATCH,
            count=BEATS,
            tokens=tokens,
        )
        theirs = SqlWorkload(kind="beats", dsn=raw, campaign=CAMPAIGN, connections=1, batch=RAW_BATCH, count=BEATS)
        yield in_turns(
            "heartbeats, 500 a call, against raw SQL", "rows/s", 0.35, muster, ours, lambda: written(theirs).per_second
        )


@contextmanager
def twins(bench: BenchEnvironment, units: int, *, held: int = 0) -> Iterator[tuple[Replica, str]]:
    """Import *units*, claim those that are to be *held*; yield a service on them and the address of a copy of its database."""
    with bench.database() as dsn:
        with bench.running(Replica.muster(dsn)) as muster, Orchestrator(muster.url) as orchestrator:
            orchestrator.campaign(CAMPAIGN, units)
            if held:
                clients = held // BEAT_BATCH
                run_in_subprocess(
                    Workload(kind="holds", targets=[(muster.url, CAMPAIGN)], connections=clients, batch=BEAT_BATCH, count=held)
                )
            orchestrator.settle()
        bench.order("VACUUM ANALYZE", dsn)
        with bench.database(dsn) as copy, bench.running(Replica.muster(dsn)) as muster:
            yield muster, copy


def held(bench: BenchEnvironment, dsn: str) -> list[str]:
    """Return the tokens of all claims, worker by worker."""
    return [row["token"] for row in bench.order("SELECT token FROM claims ORDER BY length(worker), worker, fence", dsn)]


def in_turns(what: str, unit: str, bound: float, muster: Replica, ours: Workload, baseline: Callable[[], float]) -> Row:
    """Measure both in turns, once to warm up and then ROUNDS times; judge the median of the ratios.

    The views catch up before the baseline runs, so that it does not pay for them.
    """
    rounds: list[tuple[float, float]] = []
    with Orchestrator(muster.url) as orchestrator:
        for _ in range(ROUNDS + 1):
            mine = run_in_subprocess(ours).per_second
            orchestrator.settle()
            rounds.append((mine, baseline()))
    rounds = rounds[1:]
    ratio = median(mine / theirs for mine, theirs in rounds)
    mine_text, theirs_text = (f"{median(paces):,.0f} {unit}" for paces in zip(*rounds, strict=True))
    return Row(what=what, ours=mine_text, baseline=theirs_text, value=ratio, bound=bound, sense="at least")
