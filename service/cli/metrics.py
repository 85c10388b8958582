"""`muster metrics`: what the log says about numbers of the past."""

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from typing import IO, Any

import asyncpg
import click
from typing_extensions import override

from projections.export import backfill as past
from service.cli.database import with_database
from service.settings import Settings

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Instant(click.ParamType[Any]):
    """An instant of RFC 3339; without an offset it is in UTC."""

    name = "instant"

    @override
    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Read it."""
        try:
            found = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is no instant; write 2026-01-01T00:00:00Z", param, ctx)
        return found if found.tzinfo else found.replace(tzinfo=UTC)


class Span(click.ParamType[Any]):
    """A span of time: a number and s, m, h or d."""

    name = "span"

    @override
    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Read it."""
        text = str(value)
        try:
            span = timedelta(seconds=float(text[:-1]) * UNITS[text[-1:]])
        except (ValueError, KeyError, OverflowError):
            span = timedelta()
        if span <= timedelta():
            self.fail(f"{value!r} is no span; write 15s, 1m or 1h", param, ctx)
        return span


@click.group()
def metrics() -> None:
    """Tell what the log says of numbers, in any past."""


@metrics.command()
@click.option("--from", "start", type=Instant(), required=True, help="First moment, as 2026-01-01T00:00:00Z.")
@click.option("--to", "end", type=Instant(), help="Last moment.  [default: now]")
@click.option("--step", type=Span(), default="1m", show_default=True, help="From one moment to the next.")
@click.option("--output", type=click.File("w", encoding="utf-8"), default="-", help="File to write.  [default: standard output]")
@with_database
def backfill(settings: Settings, start: datetime, end: datetime | None, step: timedelta, output: IO[str]) -> None:
    """Write the fleet's metrics of the past as OpenMetrics, for `promtool tsdb create-blocks-from openmetrics`."""
    written = asyncio.run(write(settings.dsn, output, start, end or datetime.now(UTC), step))
    click.echo(f"{written:,} samples", err=True, file=sys.stderr)


async def write(dsn: str, output: IO[str], start: datetime, end: datetime, step: timedelta) -> int:
    """Read the log once, and write what it says."""
    connection = await asyncpg.connect(dsn)
    try:
        return await past.write(connection, output, start, end, step)
    finally:
        await connection.close()
