"""`muster top`: the live view in a terminal."""

import asyncio
import sys

import click

from service.cli.client.remote import example
from service.cli.option import with_service_address
from service.client.http_client import ApiClient


@click.command()
@with_service_address
@example("muster top", "muster top --url http://127.0.0.1:8110")
def top(url: str, bearer: str | None) -> None:
    """Watch campaigns, units, workers, quarantine, events and engine live, and steer them; ? shows the keys."""
    if not sys.stdout.isatty():
        raise click.UsageError("muster top needs a terminal; for scripts there are the commands with --json")
    asyncio.run(run_top(url, bearer))


async def run_top(url: str, bearer: str | None) -> None:
    """Run the application until it is quit."""
    from service.terminal.top.app import Top  # noqa: PLC0415 - slow to import, and the help does not need it

    async with ApiClient(url, bearer) as service:
        await Top(service).run_async()
