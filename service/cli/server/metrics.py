"""`muster metrics`: metrics of the past, computed from the log."""

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from typing import IO

import asyncpg
import click

from projections.export import backfill as past
from service.cli.option import past_of, step_of
from service.cli.server.database import with_database
from service.settings import Settings


@click.group()
def metrics() -> None:
    """Compute metrics of the past from the log."""


@metrics.command()
@click.option("--from", "start", metavar="TIME", callback=past_of, required=True, help="First moment, as 2026-01-01T00:00:00Z.")
@click.option("--to", "end", metavar="TIME", callback=past_of, help="Last moment.  [default: now]")
@click.option("--step", metavar="SPAN", callback=step_of, default="1m", show_default=True, help="From one moment to the next.")
@click.option("--output", type=click.File("w", encoding="utf-8"), default="-", help="File to write.  [default: standard output]")
@with_database
def backfill(settings: Settings, start: datetime, end: datetime | None, step: timedelta, output: IO[str]) -> None:
    """Write the fleet's metrics of the past as OpenMetrics, for `promtool tsdb create-blocks-from openmetrics`."""
    count = asyncio.run(write(settings.dsn, output, start, end or datetime.now(UTC), step))
    click.echo(f"{count:,} samples", err=True, file=sys.stderr)


async def write(dsn: str, output: IO[str], start: datetime, end: datetime, step: timedelta) -> int:
    """Read the log once, and write its samples; return how many."""
    connection = await asyncpg.connect(dsn)
    try:
        return await past.write(connection, output, start, end, step)
    finally:
        await connection.close()
