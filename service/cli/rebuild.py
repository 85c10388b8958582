"""`muster rebuild`: compute every table from the log again, or only look whether that would change anything."""

import asyncio
from functools import partial

import click

from projections.rebuild import check as compare
from projections.rebuild import rebuild as compute
from service.cli.database import with_database
from service.settings import Settings
from service.submission import Origin
from service.writer import within


@click.command()
@click.option("--check", is_flag=True, help="Change nothing: exit 1 and print the first difference, if there is one.")
@with_database
def rebuild(settings: Settings, *, check: bool) -> None:
    """Compute state, views and series from the log beside the live ones, and swap; the service may run meanwhile."""
    if check:
        difference = asyncio.run(compare(settings.dsn))
        if difference is not None:
            raise click.ClickException(difference.line())
        click.echo("Live and rebuilt are equal, row for row.")
        return
    done = asyncio.run(compute(settings.dsn, partial(within, origin=Origin(actor="rebuild"))))
    if done.difference is not None:
        click.echo(f"Mended: {done.difference.line()}")
    if done.lowered:
        click.echo(f"Smaller than before, and begun anew: {', '.join(done.lowered)}")
    rate = done.position / done.seconds
    click.echo(f"Rebuilt {done.position:,} events in {done.seconds:.1f} s ({rate:,.0f}/s); generation {done.generation} is live.")
