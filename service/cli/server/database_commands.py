"""`muster migrate`, `muster verify` and `muster rebuild`: bring a database up to date, check it, compute it from its log."""

import asyncio
import sys
from functools import partial

import click
import msgspec
import uvloop

from projections import rebuild as rebuilding
from projections import verify as verification
from projections.projector import LogBroken
from service.cli.server.database import answering, with_address, with_database
from service.settings import Settings
from service.store.db import migration
from service.store.db.schema import head
from service.store.log.codec import UnknownEvent
from service.submission import in_new_trace
from service.writer import within


@click.command()
@with_address
def migrate(settings: Settings) -> None:
    """Bring the schema up to date; a second deployer waits for the first."""
    with answering(settings.dsn):
        migration.migrate(settings.dsn)
    click.echo(f"The schema is at {head()}.")


@click.command()
@with_database
def verify(settings: Settings) -> None:
    """Print one line for each invariant; exit 1 when one is broken. The service may run meanwhile."""
    try:
        findings = asyncio.run(verification.verify(settings.dsn))
    except verification.LogUnreadable as broken:
        raise click.ClickException(str(broken)) from broken
    for finding in findings:
        click.echo(finding.line())
    if any(finding.detail is not None for finding in findings):
        sys.exit(1)


@click.command()
@click.option("--check", is_flag=True, help="Change nothing: exit 1 and print the first difference, if there is one.")
@with_database
def rebuild(settings: Settings, *, check: bool) -> None:
    """Compute state, views and series from the log beside the live ones, and swap; the service may run meanwhile."""
    try:
        if check:
            compare(settings.dsn)
        else:
            rebuild_and_swap(settings.dsn)
    except (LogBroken, UnknownEvent, msgspec.MsgspecError) as broken:
        raise click.ClickException(f"the log cannot be folded: {broken}; `muster verify` says more") from broken


def compare(dsn: str) -> None:
    """Compare the live tables with the ones that the log gives.

    Raises:
        ClickException: the first difference.

    """
    difference = uvloop.run(rebuilding.check(dsn))
    if difference is not None:
        raise click.ClickException(difference.line())
    click.echo("Live and rebuilt are equal, row for row.")


def rebuild_and_swap(dsn: str) -> None:
    """Rebuild, swap, and print the result."""
    done = uvloop.run(rebuilding.rebuild(dsn, partial(within, origin=in_new_trace("rebuild"))))
    if done.difference is not None:
        click.echo(f"Mended: {done.difference.line()}")
    if done.lowered:
        click.echo(f"Smaller than before, and begun anew: {', '.join(done.lowered)}")
    rate = done.position / done.seconds
    click.echo(f"Rebuilt {done.position:,} events in {done.seconds:.1f} s ({rate:,.0f}/s); generation {done.generation} is live.")
