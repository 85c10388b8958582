"""`muster verify`: hold the log and the tables against what must always be true."""

import asyncio
import sys

import click

from projections.verify import LogUnreadable
from projections.verify import verify as examine
from service.cli.server.database import with_database
from service.settings import Settings


@click.command()
@with_database
def verify(settings: Settings) -> None:
    """Print one line for each invariant; exit 1 when one is broken. The service may run meanwhile."""
    try:
        findings = asyncio.run(examine(settings.dsn))
    except LogUnreadable as broken:
        raise click.ClickException(str(broken)) from broken
    for finding in findings:
        click.echo(finding.line())
    if any(finding.detail is not None for finding in findings):
        sys.exit(1)
