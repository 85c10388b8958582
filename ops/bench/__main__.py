"""`python -m ops.bench [--only NAME]`: measure the ratios and print them as one table; ends with 1 when a bound is missed."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from time import perf_counter

import click

from ops.bench.environment import BenchEnvironment, BenchError
from ops.bench.measurements.exporting import exporting
from ops.bench.measurements.exposition import exposition
from ops.bench.measurements.million import million
from ops.bench.measurements.pages import pages
from ops.bench.measurements.rebuilding import rebuild
from ops.bench.measurements.scaling import campaigns, drained
from ops.bench.measurements.sweeping import tick
from ops.bench.measurements.throughput import beats, pairs, singles
from ops.bench.measurements.waking import waking
from ops.bench.row import Row, table

ROWS: dict[str, Callable[[BenchEnvironment], Iterator[Row]]] = {
    measure.__name__: measure
    for measure in (pairs, singles, beats, drained, campaigns, tick, waking, exposition, exporting, rebuild, million, pages)
}


@click.command()
@click.option("--only", type=click.Choice(list(ROWS)), multiple=True, help="Measure this alone.")
def bench(only: tuple[str, ...]) -> None:
    """Measure on this machine, with a durable Postgres of our own."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"{os.cpu_count()} cores, load {load}; fsync and synchronous_commit on; everything on loopback", flush=True)
    try:
        rows = list(measured(only or tuple(ROWS)))
    except BenchError as error:
        raise click.ClickException(str(error)) from error
    print(table(rows))
    sys.exit(0 if all(row.kept for row in rows) else 1)


def measured(names: tuple[str, ...]) -> Iterator[Row]:
    """Measure row after row."""
    with BenchEnvironment() as bench:
        for name in names:
            print(f"{name} …", flush=True)
            began = perf_counter()
            yield from ROWS[name](bench)
            print(f"  {perf_counter() - began:.0f} s", flush=True)


if __name__ == "__main__":
    bench()
