"""`muster traces`: traces of past executions, computed from the log."""

import asyncio
from datetime import UTC, datetime

import asyncpg
import click

from projections.export.trace_batch import log_of
from projections.export.traces import deliver, pages
from projections.measures.process import Process
from service.cli.option import past_of
from service.cli.server.database import with_database
from service.otlp import identity_of, trace_delivery
from service.settings import Settings


@click.group()
def traces() -> None:
    """Compute traces of past executions from the log."""


@traces.command()
@click.option("--from", "start", metavar="TIME", callback=past_of, required=True, help="First moment, as 2026-01-01T00:00:00Z.")
@click.option("--to", "end", metavar="TIME", callback=past_of, help="First moment that is left out.  [default: now]")
@with_database
def export(settings: Settings, start: datetime, end: datetime | None) -> None:
    """Send the spans that ended in a period to MUSTER_OTLP_TRACES_ENDPOINT, with the same ids and times at each export."""
    if not settings.otlp_traces_endpoint:
        raise click.ClickException("nowhere to send traces to: set MUSTER_OTLP_TRACES_ENDPOINT")
    count = asyncio.run(send(settings, start, end or datetime.now(UTC)))
    click.echo(f"{count:,} spans", err=True)


async def send(settings: Settings, start: datetime, end: datetime) -> int:
    """Read the log page by page and send its spans; return how many.

    Raises:
        ClickException: a page did not arrive; the pages before it did.

    """
    delivery, identity, count = trace_delivery(settings, Process()), identity_of(settings), 0
    connection = await asyncpg.connect(settings.dsn)
    try:
        origin = await log_of(connection)
        if origin is not None:
            async for page in pages(connection, origin, start, end):
                sent_count = deliver(delivery, identity, page)
                if sent_count is None:
                    raise click.ClickException(f"{count:,} spans have arrived, those after position {page.after:,} have not")
                count += sent_count
    finally:
        await connection.close()
    return count
