"""How much passes a second, over REST and by hand, in turns on the same Postgres."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median

from ops.bench.baseline_sql import RawErrand, written
from ops.bench.environment import Ground, Replica
from ops.bench.load import Errand, sent
from ops.bench.orchestrator import Orchestrator
from ops.bench.row import Row

ROUNDS = 5
CAMPAIGN = "bench"
BATCH, CONNECTIONS, UNITS = 100, 4, 6000
CROWD, ONES = 64, 3000
BEAT_BATCH, RAW_BATCH, BEATS, HELD = 500, 1000, 30_000, 8000


def pairs(ground: Ground) -> Iterator[Row]:
    """Claim and complete, a hundred a call."""
    with twins(ground, UNITS * (ROUNDS + 1)) as (muster, raw):
        ours = Errand(kind="pairs", targets=[(muster.url, CAMPAIGN)], connections=CONNECTIONS, batch=BATCH, count=UNITS)
        theirs = RawErrand(kind="pairs", dsn=raw, campaign=CAMPAIGN, connections=CONNECTIONS, batch=BATCH, count=UNITS)
        yield in_turns(
            "claim + complete, 100 a call, against raw SQL", "units/s", 0.35, muster, ours, lambda: written(theirs).pace
        )


def singles(ground: Ground) -> Iterator[Row]:
    """Claim and complete, one a call; two requests a unit."""
    with twins(ground, ONES * (ROUNDS + 1)) as (muster, raw), ground.running(Replica.bare(raw)) as bare:
        ours = Errand(kind="singles", targets=[(muster.url, CAMPAIGN)], connections=CROWD, count=ONES)
        theirs = Errand(kind="singles", targets=[(bare.url, CAMPAIGN)], connections=CROWD, count=ONES)
        yield in_turns(
            "claim + complete, one a call, against a bare insert", "units/s", 0.5, muster, ours, lambda: sent(theirs).pace
        )


def beats(ground: Ground) -> Iterator[Row]:
    """Beat, five hundred a call."""
    with twins(ground, HELD, held=HELD) as (muster, raw):
        tokens = held(ground, raw)
        ours = Errand(
            kind="beats",
            targets=[(muster.url, CAMPAIGN)],
            connections=CONNECTIONS,
            batch=BEAT_BATCH,
            count=BEATS,
            tokens=tokens,
        )
        theirs = RawErrand(kind="beats", dsn=raw, campaign=CAMPAIGN, connections=1, batch=RAW_BATCH, count=BEATS)
        yield in_turns("heartbeats, 500 a call, against raw SQL", "rows/s", 0.35, muster, ours, lambda: written(theirs).pace)


@contextmanager
def twins(ground: Ground, units: int, *, held: int = 0) -> Iterator[tuple[Replica, str]]:
    """Import *units*, claim those that are to be *held*; yield a service on them and the address of a copy of its database."""
    with ground.database() as dsn:
        with ground.running(Replica.muster(dsn)) as muster, Orchestrator(muster.url) as orchestrator:
            orchestrator.campaign(CAMPAIGN, units)
            if held:
                crew = held // BEAT_BATCH
                sent(Errand(kind="holds", targets=[(muster.url, CAMPAIGN)], connections=crew, batch=BEAT_BATCH, count=held))
            orchestrator.settle()
        ground.order("VACUUM ANALYZE", dsn)
        with ground.database(dsn) as copy, ground.running(Replica.muster(dsn)) as muster:
            yield muster, copy


def held(ground: Ground, dsn: str) -> list[str]:
    """Return the tokens of all claims, worker by worker."""
    return [row["token"] for row in ground.order("SELECT token FROM claims ORDER BY length(worker), worker, fence", dsn)]


def in_turns(what: str, unit: str, bound: float, muster: Replica, ours: Errand, baseline: Callable[[], float]) -> Row:
    """Measure both in turns, once to warm up and then ROUNDS times; judge the median of the ratios.

    The views catch up before the baseline runs, so that it does not pay for them.
    """
    rounds: list[tuple[float, float]] = []
    with Orchestrator(muster.url) as orchestrator:
        for _ in range(ROUNDS + 1):
            mine = sent(ours).pace
            orchestrator.settle()
            rounds.append((mine, baseline()))
    rounds = rounds[1:]
    ratio = median(mine / theirs for mine, theirs in rounds)
    mine_text, theirs_text = (f"{median(paces):,.0f} {unit}" for paces in zip(*rounds, strict=True))
    return Row(what=what, ours=mine_text, baseline=theirs_text, value=ratio, bound=bound, sense="at least")
